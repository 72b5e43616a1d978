// SPDX-License-Identifier: MIT
// Room examples/runner. Enters: facts of a model file. Leaves: a style; see chat_style.hpp.
#include "runner/chat_style.hpp"

#include <optional>
#include <utility>

#include "support/error.hpp"

namespace tbx::runner {
namespace {

constexpr std::array<chat_style, 4> styles{{
    {"chatml",
     "<|im_start|>",
     {"<|im_start|>system\n", "<|im_start|>user\n", "<|im_start|>assistant\n"},
     "<|im_end|>",
     "\n"},
    {"llama3",
     "<|start_header_id|>",
     {"<|start_header_id|>system<|end_header_id|>\n\n",
      "<|start_header_id|>user<|end_header_id|>\n\n",
      "<|start_header_id|>assistant<|end_header_id|>\n\n"},
     "<|eot_id|>",
     ""},
    // The template of microsoft/bitnet-b1.58-2B-4T. The first GGUF files of that model have
    // another, with "BITNETAssistant: ", which it was not trained with.
    {"bitnet", "<|eot_id|>", {"System: ", "User: ", "Assistant: "}, "<|eot_id|>", ""},
    {"plain", "", {"", "User: ", "Assistant:"}, "\n", ""},
}};
constexpr const chat_style& chatml = styles[0];
constexpr const chat_style& llama3 = styles[1];
constexpr const chat_style& bitnet = styles[2];
constexpr const chat_style& plain = styles[3];

struct part {
    std::string_view text, control;  // text that comes before a control token; the last has none
};

// Cuts off the text up to the first control token, and that token.
part next_part(std::string_view& text) {
    const std::size_t open = text.find("<|");
    const std::size_t close = open == text.npos ? text.npos : text.find("|>", open);
    const std::size_t end = close == text.npos ? text.size() : close + 2;
    const std::size_t begin = close == text.npos ? text.size() : open;
    const part first{text.substr(0, begin), text.substr(begin, end - begin)};
    text.remove_prefix(end);
    return first;
}

bool is_possible(const chat_style& style, const tokenizer::vocabulary& words) {
    return missing_token(style, words).empty();
}

}  // namespace

std::span<const chat_style> chat_styles() noexcept { return styles; }

std::string_view missing_token(const chat_style& style, const tokenizer::vocabulary& words) {
    for (std::string_view text : {style.before[0], style.before[1], style.before[2], style.end}) {
        while (!text.empty()) {
            const std::string_view control = next_part(text).control;
            if (!control.empty() && words.find_control(control) == tokenizer::no_token)
                return control;
        }
    }
    return {};
}

chosen_style choose_style(std::string_view architecture, const tokenizer::vocabulary& words) {
    const std::string_view text = words.chat_template;
    const auto named = [&](std::string_view mark) { return text.find(mark) != text.npos; };
    std::string refused;
    for (const chat_style* style : {&chatml, &llama3}) {
        if (!named(style->mark)) continue;
        const std::string_view missing = missing_token(*style, words);
        if (missing.empty()) return {style, "its template has " + std::string(style->mark)};
        refused = "its template is " + std::string(style->name) + "'s, but its vocabulary lacks " +
                  std::string(missing) + "; ";
    }
    const bool of_bitnet = architecture.starts_with("bitnet");
    if ((of_bitnet || named(bitnet.mark) || named("BITNETAssistant: ")) &&
        is_possible(bitnet, words))
        return {&bitnet, refused +
                             (of_bitnet ? "the architecture is " + std::string(architecture)
                                        : "its template is BitNet's") +
                             " and the vocabulary has <|eot_id|>"};
    for (const chat_style* style : {&llama3, &chatml})
        if (is_possible(*style, words))
            return {style, refused + "the vocabulary has its control tokens"};
    return {&plain, refused + "the vocabulary has the control tokens of no other"};
}

chosen_style named_style(std::string_view name, const tokenizer::vocabulary& words) {
    for (const chat_style& style : styles) {
        if (style.name != name) continue;
        const std::string_view missing = missing_token(style, words);
        if (!missing.empty())
            throw error("--style", "'" + std::string(name) + "' needs the control token " +
                                       std::string(missing) + ", which this vocabulary lacks");
        return {&style, "--style"};
    }
    throw error("--style", "'" + std::string(name) + "' is none");
}

void message_writer::flush() {
    if (pending.empty()) return;
    const auto more =
        words.encode(pending, {.add_bos = false, .add_eos = false, .parse_special = false});
    ids.insert(ids.end(), more.begin(), more.end());
    pending.clear();
}

void message_writer::content(std::string_view text) {
    for (std::size_t at = 0; (at = text.find("<|")) != text.npos;) {
        const std::size_t close = text.find("|>", at);
        const std::string_view whole = text.substr(at, close == text.npos ? 0 : close + 2 - at);
        const tokenizer::token_id id = words.vocab().find(whole);
        pending += text.substr(0, at + 1);
        // Tokenizers cut tokens of this kind out of any text: so it must not come in one piece.
        if (id != tokenizer::no_token &&
            words.vocab().kind(id) == tokenizer::token_kind::user_defined)
            flush();
        text.remove_prefix(at + 1);
    }
    pending += text;
}

void message_writer::framing(std::string_view text) {
    while (!text.empty()) {
        const part first = next_part(text);
        pending += first.text;
        if (first.control.empty()) continue;
        const tokenizer::token_id id = words.vocab().find_control(first.control);
        if (id == tokenizer::no_token)
            throw error(first.control, "the vocabulary lacks this control token");
        token(id);
    }
}

void message_writer::token(tokenizer::token_id id) {
    flush();
    ids.push_back(id);
}

std::vector<tokenizer::token_id> message_writer::take() {
    flush();
    return std::move(ids);
}

}  // namespace tbx::runner
