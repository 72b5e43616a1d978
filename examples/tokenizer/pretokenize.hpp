// SPDX-License-Identifier: MIT
// Room tokenizer. Enters: a text, and the name of the rule its model was trained with. Leaves: the
// pieces that byte-level BPE may not merge across. They tile the text, invalid UTF-8 included.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

#include "tokenizer/split_rules.hpp"

namespace tbx::tokenizer {

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
