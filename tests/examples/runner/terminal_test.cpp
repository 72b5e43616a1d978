// SPDX-License-Identifier: MIT
// Tests of `trilobit chat` as somebody uses it, at a terminal: keys that edit, call back, paste,
// interrupt and end. What arrives is compared with what a pipe brings.
#include <algorithm>

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include "terminal.hpp"

using namespace tbx::testing;
using Catch::Matchers::ContainsSubstring;

namespace {

using arguments = std::vector<std::string>;

const std::string up = "\x1b[A", left = "\x1b[D", ctrl_a = "\x01", ctrl_c = "\x03", ctrl_d = "\x04",
                  ctrl_u = "\x15", rubout = "\x7f", enter = "\r";

arguments chat_with(const arguments& more = {}) {
    arguments all = {"chat",   "-m", tiny_model(), "-n",  "4",
                     "--temp", "0",  "-c",         "512", "--show-tokens"};
    all.insert(all.end(), more.begin(), more.end());
    return all;
}

/// What is sent when a pipe brings the line as the first one.
std::string sent_by_pipe(const std::string& line) {
    const std::string err = run_program(chat_with(), line + "\n").err;
    const std::size_t at = err.find("sent ") + 5;
    return err.substr(at, err.find('\n', at) - at);
}

}  // namespace

TEST_CASE("lines are edited, called back and sent as a pipe sends them") {
    const std::string expected = sent_by_pipe("kalo mine");
    for (const std::string& keys :
         {"kalo mine" + enter, "kalX" + rubout + "o mine" + enter,
          "alo mine" + ctrl_a + "k" + enter,
          "kaloXmine" + left + left + left + left + rubout + " " + enter,
          "never" + ctrl_u + "kalo mine" + enter, "never" + ctrl_c + "kalo mine" + enter}) {
        terminal_program chat(chat_with());
        (void)chat.wait_for("> ");
        CAPTURE(keys);
        CHECK(chat.answer_to(keys) == expected);
        // Called back, it is the same message again, behind what was said.
        (void)chat.wait_for("> ");
        const std::string again = chat.answer_to(up + enter);
        CHECK_THAT(again, ContainsSubstring(" after "));
        (void)chat.wait_for("> ");
        chat.type(ctrl_d);
        CHECK(chat.wait() == 0);
    }
}

TEST_CASE("letters of several bytes are single letters to the editor") {
    terminal_program chat(chat_with());
    (void)chat.wait_for("> ");
    CHECK(chat.answer_to("h\u00e9\u4e16" + rubout + "\u00fc" + enter) ==
          sent_by_pipe("h\u00e9\u00fc"));
    (void)chat.wait_for("> ");
    chat.type(ctrl_d);
    CHECK(chat.wait() == 0);
}

TEST_CASE("what is pasted at once is one message, whatever lines it has") {
    terminal_program chat(chat_with());
    (void)chat.wait_for("\x1b[?2004h");
    (void)chat.wait_for("> ");
    const std::string sent =
        chat.answer_to("\x1b[200~kalo\rmine\r\x01\x1b[Abeda\r\x1b[201~" + enter);
    // Two ends of lines, "\n", and one behind the message.
    CHECK(std::count(sent.begin(), sent.end(), '\\') == 3);
    CHECK_THAT(sent, ContainsSubstring("'\\n'"));
    (void)chat.wait_for("> ");
    // Alt-Enter begins another line.
    const std::string typed = chat.answer_to("kalo\x1b\rmine" + enter);
    CHECK_THAT(typed, ContainsSubstring("'\\n'"));
    (void)chat.wait_for("> ");
    chat.type(ctrl_d);
    CHECK(chat.wait() == 0);
}

TEST_CASE("Ctrl-C ends an answer, then a line, then the chat") {
    arguments endless = chat_with();
    endless[4] = "1000000000";
    // Slow enough to be interrupted before the context is full.
    endless.insert(endless.end(), {"-t", "1"});
    terminal_program chat(endless, {"TRILOBIT_ARCH=generic"});
    (void)chat.wait_for("> ");
    chat.type("kalo" + enter);
    (void)chat.wait_for("sent ");
    (void)chat.wait_for("\r\n");
    chat.type(ctrl_c);
    (void)chat.wait_for("decode");
    (void)chat.wait_for("> ");
    chat.type("mine" + ctrl_c);
    chat.type("beda" + enter);
    CHECK_THAT(chat.wait_for("\r\n"), !ContainsSubstring("trilobit:"));
    (void)chat.wait_for("sent ");
    chat.type(ctrl_c);
    (void)chat.wait_for("decode");
    (void)chat.wait_for("> ");
    chat.type(ctrl_c);
    CHECK(chat.wait() == 130);
}

TEST_CASE("what was typed is kept for the next time where that is wished") {
    const scratch_folder folder;
    const std::string state = "XDG_STATE_HOME=" + folder.path("state");
    for (const arguments& where :
         {arguments{"--history"}, arguments{"--history-file", folder.path("h")}}) {
        for (const std::string& keys : {"kalo mine" + enter, up + enter}) {
            terminal_program chat(chat_with(where), {state});
            (void)chat.wait_for("> ");
            CHECK(chat.answer_to(keys) == sent_by_pipe("kalo mine"));
            (void)chat.wait_for("> ");
            chat.type(ctrl_d);
            CHECK(chat.wait() == 0);
        }
    }
    CHECK(std::filesystem::exists(folder.path("state/trilobit/history")));
    CHECK(std::filesystem::status(folder.path("h")).permissions() ==
          (std::filesystem::perms::owner_read | std::filesystem::perms::owner_write));
    // A file that is something else is left alone.
    terminal_program other(chat_with({"--history-file", folder.file("text", "my letters\n")}));
    CHECK(other.wait() == 1);
    CHECK_THAT(other.all(), ContainsSubstring("it is no history"));
    CHECK(content_of(folder.path("text")) == "my letters\n");
}

TEST_CASE("a terminal that can nothing is served line by line") {
    terminal_program chat(chat_with(), {"TERM=dumb"});
    (void)chat.wait_for("> ");
    CHECK(chat.answer_to("kalo mine" + enter) == sent_by_pipe("kalo mine"));
    (void)chat.wait_for("> ");
    chat.type(ctrl_d);
    CHECK(chat.wait() == 0);
    CHECK(chat.all().find("\x1b[?2004h") == std::string::npos);
}
