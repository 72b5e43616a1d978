// SPDX-License-Identifier: MIT
// Room huggingface. Enters: a config. Leaves: the tensors that such a model has, by the names of
// both worlds, with their shapes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "huggingface/config.hpp"

namespace tbx::huggingface {

enum class role : std::uint8_t { vector, linear, table };  // a table: embedding or head

struct wanted_tensor {
    std::string name;                 // of GGUF
    std::vector<std::string> spelt;   // of Hugging Face: one of these
    std::int64_t rows = 1, cols = 0;  // (out, in); a vector has one row
    role what = role::vector;
    std::int64_t permuted_heads = 0;  // above 0: RoPE turns neighbours, see row_of
    bool optional = false;
};

/// All of them, in the order of our files.
[[nodiscard]] std::vector<wanted_tensor> tensors_of(const config& c);

/// Where output row `row` comes from. GGUF's graph `llama` turns numbers 2i and 2i + 1 of a head
/// together where Hugging Face turns i and i + half.
[[nodiscard]] constexpr std::int64_t row_of(std::int64_t row, std::int64_t head_dim) noexcept {
    const std::int64_t in_head = row % head_dim;
    return row - in_head + in_head % 2 * (head_dim / 2) + in_head / 2;
}

}  // namespace tbx::huggingface
