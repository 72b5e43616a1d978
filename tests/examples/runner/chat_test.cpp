// SPDX-License-Identifier: MIT
// Tests of `trilobit chat`.
#include <algorithm>
#include <cstdio>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include "chat_model.hpp"
#include "runner/chat_form.hpp"
#include "runner/conversation.hpp"

using namespace tbx::testing;
using Catch::Matchers::ContainsSubstring;

namespace {

std::size_t count_of(const std::string& part, const std::string& whole) {
    std::size_t count = 0;
    for (std::size_t at = 0; (at = whole.find(part, at)) != whole.npos; at += part.size()) ++count;
    return count;
}

command_line with(command_line some, const command_line& more) {
    some.insert(some.end(), more.begin(), more.end());
    return some;
}

const std::string story_teller = TRILOBIT_SOURCE_DIR "/examples/models/stories-ternary.gguf";

/// What --show-tokens says of each turn: "sent 3 tokens after 60: ...".
struct sent_tokens {
    std::ptrdiff_t tokens, known;
};
std::vector<sent_tokens> tokens_sent(const std::string& err) {
    std::vector<sent_tokens> all;
    for (std::size_t at = 0; (at = err.find("sent ", at)) != err.npos; ++at) {
        int tokens = 0, known = 0;
        (void)std::sscanf(err.c_str() + at, "sent %d tokens after %d", &tokens, &known);
        all.push_back({tokens, known});
    }
    return all;
}

/// The tiny model as one that was taught ChatML.
const std::string& chatml_model() {
    static const scratch_folder folder;
    static const std::string path =
        chat_model(folder.path("m.gguf"), {"<|im_start|>", "<|im_end|>"}, "{{'<|im_start|>'}}");
    return path;
}

}  // namespace

TEST_CASE("chat answers each line and ends with its input") {
    const outcome two =
        run_program({"chat", "-m", tiny_model(), "-n", "5", "--temp", "0"}, "kalo\n\nmine\n");
    CHECK(two.status == 0);
    CHECK(std::count(two.out.begin(), two.out.end(), '\n') >= 2);
    const outcome one =
        run_program({"chat", "-m", tiny_model(), "-n", "5", "--temp", "0"}, "kalo\n");
    CHECK(two.out.starts_with(one.out));
    const outcome none = run_program({"chat", "-m", tiny_model()}, "");
    CHECK(none.status == 0);
    CHECK(none.out.empty());
}

TEST_CASE("chat gives the same answers whoever's editor wrote the lines") {
    const command_line chat = {"chat", "-m", tiny_model(), "-n", "9", "--temp", "0"};
    const outcome lf = run_program(chat, "kalo\n\nmine\n");
    CHECK(run_program(chat, "kalo\r\n\r\nmine\r\n").out == lf.out);
    CHECK(run_program(chat, "\xef\xbb\xbfkalo\nmine").out == lf.out);
    const outcome wide = run_program(chat, std::string("\xff\xfek\0a\0\n\0", 8));
    CHECK(wide.status == 1);
    CHECK(wide.out.empty());
    CHECK_THAT(wide.err, ContainsSubstring("standard input: it is UTF-16"));
}

TEST_CASE("chat forgets the oldest turns at a full context, and never the system's message") {
    // Room for one turn and its answer and not for two: each answer is as if it were the first.
    const command_line system = GENERATE(command_line{}, command_line{"--system", "rusa tivo"});
    const command_line chat =
        with({"chat", "-m", chatml_model(), "-n", "8", "--temp", "0", "-c", "72"}, system);
    const std::vector<std::string> messages = {"kalo mine beda\n", "fugo hiju pezo\n", "rusa\n"};
    std::string expected, all;
    for (const std::string& m : messages) {
        const outcome alone = run_program(chat, m);
        CHECK(alone.status == 0);
        CHECK_THAT(alone.err, !ContainsSubstring("is full"));
        expected += alone.out;
        all += m;
    }
    const outcome o = run_program(chat, all);
    INFO(o.err);
    CHECK(o.status == 0);
    CHECK(o.out == expected);
    CHECK(count_of("is full: the oldest turns are forgotten, 1 this time", o.err) == 2);
    // With room for all of them, the answers know what was said before.
    command_line roomy = chat;
    roomy[8] = "512";
    CHECK(run_program(roomy, all).out != expected);
}

