// SPDX-License-Identifier: MIT
// Room tokenizer. Enters: a text. Leaves: its pieces, found by PCRE2 with Unicode classes. Only
// whole runs of valid UTF-8 reach PCRE2; the bytes between them are pieces of their own.
#include "tokenizer/pretokenize.hpp"

#include <array>
#include <cstdint>
#include <new>
#include <string>
#include <utility>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "support/error.hpp"
#include "tokenizer/utf8.hpp"

namespace tbx::tokenizer {

namespace {

struct free_code {
    void operator()(pcre2_code* code) const noexcept { pcre2_code_free(code); }
};
struct free_match {
    void operator()(pcre2_match_data* data) const noexcept { pcre2_match_data_free(data); }
};
struct free_context {
    void operator()(pcre2_match_context* context) const noexcept {
        pcre2_match_context_free(context);
    }
};

std::string message_of(int code) {
    std::array<PCRE2_UCHAR, 160> text{};
    pcre2_get_error_message(code, text.data(), text.size());
    return reinterpret_cast<const char*>(text.data());
}

using owned_code = std::unique_ptr<pcre2_code, free_code>;

owned_code compile(const char* pattern) {
    int reason = 0;
    PCRE2_SIZE where = 0;
    owned_code code(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern), PCRE2_ZERO_TERMINATED,
                                  PCRE2_UTF | PCRE2_UCP, &reason, &where, nullptr));
    if (!code) throw error("pre-tokenizer", message_of(reason));
    // Only faster: where the system forbids it, pcre2_match interprets.
    pcre2_jit_compile(code.get(), PCRE2_JIT_COMPLETE);
    return code;
}

class matcher {
    const pcre2_code* code;
    std::unique_ptr<pcre2_match_data, free_match> data;
    std::unique_ptr<pcre2_match_context, free_context> context;

public:
    explicit matcher(const pcre2_code* pattern)
        : code(pattern),
          data(pcre2_match_data_create(1, nullptr)),
          context(pcre2_match_context_create(nullptr)) {
        if (!data || !context) throw std::bad_alloc();
        // Every pattern takes time linear in the run it stops in, so the length of a run of spaces
        // is the only limit that is wanted.
        pcre2_set_match_limit(context.get(), UINT32_MAX);
    }

    /// Next match in valid UTF-8, or nothing.
    [[nodiscard]] bool next(std::string_view text, std::size_t from, std::size_t& begin,
                            std::size_t& end) {
        const auto run = [&](std::uint32_t options) {
            return pcre2_match(code, reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(), from,
                               PCRE2_NO_UTF_CHECK | options, data.get(), context.get());
        };
        int found = run(0);
        if (found == PCRE2_ERROR_JIT_STACKLIMIT) found = run(PCRE2_NO_JIT);
        if (found == PCRE2_ERROR_NOMATCH) return false;
        if (found < 0) throw error("pre-tokenizer", message_of(found));
        const PCRE2_SIZE* offsets = pcre2_get_ovector_pointer(data.get());
        begin = offsets[0];
        end = offsets[1];
        return true;
    }
};

using pieces = std::vector<std::string_view>;

void split_piece(matcher& regex, std::string_view text, pieces& out) {
    std::size_t at = 0;
    std::size_t begin = 0;
    std::size_t end = 0;
    while (at < text.size() && regex.next(text, at, begin, end)) {
        if (begin > at) out.push_back(text.substr(at, begin - at));
        if (end > begin) out.push_back(text.substr(begin, end - begin));
        at = end;
    }
    if (at < text.size()) out.push_back(text.substr(at));
}

struct run {
    std::string_view text;
    bool valid;
};

std::vector<run> split_by_validity(std::string_view text) {
    std::vector<run> runs;
    std::size_t begin = 0;
    bool valid = true;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t length = character_bytes(text, at);
        if ((length != 0) != valid) {
            if (at > begin) runs.push_back({text.substr(begin, at - begin), valid});
            begin = at;
            valid = length != 0;
        }
        at += length == 0 ? 1 : length;
    }
    if (begin < text.size()) runs.push_back({text.substr(begin), valid});
    return runs;
}

}  // namespace

struct pretokenizer::compiled {
    std::vector<owned_code> codes;
};

pretokenizer::pretokenizer(const split_rule& rule) {
    auto made = std::make_unique<compiled>();
    for (const char* pattern : rule.patterns) made->codes.push_back(compile(pattern));
    regexes = std::move(made);
}

pretokenizer::pretokenizer(pretokenizer&&) noexcept = default;
pretokenizer& pretokenizer::operator=(pretokenizer&&) noexcept = default;
pretokenizer::~pretokenizer() = default;

std::vector<std::string_view> pretokenizer::split(std::string_view text) const {
    std::vector<matcher> matchers;
    for (const owned_code& code : regexes->codes) matchers.emplace_back(code.get());

    pieces out;
    pieces current;
    pieces finer;
    for (const run& part : split_by_validity(text)) {
        if (!part.valid) {
            out.push_back(part.text);
            continue;
        }
        current.assign(1, part.text);
        for (matcher& regex : matchers) {
            finer.clear();
            for (const std::string_view piece : current) split_piece(regex, piece, finer);
            current.swap(finer);
        }
        out.insert(out.end(), current.begin(), current.end());
    }
    return out;
}

}  // namespace tbx::tokenizer
