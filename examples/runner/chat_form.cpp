// SPDX-License-Identifier: MIT
// Room examples/runner. Enters: a file's template and wishes. Leaves: a form; see chat_form.hpp.
#include "runner/chat_form.hpp"

#include <algorithm>
#include <utility>

#include "support/error.hpp"

namespace tbx::runner {
namespace {

constexpr const char* by_template = "template";

std::string text_of(const tokenizer::vocabulary& words, tokenizer::token_id id) {
    return id == tokenizer::no_token ? std::string() : std::string(words.text(id));
}

/// "<|...|>" that frames a conversation, and that the vocabulary knows only by its letters.
std::string unknown_token(std::string_view text, const tokenizer::vocabulary& words) {
    for (std::size_t at = 0; (at = text.find("<|", at)) != text.npos; ++at) {
        const std::size_t close = text.find("|>", at + 2);
        if (close == text.npos) break;
        const std::string_view token = text.substr(at, close + 2 - at);
        if (token.find_first_of(" \n") == token.npos &&
            words.find_control(token) == tokenizer::no_token)
            return std::string(token);
    }
    return {};
}

}  // namespace

std::vector<std::string> form_names() {
    std::vector<std::string> names = {by_template};
    for (const chat_style& style : chat_styles()) names.emplace_back(style.name);
    return names;
}

// Tries the template on a short conversation. Returns why it is not used; nothing when it is.
std::string chat_form::use_template(bool asked_for) {
    const tokenizer::vocabulary& all = words.vocab();
    if (all.chat_template.empty()) return "the file has no template";
    if (!asked_for && is_untrained_template(all.chat_template))
        return "its template is one that the model was not trained with";
    if (!chat_template::can_be_run) return "its template is not run, as this build has no minja";
    try {
        own.emplace(all.chat_template, text_of(all, all.bos), text_of(all, all.eos));
        const message user{role::user, "Hello"}, system{role::system, "Be kind"};
        const std::string text = own->render({&user, 1}, true, how.think);
        if (text.find(user.text) == text.npos)
            throw error("the chat template", "it leaves the user's message out");
        if (const std::string token = unknown_token(text, all); !token.empty())
            throw error("the chat template",
                        "it writes " + token + ", a control token that the vocabulary lacks");
        try {
            const message both[] = {system, user};
            system_apart = own->render(both, true, how.think).find(system.text) != text.npos;
        } catch (const error&) {
            system_apart = false;  // "System role not supported", say
        }
    } catch (const error& e) {
        own.reset();
        return std::string(e.what()) + "; instead";
    }
    return {};
}

chat_form::chat_form(std::string_view architecture, const tokenizer::tokenizer& from,
                     form_options wanted)
    : words(from), how(std::move(wanted)), frame(from, from.vocab().chat_template) {
    if (how.style.empty() || how.style == by_template) {
        const std::string why_not = use_template(how.style == by_template);
        if (own) {
            reason = std::string("the file's own template") +
                     (system_apart ? "" : ", which has no system message of its own");
        } else if (!how.style.empty()) {
            throw error("--style", "'template': " + why_not);
        } else {
            style = choose_style(architecture, from.vocab());
            reason = (from.vocab().chat_template.empty() ? "" : why_not + ": ") + "style '" +
                     std::string(style.style->name) + "': " + style.why;
        }
    } else {
        style = named_style(how.style, from.vocab());
        reason = "style '" + how.style + "': --style";
    }
    if (!how.think) return;
    const message user{role::user, "Hello"};
    const auto asked = [&](bool think) {
        return own ? own->render({&user, 1}, true, think)
                   : style.style->render({&user, 1}, true, think);
    };
    if (asked(false) == asked(true))
        throw error("--think", "this conversation's form has no such choice");
}

std::string chat_form::render(std::span<const message> messages, bool ask) const {
    std::vector<message> guarded;
    std::string pending;
    for (const message& m : messages) {
        if (m.who == role::system && !system_apart) {
            pending = frame.guarded(m.text) + "\n\n";
            continue;
        }
        guarded.push_back({m.who, std::exchange(pending, {}) + frame.guarded(m.text)});
    }
    return own ? own->render(guarded, ask, how.think)
               : style.style->render(guarded, ask, how.think);
}

// The begin token stands there once, whoever writes it.
std::vector<tokenizer::token_id> chat_form::encode(std::span<const message> messages,
                                                   bool ask) const {
    auto ids = frame.encode(render(messages, ask));
    const tokenizer::vocabulary& all = words.vocab();
    const bool there = !ids.empty() && ids[0] == all.bos;
    if (there && how.no_bos) ids.erase(ids.begin());
    if (!there && !how.no_bos && all.add_bos && all.bos != tokenizer::no_token)
        ids.insert(ids.begin(), all.bos);
    return ids;
}

}  // namespace tbx::runner
