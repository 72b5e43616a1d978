// SPDX-License-Identifier: MIT
// Tests of chat templates: each is written as Jinja itself writes it (chat_templates.py), and
// whatever a stranger puts into a file ends in one line.
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <new>

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <nlohmann/json.hpp>

#include "runner/chat_template.hpp"
#include "runner/confined.hpp"
#include "support/error.hpp"

using namespace tbx;
using namespace tbx::runner;
using Catch::Matchers::ContainsSubstring;

namespace {

std::vector<message> messages_of(const nlohmann::json& list) {
    std::vector<message> messages;
    for (const auto& m : list) {
        const auto who = m.at("role").get<std::string>();
        messages.push_back({who == "system" ? role::system
                            : who == "user" ? role::user
                                            : role::assistant,
                            m.at("content").get<std::string>()});
    }
    return messages;
}

std::string refusal_of_template(const std::string& source) {
    const message hello{role::user, "Hello"};
    try {
        const chat_template t(source, "<s>", "</s>");
        return "made " + t.render({&hello, 1}, true, {});
    } catch (const error& e) {
        return e.what();
    }
}

std::string repeated(const std::string& text, int times) {
    std::string all;
    for (int i = 0; i < times; ++i) all += text;
    return all;
}

}  // namespace

TEST_CASE("templates are written as Jinja writes them") {
    if (!chat_template::can_be_run) SKIP("this build has no minja");
    std::ifstream in(TRILOBIT_SOURCE_DIR "/tests/examples/runner/chat_templates.json");
    const auto golden = nlohmann::json::parse(in);
    int compared = 0;
    for (const auto& c : golden.at("cases")) {
        const auto name = c.at("template").get<std::string>();
        CAPTURE(name, c.dump());
        const chat_template t(golden.at("templates").at(name).get<std::string>(), "<s>", "</s>");
        std::optional<bool> think;
        if (!c.at("think").is_null()) think = c.at("think").get<bool>();
        const auto messages = messages_of(c.at("messages"));
        const auto written = [&] { return t.render(messages, c.at("ask").get<bool>(), think); };
        if (c.contains("text"))
            CHECK(written() == c.at("text").get<std::string>());
        else
            CHECK_THROWS_WITH(written(), ContainsSubstring(c.at("refused").get<std::string>()));
        ++compared;
    }
    CHECK(compared >= 70);
}

TEST_CASE("templates that are none, or do harm, end in one line") {
    if (!chat_template::can_be_run) SKIP("this build has no minja");
    const std::string loop = "{% for i in range(100000) %}";
    for (const std::string& source :
         {std::string("{% for m in messages %}{{ m.content }}"), std::string("{{ 1 + }}"),
          std::string("{{ messages[0].content.no_such_method() }}"),
          std::string("{{ no_such_filter(1) }}"), "{{ " + repeated("(", 90) + "1 }}",
          "{{ " + repeated("(", 5000) + "1" + repeated(")", 5000) + " }}",
          "{{ " + repeated("not ", 12000) + "1 }}", repeated("{% if 1 %}", 5000),
          std::string("{% macro a() %}{{ a() }}{% endmacro %}{{ a() }}"),
          std::string("{{ range(100000000000)|length }}"), repeated("a", 1 << 20)}) {
        const std::string refused = refusal_of_template(source);
        CAPTURE(source.substr(0, 80), refused.substr(0, 200));
        CHECK(refused.find('\n') == refused.npos);
        // Some of these a stack bears: what they make is no matter.
        CHECK((refused.starts_with("the chat template: ") || refused.starts_with("made ")));
    }
    CHECK(refusal_of_template(repeated("a", 1 << 20)) ==
          "the chat template: it has more than 65536 bytes");
    CHECK(refusal_of_template("{{ raise_exception('no such role') }}")
              .starts_with("the chat template: no such role"));
}

TEST_CASE("work is confined: it may crash, never end, or want all memory") {
    CHECK(confined("x", [] { return std::string("a\0b", 3); }) == std::string("a\0b", 3));
    CHECK(confined("x", [] { return std::string(); }).empty());
    const std::string large(3 << 20, 'x');
    CHECK(confined("x", [&] { return large; }) == large);
    const auto refused = [](const std::function<std::string()>& work) {
        try {
            return confined("x", work, 1);
        } catch (const error& e) {
            return std::string(e.what());
        }
    };
    CHECK(refused([]() -> std::string { throw error("x", "it is so"); }) == "x: it is so");
    CHECK(refused([]() -> std::string { throw std::runtime_error("y"); }) == "x: y");
    CHECK(refused([]() -> std::string { throw std::bad_alloc(); }) ==
          "x: it wants too much memory");
    CHECK(refused([]() -> std::string {
              std::raise(SIGKILL);
              return {};
          }) == "x: it broke the program that runs it");
    CHECK(refused([]() -> std::string { std::_Exit(0); }) ==
          "x: it broke the program that runs it");
    CHECK(refused([]() -> std::string {
              for (volatile bool on = true; on;) continue;
              return {};
          }) == "x: it did not end within 1 s");
}
