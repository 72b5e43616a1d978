// SPDX-License-Identifier: MIT
// Room tokenizer. Leaves: the patterns that models' texts were split by in training, in what PCRE2
// and JavaScript both read (web/patterns.mjs). Each takes time linear in its text: none may begin
// to match at every place of a run and fail at its end.
#pragma once

#include <array>

namespace tbx::tokenizer::patterns {

// Unicode's White_Space, spelt out: PCRE2's \s has U+180E too, which the models' tokenizers do not,
// and its \p{White_Space} is only in 10.40 and newer.
#define SPACES \
    R"(\t-\r \x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000})"
#define SPACE "[" SPACES "]"
#define NOT_SPACE "[^" SPACES "]"
#define SYMBOLS "[^" SPACES R"(\p{L}\p{N}]+)"
#define LAST_SPACE_APART SPACE "+(?!" NOT_SPACE ")"
#define LINES_AND_SPACES SPACE R"(*[\r\n]+|)" LAST_SPACE_APART "|" SPACE "+"
#define CONTRACTIONS "'s|'t|'re|'ve|'m|'ll|'d"
#define ANY_CASE "(?i:" CONTRACTIONS ")"
#define WORD R"([^\r\n\p{L}\p{N}]?\p{L}+)"

#define GPT_2 CONTRACTIONS R"(| ?\p{L}+| ?\p{N}+| ?)" SYMBOLS "|" LAST_SPACE_APART
#define LLAMA_3(digits) ANY_CASE "|" WORD "|" digits "| ?" SYMBOLS R"([\r\n]*|)" LINES_AND_SPACES

inline constexpr std::array llama_bpe{LLAMA_3(R"(\p{N}{1,3})")};
inline constexpr std::array qwen2{LLAMA_3(R"(\p{N})")};
inline constexpr std::array minicpm5{R"(\p{N}{1,3})", LLAMA_3(R"(\p{N}+)")};
inline constexpr std::array gpt_2{GPT_2};
inline constexpr std::array starcoder{R"(\p{N})", GPT_2};
inline constexpr std::array falcon{R"([\p{P}\$\+<=>\^~\|`]+)", GPT_2, "[0-9][0-9][0-9]"};
inline constexpr std::array fallback{R"([\p{P}\$\+<=>\^~\|]+)", GPT_2, R"(\p{N}+)",
                                     "[0-9][0-9][0-9]"};

// As Llama 3's, with marks as parts of words.
inline constexpr std::array qwen35{ANY_CASE R"(|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^)" SPACES
                                            R"(\p{L}\p{M}\p{N}]+[\r\n]*|)" LINES_AND_SPACES};
// The same without the line ends after signs.
inline constexpr std::array seed_coder{ANY_CASE "|" WORD R"(|\p{N}| ?[^)" SPACES
                                                R"(\p{L}\p{N}\r\n]+|)" LINES_AND_SPACES};
inline constexpr std::array bailingmoe{"'(?i:s|d|m|t|ll|ve|re)|" WORD R"(|\p{N}| ?)" SYMBOLS
                                       R"([\r\n]*|)" SPACE R"(*[\r\n]|)" LAST_SPACE_APART "|" SPACE
                                       "+"};

// Words end where small letters are followed by large ones; letters without case are both.
#define LARGE R"([\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}])"
#define SMALL R"([\p{Ll}\p{Lm}\p{Lo}\p{M}])"
#define CASED(rest, digits)                                                                   \
    R"([^\r\n\p{L}\p{N}]?)" LARGE "*" SMALL "+" rest R"(|[^\r\n\p{L}\p{N}]?)" LARGE "+" SMALL \
    "*" rest "|" digits "| ?" SYMBOLS R"([\r\n/]*|)" LINES_AND_SPACES
inline constexpr std::array tekken{CASED("", R"(\p{N})")};
inline constexpr std::array gpt_4o{CASED(ANY_CASE "?", R"(\p{N}{1,3})")};

// Letters with case, as Unicode had them when DeepSeek's first models were made.
#define OLD_CASED                                                                                 \
    R"(A-Za-z\x{b5}\x{c0}-\x{d6}\x{d8}-\x{f6}\x{f8}-\x{1ba}\x{1bc}-\x{1bf}\x{1c4}-\x{293})"       \
    R"(\x{295}-\x{2af}\x{370}-\x{373}\x{376}\x{377}\x{37b}-\x{37d}\x{37f}\x{386}\x{388}-\x{38a})" \
    R"(\x{38c}\x{38e}-\x{3a1}\x{3a3}-\x{3f5}\x{3f7}-\x{481}\x{48a}-\x{52f}\x{531}-\x{556})"       \
    R"(\x{10a0}-\x{10c5}\x{13a0}-\x{13f5}\x{13f8}-\x{13fd}\x{1c90}-\x{1cba}\x{1cbd}-\x{1cbf})"    \
    R"(\x{1d00}-\x{1d2b}\x{1d6b}-\x{1d77}\x{1d79}-\x{1d9a}\x{1e00}-\x{1f15}\x{1f18}-\x{1f1d})"    \
    R"(\x{1f20}-\x{1f45}\x{1f48}-\x{1f4d}\x{1f50}-\x{1f57}\x{1f59}\x{1f5b}\x{1f5d})"              \
    R"(\x{1f5f}-\x{1f7d}\x{1f80}-\x{1fb4}\x{1fb6}-\x{1fbc}\x{1fbe}\x{1fc2}-\x{1fc4})"             \
    R"(\x{1fc6}-\x{1fcc}\x{1fd0}-\x{1fd3}\x{1fd6}-\x{1fdb}\x{1fe0}-\x{1fec}\x{1ff2}-\x{1ff4})"    \
    R"(\x{1ff6}-\x{1ffc}\x{2102}\x{2107}\x{210a}-\x{2113}\x{2115}\x{2119}-\x{211d}\x{2124})"      \
    R"(\x{2126}\x{2128}\x{212a}-\x{212d}\x{212f}-\x{2134}\x{2139}\x{213c}-\x{213f})"              \
    R"(\x{2145}-\x{2149}\x{214e}\x{2183}\x{2184}\x{2c00}-\x{2c7b}\x{2c7e}-\x{2ce4})"              \
    R"(\x{2ceb}-\x{2cee}\x{2cf2}\x{2cf3}\x{a640}-\x{a66d}\x{a680}-\x{a69b}\x{a722}-\x{a76f})"     \
    R"(\x{a771}-\x{a787}\x{a78b}-\x{a78e}\x{ab70}-\x{abbf}\x{fb00}-\x{fb06}\x{fb13}-\x{fb17})"    \
    R"(\x{ff21}-\x{ff3a}\x{ff41}-\x{ff5a}\x{10400}-\x{1044f}\x{104b0}-\x{104d3})"                 \
    R"(\x{104d8}-\x{104fb}\x{10c80}-\x{10cb2}\x{10cc0}-\x{10cf2}\x{118a0}-\x{118df})"             \
    R"(\x{1e900}-\x{1e943})"
#define OLD_CJK R"([\x{4e00}-\x{9fa5}\x{800}-\x{4e00}\x{ac00}-\x{d7ff}]+)"
inline constexpr std::array deepseek_llm{
    R"([\r\n])", SPACE "?[" OLD_CASED "]+",
    SPACE R"(?[!-\/:-~\x{ff01}-\x{ff0f}\x{ff1a}-\x{ff5e}\x{2018}-\x{201f}\x{3000}-\x{3002}]+)",
    // A run that goes to the end: only its first space may begin it.
    "(?<!" SPACE ")" SPACE "+$", OLD_CJK, R"(\p{N}+)"};
inline constexpr std::array deepseek_coder{R"([\r\n])", SPACE R"(?\p{L}+)", SPACE R"(?\p{P}+)",
                                           OLD_CJK, R"(\p{N})"};
inline constexpr std::array deepseek_v3{
    R"(\p{N}{1,3})", R"([\x{4e00}-\x{9fa5}\x{3040}-\x{30ff}]+)",
    R"([!-\/:-@\[-`\{-~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+|)"
    R"( ?[\p{P}\p{S}]+[\r\n]*|)" LINES_AND_SPACES};

// What is between sentences' signs, with one space before it.
#define BLOOM " ?[^(" SPACES R"(|.,!?)\x{2026}\x{3002}\x{ff0c}\x{3001}\x{964}\x{6d4}\x{60c}]+)"
inline constexpr std::array bloom{BLOOM};
inline constexpr std::array viking{BLOOM, R"(\p{N})"};

#undef BLOOM
#undef OLD_CJK
#undef OLD_CASED
#undef CASED
#undef SMALL
#undef LARGE
#undef LLAMA_3
#undef GPT_2
#undef WORD
#undef ANY_CASE
#undef CONTRACTIONS
#undef LINES_AND_SPACES
#undef LAST_SPACE_APART
#undef SYMBOLS
#undef NOT_SPACE
#undef SPACE
#undef SPACES

}  // namespace tbx::tokenizer::patterns
