// SPDX-License-Identifier: MIT
// Room huggingface. Enters: a pre_tokenizer. Leaves: its name; see split_pattern.hpp.
#include "huggingface/split_pattern.hpp"

#include <array>
#include <string_view>
#include <vector>

#include "support/error.hpp"

namespace tbx::huggingface {

namespace {

using safetensors::json;

// As tokenizer.json files write them; tokenizer/pretokenize.cpp has the same for PCRE2.
constexpr std::string_view llama_3 =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+)"
    R"(|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view qwen_2 = R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+)"
                                    R"(|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view gpt_2 =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

struct named {
    std::string_view pattern;
    bool ignore_merges;
    const char* name;
};
// Names of llama.cpp. Llama 3's pattern has several, by whether a piece that is a token is taken
// whole; whether texts begin with a token is said apart.
constexpr std::array names{named{llama_3, true, "llama-bpe"}, named{llama_3, false, "smaug-bpe"},
                           named{qwen_2, false, "qwen2"}, named{gpt_2, false, "gpt-2"}};

std::string text_of(const json& from, const char* key) {
    const json* value = from.is_object() ? safetensors::find(from, key) : nullptr;
    return value != nullptr && value->is_string() ? value->get<std::string>() : std::string();
}

bool flag_of(const json& from, const char* key, bool usual) {
    const json* value = safetensors::find(from, key);
    return value != nullptr && value->is_boolean() ? value->get<bool>() : usual;
}

}  // namespace

bool has_type(const json* processor, std::string_view type, const char* list) {
    if (processor == nullptr || !processor->is_object()) return false;
    if (text_of(*processor, "type") == type) return true;
    const json* inner = safetensors::find(*processor, list);
    if (inner == nullptr || !inner->is_array()) return false;
    for (const json& each : *inner)
        if (has_type(&each, type, list)) return true;
    return false;
}

std::string split_name(const json& pre_tokenizer, bool ignore_merges, const std::string& path) {
    const auto refuse = [&](const std::string& what) -> std::string {
        throw error(path, "has a pre_tokenizer that " + what +
                              ", for which there is no name here: its texts would be split "
                              "otherwise");
    };
    std::vector<const json*> steps;
    if (text_of(pre_tokenizer, "type") == "Sequence") {
        const json* list = safetensors::find(pre_tokenizer, "pretokenizers");
        if (list != nullptr && list->is_array())
            for (const json& step : *list) steps.push_back(&step);
    } else {
        steps.push_back(&pre_tokenizer);
    }
    if (steps.empty() || text_of(*steps.back(), "type") != "ByteLevel")
        return refuse("does not end in ByteLevel");
    if (flag_of(*steps.back(), "add_prefix_space", true))
        return refuse("adds a space to each text");
    std::string pattern;
    if (steps.size() == 1) {
        if (!flag_of(*steps.back(), "use_regex", true)) return refuse("splits nothing");
        pattern = gpt_2;
    } else {
        const json& split = *steps.front();
        if (steps.size() != 2 || text_of(split, "type") != "Split" ||
            flag_of(*steps.back(), "use_regex", true))
            return refuse("is of other steps than one Split");
        const json* regex = safetensors::find(split, "pattern");
        if (regex == nullptr || text_of(split, "behavior") != "Isolated" ||
            flag_of(split, "invert", false))
            return refuse("drops or joins what it splits");
        pattern = text_of(*regex, "Regex");
    }
    for (const named& each : names)
        if (each.pattern == pattern && each.ignore_merges == ignore_merges) return each.name;
    return refuse("splits by " + safetensors::shown(json(pattern)) +
                  (ignore_merges ? " and takes tokens whole" : ""));
}

}  // namespace tbx::huggingface
