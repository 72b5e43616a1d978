// SPDX-License-Identifier: MIT
// Room web. Enters: the few calls of PCRE2 that tokenizer/pretokenize.cpp makes. Leaves: calls of
// JavaScript's own regular expressions, which know the same Unicode classes and cost the page no
// byte.
#pragma once

#include <cstddef>
#include <cstdint>

using PCRE2_SIZE = std::size_t;
using PCRE2_UCHAR = unsigned char;
using PCRE2_SPTR = const unsigned char*;

enum : std::uint32_t { PCRE2_UTF = 1, PCRE2_UCP = 2, PCRE2_NO_UTF_CHECK = 4, PCRE2_NO_JIT = 8 };
enum : std::uint32_t { PCRE2_JIT_COMPLETE = 1 };
enum : int { PCRE2_ERROR_NOMATCH = -1, PCRE2_ERROR_JIT_STACKLIMIT = -46 };
inline constexpr std::size_t PCRE2_ZERO_TERMINATED = SIZE_MAX;

struct pcre2_code {
    int number;  // of a RegExp; below 0: none
};
struct pcre2_match_data {
    PCRE2_SIZE offsets[2];
};
struct pcre2_match_context {};

namespace tbx::web {
/// The number of a new RegExp, or -1.
[[clang::import_module("page"), clang::import_name("pattern")]] int page_pattern(const char* text);
/// Where it is found from byte `from` on: 1 and offsets in bytes, or 0. The text is valid UTF-8.
[[clang::import_module("page"), clang::import_name("match")]] int page_match(
    int pattern, PCRE2_SPTR text, std::size_t bytes, std::size_t from, PCRE2_SIZE* offsets);
}  // namespace tbx::web

inline pcre2_code* pcre2_compile(PCRE2_SPTR text, std::size_t, std::uint32_t, int* reason,
                                 PCRE2_SIZE*, void*) {
    const int number = tbx::web::page_pattern(reinterpret_cast<const char*>(text));
    *reason = 1;
    return number < 0 ? nullptr : new pcre2_code{number};
}
inline void pcre2_code_free(pcre2_code* code) { delete code; }
inline int pcre2_jit_compile(pcre2_code*, std::uint32_t) { return 0; }
inline pcre2_match_data* pcre2_match_data_create(std::uint32_t, void*) {
    return new pcre2_match_data{};
}
inline void pcre2_match_data_free(pcre2_match_data* data) { delete data; }
inline pcre2_match_context* pcre2_match_context_create(void*) { return new pcre2_match_context; }
inline void pcre2_match_context_free(pcre2_match_context* context) { delete context; }
inline void pcre2_set_match_limit(pcre2_match_context*, std::uint32_t) {}
inline PCRE2_SIZE* pcre2_get_ovector_pointer(pcre2_match_data* data) { return data->offsets; }
inline int pcre2_match(const pcre2_code* code, PCRE2_SPTR text, std::size_t bytes, std::size_t from,
                       std::uint32_t, pcre2_match_data* data, pcre2_match_context*) {
    return tbx::web::page_match(code->number, text, bytes, from, data->offsets) > 0
               ? 1
               : PCRE2_ERROR_NOMATCH;
}
inline int pcre2_get_error_message(int, PCRE2_UCHAR* text, std::size_t bytes) {
    const char words[] = "this browser does not take its pattern";
    for (std::size_t i = 0; i < sizeof words && i < bytes; ++i)
        text[i] = static_cast<PCRE2_UCHAR>(words[i]);
    return 0;
}
