// SPDX-License-Identifier: MIT
// Room tokenizer. Enters: a name in tokenizer.ggml.pre. Leaves: the patterns that split texts for
// the models that carry it, and their habits; or nothing, where there is no rule here.
#pragma once

#include <optional>
#include <span>
#include <string_view>

namespace tbx::tokenizer {

struct split_rule {
    std::string_view name;
    std::span<const char* const> patterns;  // each splits the pieces of the one before
    bool ignore_merges = false;             // a piece that is a token is taken whole
    bool add_bos = false;                   // unless the file says otherwise
};

/// The rule for a name in tokenizer.ggml.pre; empty when there is none for it here.
[[nodiscard]] std::optional<split_rule> find_split_rule(std::string_view pre);

/// Names of the rules, one each, separated by commas: for those who must choose.
[[nodiscard]] std::string_view split_rule_names() noexcept;

}  // namespace tbx::tokenizer
