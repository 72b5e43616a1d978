// SPDX-License-Identifier: MIT
// Room examples/runner. Enters: a template's source. Leaves: texts; see chat_template.hpp.
#include "runner/chat_template.hpp"

#include <utility>

#include "support/error.hpp"

#if TRILOBIT_HAS_MINJA
#include <algorithm>
#include <cctype>
#include <ctime>

#include <minja/minja.hpp>

#include "runner/confined.hpp"
#endif

namespace tbx::runner {

#if TRILOBIT_HAS_MINJA

namespace {

constexpr const char* subject = "the chat template";
// Published ones have at most 20 KB, and nest a dozen deep.
constexpr std::size_t most_bytes = 64 << 10;
constexpr int deepest = 100;

// minja parses by recursion.
void check_size(const std::string& source) {
    if (source.size() > most_bytes)
        throw error(subject, "it has more than " + std::to_string(most_bytes) + " bytes");
    int depth = 0, most = 0;
    for (const char c : source) {
        if (c == '(' || c == '[' || c == '{') most = std::max(most, ++depth);
        if (c == ')' || c == ']' || c == '}') depth = std::max(0, depth - 1);
    }
    if (most > deepest) throw error(subject, "its brackets are nested more than 100 deep");
}

// What minja says of a place comes in lines with the source: the first one is enough.
std::string first_line(const std::exception& e) {
    std::string what = e.what();
    what = what.substr(0, what.find('\n'));
    if (what.ends_with(':')) what.pop_back();
    return what;
}

const char* name_of(role who) {
    return who == role::system ? "system" : who == role::user ? "user" : "assistant";
}

minja::Value today() {
    return minja::Value::callable(
        [](const std::shared_ptr<minja::Context>&, minja::ArgumentsValue& given) {
            given.expectArgs("strftime_now", {1, 1}, {0, 0});
            const std::time_t now = std::time(nullptr);
            char text[256] = "";
            (void)std::strftime(text, sizeof text, given.args[0].get<std::string>().c_str(),
                                std::localtime(&now));
            return minja::Value(std::string(text));
        });
}

// Jinja has it, minja not.
minja::Value capitalize() {
    return minja::Value::callable(
        [](const std::shared_ptr<minja::Context>&, minja::ArgumentsValue& given) {
            given.expectArgs("capitalize", {1, 1}, {0, 0});
            auto text = given.args[0].get<std::string>();
            const auto changed = [](auto change) {
                return [change](unsigned char c) { return static_cast<char>(change(c)); };
            };
            std::transform(text.begin(), text.end(), text.begin(), changed(::tolower));
            std::transform(text.begin(), text.begin() + (text.empty() ? 0 : 1), text.begin(),
                           changed(::toupper));
            return minja::Value(text);
        });
}

}  // namespace

const bool chat_template::can_be_run = true;

struct chat_template::program {
    std::shared_ptr<minja::TemplateNode> root;
    std::string bos, eos;
};

// As transformers sets Jinja up.
chat_template::chat_template(const std::string& source, std::string bos, std::string eos) {
    check_size(source);
    const auto parse = [&] {
        try {
            return minja::Parser::parse(
                source,
                {.trim_blocks = true, .lstrip_blocks = true, .keep_trailing_newline = false});
        } catch (const std::exception& e) {
            throw error(subject, first_line(e));
        }
    };
    // First where it can do no harm.
    (void)confined(subject, [&] { return parse() ? std::string() : std::string(); });
    parsed = std::make_unique<const program>(program{parse(), std::move(bos), std::move(eos)});
}

std::string chat_template::render(std::span<const message> messages, bool ask,
                                  std::optional<bool> think) const {
    return confined(subject, [&] {
        auto list = nlohmann::ordered_json::array();
        for (const message& m : messages)
            list.push_back({{"role", name_of(m.who)}, {"content", m.text}});
        const auto context = minja::Context::make(minja::Value(
            nlohmann::ordered_json{{"messages", list}, {"add_generation_prompt", ask}}));
        context->set("bos_token", parsed->bos);
        context->set("eos_token", parsed->eos);
        context->set("strftime_now", today());
        context->set("capitalize", capitalize());
        if (think) context->set("enable_thinking", *think);
        try {
            return parsed->root->render(context);
        } catch (const std::exception& e) {
            throw error(subject, first_line(e));
        }
    });
}

#else

const bool chat_template::can_be_run = false;

struct chat_template::program {};

chat_template::chat_template(const std::string&, std::string, std::string) {
    throw error("the chat template", "this build cannot run it: it has no minja");
}

std::string chat_template::render(std::span<const message>, bool, std::optional<bool>) const {
    return {};
}

#endif

chat_template::chat_template(chat_template&&) noexcept = default;
chat_template::~chat_template() = default;

}  // namespace tbx::runner
