// SPDX-License-Identifier: MIT
// Room huggingface. Enters: a pre_tokenizer. Leaves: its name; see split_pattern.hpp.
#include "huggingface/split_pattern.hpp"

#include <algorithm>
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
// Letters with case, as Unicode had them when DeepSeek's first models were made.
#define OLD_CASED                                                                          \
    "A-Za-z\u00b5\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u01ba\u01bc-\u01bf\u01c4-\u0293\u0295-" \
    "\u02af\u0370-\u0373\u0376\u0377\u037b-\u037d\u037f\u0386\u0388-\u038a\u038c\u038e-"   \
    "\u03a1\u03a3-\u03f5\u03f7-\u0481\u048a-\u052f\u0531-\u0556\u10a0-\u10c5\u13a0-\u13f5" \
    "\u13f8-\u13fd\u1c90-\u1cba\u1cbd-\u1cbf\u1d00-\u1d2b\u1d6b-\u1d77\u1d79-\u1d9a\u1e00" \
    "-\u1f15\u1f18-\u1f1d\u1f20-\u1f45\u1f48-\u1f4d\u1f50-\u1f57\u1f59\u1f5b\u1f5d\u1f5f-" \
    "\u1f7d\u1f80-\u1fb4\u1fb6-\u1fbc\u1fbe\u1fc2-\u1fc4\u1fc6-\u1fcc\u1fd0-\u1fd3\u1fd6-" \
    "\u1fdb\u1fe0-\u1fec\u1ff2-\u1ff4\u1ff6-\u1ffc\u2102\u2107\u210a-\u2113\u2115\u2119-"  \
    "\u211d\u2124\u2126\u2128\u212a-\u212d\u212f-\u2134\u2139\u213c-\u213f\u2145-\u2149"   \
    "\u214e\u2183\u2184\u2c00-\u2c7b\u2c7e-\u2ce4\u2ceb-\u2cee\u2cf2\u2cf3\ua640-\ua66d"   \
    "\ua680-\ua69b\ua722-\ua76f\ua771-\ua787\ua78b-\ua78e\uab70-\uabbf\ufb00-\ufb06\ufb13" \
    "-\ufb17\uff21-\uff3a\uff41-\uff5a\U00010400-\U0001044f\U000104b0-\U000104d3"          \
    "\U000104d8-\U000104fb\U00010c80-\U00010cb2\U00010cc0-\U00010cf2\U000118a0-\U000118df" \
    "\U0001e900-\U0001e943"
#define OLD_CJK "[\u4e00-\u9fa5\u0800-\u4e00\uac00-\ud7ff]+"
constexpr std::string_view gpt_2 = GPT_2;
// Stands where bytes become letters, if steps follow that then see these.
constexpr std::string_view bytes_here = "<bytes>";
// Of a step that has no pattern: \p{P}, and what ASCII has beside it.
constexpr std::string_view punctuation = R"([\p{P}$+<=>^`|~]+)";

constexpr const char *deepseek_llm = "deepseek-llm", *falcon = "falcon";

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
          "\n" OLD_CJK "\n"
          R"(\p{N})",
          false, "deepseek-coder"},
    named{R"([\r\n])"
          "\n"
          R"(\s?[)" OLD_CASED R"(]+)"
          "\n"
          R"(\s?[!-/:-~)"
          "\uff01-\uff0f\uff1a-\uff5e\u2018-\u201f\u3000-\u3002"
          R"(]+)"
          "\n"
          R"(\s+$)"
          "\n" OLD_CJK "\n"
          R"(\p{N})",
          false, deepseek_llm},
    named{R"([\p{P}$+<=>^`|~]+)"
          "\n" GPT_2 "\n<bytes>\n"
          R"(\p{N}+)"
          "\n[0-9][0-9][0-9]",
          false, falcon},
    named{R"(\p{N}{1,3})"
          "\n[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+\n"
          R"([!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+|)"
          R"( ?[\p{P}\p{S}]+[\r\n]*)" ENDS,
          false, "deepseek-v3"}};

#undef OLD_CJK
#undef OLD_CASED
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
    const auto is_byte_level = [](const json* s) { return text_of(*s, "type") == "ByteLevel"; };
    if (std::ranges::count_if(steps, is_byte_level) != 1) return refuse("has not one ByteLevel");
    std::string patterns;
    for (const json* step : steps) {
        const std::string type = text_of(*step, "type");
        std::string pattern;
        if (type == "ByteLevel") {
            if (flag_of(*step, "add_prefix_space", true))
                return refuse("adds a space to each text");
            if (flag_of(*step, "use_regex", true)) pattern = gpt_2;
            if (step != steps.back())
                pattern += (pattern.empty() ? "" : "\n") + std::string(bytes_here);
        } else if (type == "Punctuation" && text_of(*step, "behavior") == "Contiguous") {
            pattern = punctuation;
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

void check_merge(const std::string& name, const std::string& left, const std::string& right,
                 const std::string& path) {
    // Letters that stand for bytes are numbers too, where those are: 0xb2 is a superscript 2.
    const auto is_number = [](std::string_view text) {
        constexpr std::array<std::string_view, 6> letters{"\u00b2", "\u00b3", "\u00b9",
                                                          "\u00bc", "\u00bd", "\u00be"};
        return (text.size() == 1 && text[0] >= '0' && text[0] <= '9') ||
               std::ranges::find(letters, text) != letters.end();
    };
    const auto last = [](std::string_view text) {
        std::size_t at = text.size() - 1;
        while (at > 0 && (static_cast<unsigned char>(text[at]) & 0xc0u) == 0x80u) --at;
        return text.substr(at);
    };
    const auto first = [](std::string_view text) {
        std::size_t end = 1;
        while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xc0u) == 0x80u) ++end;
        return text.substr(0, end);
    };
    const bool before = is_number(last(left)), after = is_number(first(right));
    if (name == falcon ? before != after : name == deepseek_llm && before && after)
        throw error(path, "has a merge of '" + left + "' and '" + right +
                              "', which its pre_tokenizer parts and GGUF's rule " + name +
                              " does not");
}

}  // namespace tbx::huggingface
