// SPDX-License-Identifier: MIT
// Room tokenizer. Enters: a text, and the name of the rule its model was trained with. Leaves: the
// pieces that byte-level BPE may not merge across. They tile the text, invalid UTF-8 included.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

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

class pretokenizer {
    struct compiled;
    std::unique_ptr<const compiled> regexes;

public:
    explicit pretokenizer(const split_rule& rule);
    pretokenizer(pretokenizer&&) noexcept;
    pretokenizer& operator=(pretokenizer&&) noexcept;
    ~pretokenizer();

    [[nodiscard]] std::vector<std::string_view> split(std::string_view text) const;
};

}  // namespace tbx::tokenizer