TEST_CASE("a turn runs the tokens alone that are new, and after forgetting all that moved") {
    using namespace tbx;
    const std::string system = "You tell stories of a cat.";
    const std::vector<std::string> asked = {"Tell me", "Tell me more", "And then"};
    const command_line chat = {"chat",   "-m", story_teller, "--style", "plain",        "-n", "12",
                               "--temp", "0",  "--system",   system,    "--show-tokens"};
    const tokenizer::tokenizer words = tokenizer::tokenizer::from_gguf(gguf::reader(story_teller));
    const runner::chat_form form("llama", words, {.style = "plain", .think = {}});

    // What each turn writes whole, and how much of it the turn before has left in the cache.
    runner::conversation talk(system);
    std::vector<std::vector<tokenizer::token_id>> turns;
    std::string lines, told;
    for (const std::string& question : asked) {
        talk.ask(question);
        turns.push_back(form.encode(talk.messages(), true));
        lines += question + "\n";
        const std::string all = run_program(chat, lines).out;
        talk.answer(all.substr(told.size(), all.size() - told.size() - 1));
        told = all;
    }
    const auto total = [&](std::size_t turn) { return std::ssize(turns[turn]); };
    const outcome roomy = run_program(chat, lines);
    INFO(roomy.err);
    const auto sent = tokens_sent(roomy.err);
    REQUIRE(sent.size() == 3);
    CHECK((sent[0].known == 0 && sent[0].tokens == total(0)));
    for (const std::size_t turn : {1u, 2u}) {
        // The last token of an answer was drawn and not run.
        CHECK(sent[turn].known == total(turn - 1) + 11);
        CHECK(sent[turn].known + sent[turn].tokens == total(turn));
    }

    // One position less than the third turn and its answer need.
    const outcome tight = run_program(with(chat, {"-c", std::to_string(total(2) + 11)}), lines);
    INFO(tight.err);
    CHECK(count_of("is full: the oldest turns are forgotten, 1 this time", tight.err) == 1);
    const auto slid = tokens_sent(tight.err);
    REQUIRE(slid.size() == 3);
    CHECK((slid[1].known == sent[1].known && slid[1].tokens == sent[1].tokens));
    runner::conversation left = talk;
    left.take_back();
    REQUIRE(left.forget_oldest());
    const auto moved = form.encode(left.messages(), true);
    const auto same = std::mismatch(moved.begin(), moved.end(), turns[1].begin(), turns[1].end());
    CHECK(slid[2].known == same.first - moved.begin());
    CHECK(slid[2].known >= std::ssize(words.encode(system)));
    CHECK(slid[2].known + slid[2].tokens == std::ssize(moved));
}

TEST_CASE("chat forgets in the midst of an answer as well, and goes on") {
    // A model whose words are words: read again, its answers are as many tokens as they were.
    const std::string& box = story_teller;
    const command_line chat = {"chat", "-m", box, "--style", "plain", "-n", "40", "--temp", "0"};
    const std::string lines = "Tell me\nTell me more\n";
    const outcome roomy = run_program(with(chat, {"--show-tokens"}), lines);
    REQUIRE(count_of("sent ", roomy.err) == 2);
    const std::string second = roomy.err.substr(roomy.err.rfind("sent ") + 5);
    const int sent = std::stoi(second), known = std::stoi(second.substr(second.find("after ") + 6));
    // All but the last five tokens of the second answer fit.
    const std::string room = std::to_string(known + sent + 35);
    const outcome o = run_program(with(chat, {"--show-tokens", "-c", room}), lines);
    INFO(o.err);
    CHECK(o.status == 0);
    CHECK(count_of("sent ", o.err) == 3);
    CHECK(count_of("forgotten, 1 this time", o.err) == 1);
    const std::size_t same = static_cast<std::size_t>(
        std::mismatch(o.out.begin(), o.out.end(), roomy.out.begin(), roomy.out.end()).first -
        o.out.begin());
    CHECK(same > roomy.out.size() / 2 + 10);
}

