// SPDX-License-Identifier: MIT
// Tests of the program `trilobit`: what goes into a text, what is drawn, and where it ends.
#include <algorithm>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include "chat_model.hpp"
#include "runner/stop_text.hpp"

using namespace tbx::testing;
using tbx::runner::stop_text;
using Catch::Matchers::ContainsSubstring;

namespace {

outcome write_with(const command_line& more) {
    command_line all = {"run", "-m", tiny_model()};
    all.insert(all.end(), more.begin(), more.end());
    return run_program(all);
}

std::string stopped(const std::vector<std::string>& stops, const std::vector<std::string>& pieces) {
    stop_text filter(stops);
    std::string out;
    for (const std::string& piece : pieces) out += filter.push(piece) + "|";
    out += filter.flush();
    return filter.found() ? out + "!" : out;
}

}  // namespace

TEST_CASE("a stop text is found across pieces and is not printed") {
    CHECK(stopped({"END"}, {"abENDcd"}) == "ab|!");
    CHECK(stopped({"END"}, {"a", "bE", "N", "Dc", "d"}) == "a|b||||!");
    CHECK(stopped({"END"}, {"aE", "NE", "ND", "x"}) == "a|EN|||!");
    CHECK(stopped({"END"}, {"aEN", "x"}) == "a|ENx|");
    CHECK(stopped({"END"}, {"aEN"}) == "a|EN");
    CHECK(stopped({"aab"}, {"a", "a", "a", "b"}) == "||a||!");
    CHECK(stopped({"xyz", "b"}, {"ab", "xyz"}) == "a||!");
    CHECK(stopped({"bc", "abcd"}, {"a", "b", "c"}) == "||a|!");
    CHECK(stopped({}, {"a", "b"}) == "a|b|");
    CHECK(stopped({"\u00e9"}, {"a\xc3", "\xa9z"}) == "a||!");
}

TEST_CASE("run ends before the first stop text, wherever tokens part it") {
    const std::string whole = write_with({"-p", "kalo", "-n", "40"}).out;
    REQUIRE(whole.size() > 60);
    int tried = 0;
    for (std::size_t at = 12; at + 5 < whole.size() && tried < 4; ++at) {
        const std::string stop = whole.substr(at, 5);
        // What is printed for bytes that are no character is no text of the model's.
        if (std::ranges::any_of(stop, [](char c) { return static_cast<unsigned char>(c) > 127; }))
            continue;
        ++tried;
        const std::size_t first = whole.find(stop, 4);
        const outcome o = write_with({"-p", "kalo", "-n", "40", "--stop", stop});
        CHECK(o.status == 0);
        CHECK(o.out == whole.substr(0, first) + "\n");
        const outcome two =
            write_with({"-p", "kalo", "-n", "40", "--stop", "no such text", "--stop", stop});
        CHECK(two.out == o.out);
    }
    CHECK(tried == 4);
    CHECK(write_with({"-p", "kalo", "-n", "40", "--stop", "no such text"}).out == whole);
    // The prompt may hold it.
    CHECK(write_with({"-p", "kalo", "-n", "1", "--stop", "kalo"}).out.starts_with("kalo"));
}

TEST_CASE("numbers that are none are refused") {
    for (const char* option : {"--temp", "--top-p", "--min-p", "--repeat-penalty"})
        for (const char* value : {"nan", "NaN", "-nan", "inf", "-1", "1e30", "x", ""}) {
            for (const char* command : {"run", "chat"}) {
                const outcome o = run_program({command, "-m", tiny_model(), option, value});
                INFO(option << " " << value << ": " << o.err);
                CHECK(o.status == 2);
                CHECK(o.complained());
                CHECK(o.out.empty());
            }
        }
    CHECK(write_with({"-n", "1", "--repeat-penalty", "0"}).status == 2);
    CHECK(write_with({"-n", "1", "--repeat-last-n", "-2"}).status == 2);
    CHECK(write_with({"-n", "1", "--stop", ""}).status == 2);
    CHECK(write_with({"-n", "1", "--temp", "0.5", "--min-p", "0.05", "--repeat-penalty", "1.1",
                      "--repeat-last-n", "-1"})
              .status == 0);
}

