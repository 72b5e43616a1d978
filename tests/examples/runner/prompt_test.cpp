// SPDX-License-Identifier: MIT
// Tests of the program `trilobit`: where prompts come from.
#include <algorithm>
#include <cstdlib>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include "chat_model.hpp"

using namespace tbx::testing;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::StartsWith;

namespace {

outcome run_with(const command_line& more, const std::string& input = {}) {
    command_line all = {"run", "-m", tiny_model(), "-n", "6"};
    all.insert(all.end(), more.begin(), more.end());
    return run_program(all, input);
}

}  // namespace

TEST_CASE("a closed standard stream is not taken for a file that is opened later") {
    const scratch_folder folder;
    const std::string at = folder.path("out"), quoted = "'" + tiny_model() + "'";
    const auto shell = [&](const std::string& arguments) {
        const int state =
            std::system((std::string("'") + program_path() + "' " + arguments).c_str());
        return WIFEXITED(state) ? WEXITSTATUS(state) : -1;
    };
    // The model's bytes would be prompt, or messages.
    CHECK(shell("tokenize -m " + quoted + " -f - <&- > '" + at + "'") == 0);
    const std::string empty = content_of(at);
    CHECK(shell("tokenize -m " + quoted + " -f - </dev/null > '" + at + "'") == 0);
    CHECK(content_of(at) == empty);
    CHECK(shell("chat -m " + quoted + " -n 1 <&- > '" + at + "' 2>/dev/null") == 0);
    CHECK(content_of(at).empty());
    CHECK(shell("info -m " + quoted + " >&- 2>/dev/null") == 1);
    CHECK(shell("make-dummy -o '" + at + "' 2>&-") == 0);
    CHECK(shell("info -m '" + at + "' > /dev/null") == 0);
}

TEST_CASE("a prompt may come from an option, a file or a pipe") {
    const scratch_folder folder;
    const std::string text = "hi sati\n\nkalo";
    const outcome expected = run_with({"-p", text});
    CHECK_THAT(expected.out, StartsWith(text));
    // The end of the last line, its carriage returns and the mark of UTF-8 are no part of it.
    const std::string written =
        GENERATE("hi sati\n\nkalo", "hi sati\n\nkalo\n", "hi sati\r\n\r\nkalo\r\n",
                 "\xef\xbb\xbfhi sati\n\nkalo\n");
    CHECK(run_with({}, written).out == expected.out);
    CHECK(run_with({"-p", "-"}, written).out == expected.out);
    CHECK(run_with({"-f", "-"}, written).out == expected.out);
    CHECK(run_with({"-f", folder.file("prompt", written)}, "something else").out == expected.out);
    CHECK(run_with({"-p", text}, "something else").out == expected.out);
    CHECK(run_with({}, "").out == run_with({"-p", ""}).out);
    // One line end only.
    CHECK(run_with({}, "kalo\n\n").out == run_with({"-p", "kalo\n"}).out);
}

TEST_CASE("tokenize takes a text exactly as it is, but for the mark of UTF-8") {
    const scratch_folder folder;
    const auto ids = [](const command_line& more, const std::string& input = {}) {
        command_line all = {"tokenize", "-m", tiny_model()};
        all.insert(all.end(), more.begin(), more.end());
        return run_program(all, input).out;
    };
    const std::string text = "hi\r\nsati\n";
    const std::string expected = ids({"-p", text});
    CHECK(ids({"-p", "-"}, text) == expected);
    CHECK(ids({"-f", "-"}, text) == expected);
    CHECK(ids({"-f", folder.file("a", "\xef\xbb\xbf" + text)}) == expected);
    CHECK(ids({"-p", "hi\nsati\n"}) != expected);
}

TEST_CASE("prompts longer than a command line can carry are read") {
    const scratch_folder folder;
    std::string text;
    while (text.size() < 300000) text += "kalo mine ";
    const std::string file = folder.file("long", text);
    const outcome whole = run_program({"tokenize", "-m", tiny_model(), "-f", file});
    CHECK(whole.status == 0);
    CHECK(std::count(whole.out.begin(), whole.out.end(), ',') > 60000);
    CHECK(run_program({"tokenize", "-m", tiny_model(), "-p", "-"}, text).out == whole.out);
    // Their tokens must still fit, and the message says whose they are.
    const outcome from_file = run_with({"-f", file});
    CHECK(from_file.status == 1);
    CHECK(from_file.complained());
    CHECK_THAT(from_file.err, StartsWith("trilobit: " + file + ": its ") &&
                                  ContainsSubstring("do not fit the context of 512"));
    const outcome piped = run_with({}, text);
    CHECK(piped.status == 1);
    CHECK_THAT(piped.err, StartsWith("trilobit: standard input: its "));
}

TEST_CASE("prompts that cannot be read are refused by name") {
    const scratch_folder folder;
    const std::string wide("\xff\xfeh\0i\0", 6);
    const std::vector<std::string> bad = {folder.path("absent"), folder.path(""),
                                          folder.file("wide", wide)};
    for (const std::string& path : bad)
        for (const char* command : {"run", "tokenize"}) {
            const outcome o = run_program({command, "-m", tiny_model(), "-f", path});
            INFO(o.err);
            CHECK(o.status == 1);
            CHECK(o.complained());
            CHECK_THAT(o.err, StartsWith("trilobit: " + path + ": "));
        }
    const outcome piped = run_with({}, wide);
    CHECK(piped.status == 1);
    CHECK_THAT(piped.err, StartsWith("trilobit: standard input: it is UTF-16"));
    CHECK(run_with({"-p", "a", "-f", "b"}).status == 2);
    const outcome perplexity =
        run_program({"perplexity", "-m", tiny_model(), "-f", folder.path("wide")});
    CHECK(perplexity.status == 1);
    CHECK_THAT(perplexity.err, ContainsSubstring("it is UTF-16"));
}

TEST_CASE("the option --pre chooses how texts are split in every command that meets text") {
    const scratch_folder folder;
    const std::string text = folder.file("text", "kalo mine rusa");
    // SentencePiece is not split: that the option is understood and refused shows that it arrives.
    for (const command_line& command : {command_line{"run", "-p", "a"},
                                        {"chat"},
                                        {"tokenize", "-p", "a"},
                                        {"perplexity", "-f", text}}) {
        command_line all = command;
        all.insert(all.end(), {"-m", tiny_model(), "--pre", "gpt-2"});
        const outcome o = run_program(all);
        INFO(o.err);
        CHECK(o.status == 1);
        CHECK(o.complained());
        CHECK_THAT(o.err, ContainsSubstring("leave --pre out"));
        all.back() = "martian";
        CHECK(run_program(all).status == 2);
        CHECK_THAT(run_program(all).err,
                   ContainsSubstring("--pre: 'martian' is none of bailingmoe"));
    }
}
