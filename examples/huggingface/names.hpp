// SPDX-License-Identifier: MIT
// Room huggingface. Enters: a config. Leaves: the tensors that such a model has, by the names of
// both worlds, with their shapes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "huggingface/config.hpp"

namespace tbx::huggingface {

/// A table: embedding or head. A router, which chooses experts, stays floats, as vectors do.
enum class role : std::uint8_t { vector, linear, table, router };

struct wanted_tensor {
    std::string name;                 // of GGUF
    std::vector<std::string> spelt;   // of Hugging Face: one of these
    std::int64_t rows = 1, cols = 0;  // (out, in); a vector has one row
    role what = role::vector;
    std::int64_t permuted_heads = 0;  // above 0: RoPE turns neighbours, see row_of
    bool optional = false;
    float added = 0;         // what the class adds to each number
    std::int64_t count = 0;  // above 0: so many matrices, each spelt as expert() says
    std::string ending = {};

    [[nodiscard]] std::string expert(std::int64_t number) const {
        return spelt.front() + std::to_string(number) + ending;
    }
};

/// Ways to spell what a folder calls "model.<name>".
[[nodiscard]] std::vector<std::string> spellings(const config& c, const std::string& name);

/// All of them, in the order of our files; the embedding first.
[[nodiscard]] std::vector<wanted_tensor> tensors_of(const config& c);

/// Where output row `row` comes from. GGUF's graph `llama` turns numbers 2i and 2i + 1 of a head
/// together where Hugging Face turns i and i + half.
[[nodiscard]] constexpr std::int64_t row_of(std::int64_t row, std::int64_t head_dim) noexcept {
    const std::int64_t in_head = row % head_dim;
    return row - in_head + in_head % 2 * (head_dim / 2) + in_head / 2;
}

}  // namespace tbx::huggingface
