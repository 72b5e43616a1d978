// SPDX-License-Identifier: MIT
// Room huggingface. Enters: the tensors that hold one matrix, in any of the ways in which linear
// layers lie in a folder. Leaves: a function that makes its rows, as floats.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>

#include "huggingface/config.hpp"
#include "safetensors/folder.hpp"

namespace tbx::huggingface {

/// What a weight tensor is with the tensors beside it, and the ones that it takes.
struct stored_matrix {
    std::function<void(std::int64_t row, std::span<float> out)> read;
    std::int64_t rows = 0, cols = 0;
    std::vector<const safetensors::tensor*> parts;
};

/// `weight` is called "<module>.weight". Throws tbx::error for shapes and types that are not those
/// of the rule. `expected_rows` says how many of the last byte's trits count.
[[nodiscard]] stored_matrix open_matrix(const safetensors::folder& files,
                                        const safetensors::tensor& weight, const config& c,
                                        bool linear, std::int64_t expected_rows);

/// A row of a tensor of a floating-point type.
void read_floats(const safetensors::tensor& t, std::int64_t row, std::span<float> out) noexcept;

}  // namespace tbx::huggingface