TEST_CASE("token ids that are none are refused") {
    for (const char* ids : {"", ",", "1,", ",1", "1,,2", "1 2", "-1", "x", "1.5", "99999999999"}) {
        const outcome o = run_program({"logits", "-m", tiny_model(), "--tokens", ids});
        INFO(ids << ": " << o.err);
        CHECK(o.status == 2);
        CHECK(o.complained());
        CHECK(o.out.empty());
    }
    CHECK(write_with({"-n", ""}).status == 2);
}

TEST_CASE("a repetition penalty makes a model that goes in circles go on") {
    const auto repeats = [](const std::string& text) {
        std::size_t most = 0;
        for (std::size_t at = 20; at + 8 < text.size(); ++at) {
            std::size_t count = 0;
            const std::string part = text.substr(at, 8);
            for (std::size_t i = 0; (i = text.find(part, i)) != text.npos; ++i) ++count;
            most = std::max(most, count);
        }
        return most;
    };
    const outcome plain = write_with({"-p", "kalo", "-n", "120"});
    const outcome penalised =
        write_with({"-p", "kalo", "-n", "120", "--repeat-penalty", "1.5", "--repeat-last-n", "-1"});
    CHECK(penalised.status == 0);
    CHECK(penalised.out != plain.out);
    CHECK(repeats(penalised.out) <= repeats(plain.out));
    // The prompt's tokens count too, and any of the vocabulary may win: no head of two stages.
    const outcome two_stage = write_with({"-p", "kalo", "-n", "120", "--repeat-penalty", "1.5",
                                          "--repeat-last-n", "-1", "--head", "two-stage"});
    CHECK(two_stage.out == penalised.out);
    CHECK_THAT(two_stage.err, !ContainsSubstring("two-stage"));
    CHECK(write_with({"-p", "kalo", "-n", "120", "--repeat-penalty", "1.5", "--repeat-last-n", "0"})
              .out == plain.out);
}

TEST_CASE("a begin token that stands there twice is told, and --no-bos adds none") {
    const outcome doubled = write_with({"-p", "<s>kalo", "-n", "4"});
    CHECK(doubled.status == 0);
    CHECK_THAT(doubled.err, ContainsSubstring("the begin token <s> stands there twice"));
    const outcome once = write_with({"-p", "<s>kalo", "-n", "4", "--no-bos"});
    CHECK_THAT(once.err, !ContainsSubstring("twice"));
    CHECK(once.out == write_with({"-p", "kalo", "-n", "4"}).out);
    CHECK_THAT(write_with({"-p", "kalo", "-n", "4"}).err, !ContainsSubstring("twice"));
    const outcome nothing = write_with({"-p", "", "-n", "4", "--no-bos"});
    CHECK(nothing.status == 1);
    CHECK(nothing.complained());
    const auto ids = [](const command_line& more) {
        command_line all = {"tokenize", "-m", tiny_model()};
        all.insert(all.end(), more.begin(), more.end());
        return run_program(all);
    };
    CHECK(ids({"-p", "ab"}).out == "1,259,260,261\n");
    CHECK(ids({"-p", "ab", "--no-bos"}).out == "259,260,261\n");
    CHECK_THAT(ids({"-p", "<s>ab"}).err, ContainsSubstring("twice"));
}

TEST_CASE("run shows the tokens it sends") {
    const outcome o = write_with({"-p", "ab\n<s>", "-n", "1", "--show-tokens"});
    CHECK(o.status == 0);
    CHECK_THAT(o.err, ContainsSubstring("sent 6 tokens: 1 '<s>', 259 ' ', 260 'a', 261 'b', 13 "
                                        "'\\n', 1 '<s>'\n"));
    CHECK_THAT(write_with({"-p", "ab", "-n", "1"}).err, !ContainsSubstring("sent"));
}
