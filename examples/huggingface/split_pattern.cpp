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

// As tokenizer.json files write them; tokenizer/split_patterns.hpp has the same for PCRE2. Steps
// are parted by a line, and line ends in a pattern are written as escapes.
#define CONTRACTIONS "'s|'t|'re|'ve|'m|'ll|'d"
#define WORD R"([^\r\n\p{L}\p{N}]?\p{L}+)"
#define ENDS R"(|\s*[\r\n]+|\s+(?!\S)|\s+)"
#define SIGNS R"( ?[^\s\p{L}\p{N}]+[\r\n]*)"
#define LLAMA_3(digits) "(?i:" CONTRACTIONS ")|" WORD "|" digits "|" SIGNS ENDS
#define GPT_2 CONTRACTIONS R"(| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)"
#define CASED(rest)                                                                        \
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+)" rest \
    R"(|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*)" rest
#define CASED_ENDS R"(| ?[^\s\p{L}\p{N}]+[\r\n/]*)" ENDS
constexpr std::string_view gpt_2 = GPT_2;

struct named {
    std::string_view steps;
    bool ignore_merges;
    const char* name;
};
// Names of llama.cpp. Llama 3's pattern has several, by whether a piece that is a token is taken
// whole; whether texts begin with a token is said apart.
constexpr std::array names{
    named{LLAMA_3(R"(\p{N}{1,3})"), true, "llama-bpe"},
    named{LLAMA_3(R"(\p{N}{1,3})"), false, "smaug-bpe"},
    named{LLAMA_3(R"(\p{N})"), false, "qwen2"},
    named{gpt_2, false, "gpt-2"},
    named{R"(\p{N})"
          "\n" GPT_2,
          false, "starcoder"},
    named{"(?i:" CONTRACTIONS R"()|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}|)"
          R"( ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*)" ENDS,
          false, "qwen35"},
    named{R"(\p{N}{1,3})"
          "\n" LLAMA_3(R"(\p{N}+)"),
          true, "minicpm5"},
    named{CASED("") R"(|\p{N})" CASED_ENDS, true, "tekken"},
    named{CASED("(?i:" CONTRACTIONS ")?") R"(|\p{N}{1,3})" CASED_ENDS, false, "gpt-4o"},
    named{R"([\r\n])"
          "\n"
          R"(\s?\p{L}+)"
          "\n"
          R"(\s?\p{P}+)"
          "\n[\u4e00-\u9fa5\u0800-\u4e00\uac00-\ud7ff]+\n"
          R"(\p{N})",
          false, "deepseek-coder"},
    named{R"(\p{N}{1,3})"
          "\n[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+\n"
          R"([!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+|)"
          R"( ?[\p{P}\p{S}]+[\r\n]*)" ENDS,
          false, "deepseek-v3"}};

#undef CASED_ENDS
#undef CASED
#undef GPT_2
#undef LLAMA_3
#undef SIGNS
#undef ENDS
#undef WORD
#undef CONTRACTIONS

std::string text_of(const json& from, const char* key) {
    const json* value = from.is_object() ? safetensors::find(from, key) : nullptr;
    return value != nullptr && value->is_string() ? value->get<std::string>() : std::string();
}

bool flag_of(const json& from, const char* key, bool usual) {
    const json* value = safetensors::find(from, key);
    return value != nullptr && value->is_boolean() ? value->get<bool>() : usual;
}

// Some files have line ends themselves where others have escapes.
std::string with_escapes(std::string_view pattern) {
    std::string text;
    for (const char c : pattern)
        if (c == '\r')
            text += "\\r";
        else if (c == '\n')
            text += "\\n";
        else
            text += c;
    return text;
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
    std::string patterns;
    for (const json* step : steps) {
        const std::string type = text_of(*step, "type");
        std::string pattern;
        if (type == "ByteLevel") {
            if (flag_of(*step, "add_prefix_space", true))
                return refuse("adds a space to each text");
            if (flag_of(*step, "use_regex", true)) pattern = gpt_2;
        } else if (type == "Digits") {
            pattern = flag_of(*step, "individual_digits", false) ? R"(\p{N})" : R"(\p{N}+)";
        } else if (type == "Split") {
            const json* regex = safetensors::find(*step, "pattern");
            if (regex == nullptr || text_of(*step, "behavior") != "Isolated" ||
                flag_of(*step, "invert", false))
                return refuse("drops or joins what it splits");
            pattern = with_escapes(text_of(*regex, "Regex"));
        } else {
            return refuse("has a step of type " + safetensors::shown(json(type)));
        }
        if (!pattern.empty()) patterns += (patterns.empty() ? "" : "\n") + pattern;
    }
    if (patterns.empty()) return refuse("splits nothing");
    for (const named& each : names)
        if (each.steps == patterns && each.ignore_merges == ignore_merges) return each.name;
    return refuse("splits by " + safetensors::shown(json(patterns)) +
                  (ignore_merges ? " and takes tokens whole" : ""));
}

}  // namespace tbx::huggingface