TEST_CASE("chat refuses a message that is too long, answers the others, and ends with 1") {
    const command_line chat = {"chat", "-m", chatml_model(), "-n", "8", "--temp", "0", "-c", "64"};
    std::string endless;
    while (endless.size() < 400) endless += "kalo mine ";
    const outcome good = run_program(chat, "kalo\nmine\n");
    CHECK(good.status == 0);
    for (const std::string& lines :
         {endless + "\nkalo\nmine\n", "kalo\n" + endless + "\nmine\n", "kalo\nmine\n" + endless}) {
        const outcome o = run_program(chat, lines);
        INFO(o.err);
        CHECK(o.status == 1);
        CHECK(o.out == good.out);
        CHECK(count_of("trilobit: message: its ", o.err) == 1);
        CHECK_THAT(o.err, ContainsSubstring("do not fit the context of 64\n"));
    }
    const outcome system = run_program(with(chat, {"--system", endless}), "kalo\n");
    CHECK(system.status == 1);
    CHECK_THAT(system.err, ContainsSubstring("trilobit: --system: the "));
    CHECK(system.out.empty());
    const outcome tight = run_program({"chat", "-m", chatml_model(), "-c", "1"}, "kalo\n");
    CHECK(tight.status == 1);
    CHECK_THAT(tight.err, ContainsSubstring("trilobit: --context: the "));
}

TEST_CASE("an answer that alone fills the context is cut, and chat says so") {
    const outcome o = run_program(
        {"chat", "-m", tiny_model(), "-n", "100", "-c", "40", "--temp", "0"}, "kalo\nmine\n");
    CHECK(o.status == 0);
    CHECK(count_of("is full: the answer is cut", o.err) == 2);
}

TEST_CASE("chat shows the tokens it sends, in the style that the file and the user ask for") {
    const scratch_folder folder;
    const auto sent = [&](const std::string& model, const command_line& more) {
        const outcome o = run_program(
            with({"chat", "-m", model, "-n", "1", "--temp", "0", "--show-tokens"}, more), "a\n");
        INFO(o.err);
        CHECK(o.status == 0);
        return o.err;
    };
    const std::string microsoft =
        chat_model(folder.path("ms.gguf"), {"<|end_of_text|>", "<|eot_id|>"},
                   "{{ 'Human: ' + m['content'] + '\n\nBITNETAssistant: ' + eos_token }}");
    CHECK_THAT(sent(microsoft, {}), ContainsSubstring("style 'bitnet'") &&
                                        ContainsSubstring(": 1 '<s>', ") &&
                                        ContainsSubstring("510 '<|eot_id|>'"));
    CHECK_THAT(sent(microsoft, {"--style", "plain"}),
               ContainsSubstring("style 'plain': --style") && !ContainsSubstring("'<|eot_id|>'"));
    CHECK_THAT(sent(microsoft, {"--no-bos"}), !ContainsSubstring("'<s>'"));
    CHECK_THAT(sent(chatml_model(), {}), ContainsSubstring("1 '<s>', 511 '<|im_start|>'") &&
                                             ContainsSubstring("510 '<|im_end|>', "));
    const outcome refused = run_program({"chat", "-m", microsoft, "--style", "llama3"}, "a\n");
    CHECK(refused.status == 1);
    CHECK(refused.complained());
    CHECK_THAT(refused.err, ContainsSubstring("--style: 'llama3' needs the control token "
                                              "<|start_header_id|>"));
    CHECK(run_program({"chat", "-m", microsoft, "--style", "baroque"}).status == 2);
}
