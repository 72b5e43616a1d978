// SPDX-License-Identifier: MIT
// Room examples/runner. Enters: facts of a model file. Leaves: a style; see chat_style.hpp.
#include "runner/chat_style.hpp"

#include <algorithm>
#include <utility>

#include "support/error.hpp"

namespace tbx::runner {
namespace {

// In the order in which a template is asked for their marks: the rarer first. What a style is named
// for has this form in the template of its models; of Qwen3's only that it may think differs.
constexpr std::array<chat_style, 8> styles{{
    {"qwen3",
     "enable_thinking",
     {"<|im_start|>system\n", "<|im_start|>user\n", "<|im_start|>assistant\n"},
     {"<|im_end|>\n", "<|im_end|>\n", "<|im_end|>\n"},
     "<|im_start|> <|im_end|> <think> </think>",
     "<think>\n\n</think>\n\n"},
    {"chatml",
     "<|im_start|>",
     {"<|im_start|>system\n", "<|im_start|>user\n", "<|im_start|>assistant\n"},
     {"<|im_end|>\n", "<|im_end|>\n", "<|im_end|>\n"},
     "<|im_start|> <|im_end|>"},
    {"llama3",
     "<|start_header_id|>",
     {"<|start_header_id|>system<|end_header_id|>\n\n",
      "<|start_header_id|>user<|end_header_id|>\n\n",
      "<|start_header_id|>assistant<|end_header_id|>\n\n"},
     {"<|eot_id|>", "<|eot_id|>", "<|eot_id|>"},
     "<|start_header_id|> <|end_header_id|> <|eot_id|>"},
    {"gemma",
     "<start_of_turn>",
     {"", "<start_of_turn>user\n", "<start_of_turn>model\n"},
     {"\n\n", "<end_of_turn>\n", "<end_of_turn>\n"},
     "<start_of_turn> <end_of_turn>",
     "",
     false},
    // Of the first MiniCPM; later ones write ChatML.
    {"minicpm", "<用户>", {"", "<用户>", "<AI>"}, {"", "", ""}, ""},
    {"falcon3",
     "<|assistant|>",
     {"<|system|>\n", "<|user|>\n", "<|assistant|>\n"},
     {"\n", "\n", "<|endoftext|>\n"},
     "<|system|> <|user|> <|assistant|> <|endoftext|>"},
    // The template of microsoft/bitnet-b1.58-2B-4T. The first GGUF files of that model have
    // another, with "BITNETAssistant: ", which it was not trained with.
    {"bitnet",
     "<|eot_id|>",
     {"System: ", "User: ", "Assistant: "},
     {"<|eot_id|>", "<|eot_id|>", "<|eot_id|>"},
     "<|eot_id|>"},
    {"plain", "", {"", "User: ", "Assistant:"}, {"\n", "\n", "\n"}, ""},
}};

const chat_style& style_of(std::string_view name) {
    return *std::find_if(styles.begin(), styles.end(),
                         [name](const chat_style& s) { return s.name == name; });
}

std::string_view text_for(const std::array<std::string_view, 3>& texts, role who) {
    return texts[static_cast<std::size_t>(who)];
}

}  // namespace

std::string chat_style::render(std::span<const message> messages, bool ask,
                               std::optional<bool> think) const {
    std::string text, pending;
    for (const message& m : messages) {
        if (m.who == role::system && !has_system) {
            pending = m.text + std::string(text_for(after, role::system));
            continue;
        }
        text += text_for(before, m.who);
        text += std::exchange(pending, {});
        text += m.text;
        text += text_for(after, m.who);
    }
    if (ask) text += text_for(before, role::assistant);
    if (ask && think == false) text += no_thoughts;
    return text;
}

std::span<const chat_style> chat_styles() noexcept { return styles; }

std::string_view missing_token(const chat_style& style, const tokenizer::vocabulary& words) {
    for (std::string_view left = style.control; !left.empty();) {
        const std::string_view token = left.substr(0, left.find(' '));
        if (words.find_control(token) == tokenizer::no_token) return token;
        left.remove_prefix(std::min(left.size(), token.size() + 1));
    }
    return {};
}

bool is_untrained_template(std::string_view text) noexcept {
    return text.find("BITNETAssistant: ") != text.npos;
}

chosen_style choose_style(std::string_view architecture, const tokenizer::vocabulary& words) {
    const std::string_view text = words.chat_template;
    const chat_style& bitnet = style_of("bitnet");
    std::string refused;
    for (const chat_style& style : styles) {
        if (&style == &bitnet || style.mark.empty() || text.find(style.mark) == text.npos) continue;
        const std::string_view missing = missing_token(style, words);
        if (missing.empty()) return {&style, "its template has " + std::string(style.mark)};
        refused = "its template is " + std::string(style.name) + "'s, but its vocabulary lacks " +
                  std::string(missing) + "; ";
    }
    const bool of_bitnet = architecture.starts_with("bitnet");
    if ((of_bitnet || text.find(bitnet.mark) != text.npos || is_untrained_template(text)) &&
        missing_token(bitnet, words).empty())
        return {&bitnet, refused +
                             (of_bitnet ? "the architecture is " + std::string(architecture)
                                        : "its template is BitNet's") +
                             " and the vocabulary has <|eot_id|>"};
    for (const char* name : {"llama3", "chatml"})
        if (const chat_style& style = style_of(name); missing_token(style, words).empty())
            return {&style, refused + "the vocabulary has its control tokens"};
    return {&style_of("plain"), refused + "the vocabulary has the control tokens of no other"};
}

chosen_style named_style(std::string_view name, const tokenizer::vocabulary& words) {
    const chat_style& style = style_of(name);
    const std::string_view missing = missing_token(style, words);
    if (!missing.empty())
        throw error("--style", "'" + std::string(name) + "' needs the control token " +
                                   std::string(missing) + ", which this vocabulary lacks");
    return {&style, "--style"};
}

}  // namespace tbx::runner
