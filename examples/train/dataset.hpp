// SPDX-License-Identifier: MIT
// Room train: a text file as one stream of tokens.
// Enters: a path and a tokenizer. Texts in the file are apart by <|endoftext|>, as a rule in a line
// of its own. Leaves: BOS text [EOS] BOS text [EOS] ..., and how many texts and bytes that was.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "tokenizer/tokenizer.hpp"

namespace tbx::train {

inline constexpr std::string_view text_separator = "<|endoftext|>";

struct token_stream {
    std::vector<std::uint16_t> ids;
    std::size_t texts = 0;
    std::uint64_t bytes = 0;  // of the texts, separators not counted
};

// The file's content, whatever its line ends were with LF and without a byte order mark. Throws
// tbx::error when it cannot be read, is not UTF-8 or has nothing but white space.
[[nodiscard]] std::string read_text(const std::string& path);

// The texts between the separators, white space at their ends removed, empty ones left out.
[[nodiscard]] std::vector<std::string_view> split_texts(std::string_view all);

// `progress` is told the fraction done. Throws tbx::error for a vocabulary above 65536 tokens.
[[nodiscard]] token_stream tokenise(const std::string& path, std::string_view all,
                                    const tokenizer::tokenizer& with,
                                    const std::function<void(double)>& progress = {});

}  // namespace tbx::train
