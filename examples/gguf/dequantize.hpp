// SPDX-License-Identifier: MIT
// Room gguf. Enters: a tensor of a type that we can read. Leaves: its rows as float, bit for bit
// the values that the format defines.
#pragma once

#include <cstdint>
#include <span>

#include "gguf/reader.hpp"

namespace tbx::gguf {

/// F32, F16, BF16, Q8_0, Q4_0, Q6_K, TQ1_0, TQ2_0, I2_S, Q1_0 and Q2_0.
[[nodiscard]] bool can_dequantize(tensor_type type) noexcept;

/// Throws tbx::error for other types. `out` holds at least columns() floats; row < rows().
void dequantize_row(const tensor& source, std::int64_t row, std::span<float> out);

}  // namespace tbx::gguf
