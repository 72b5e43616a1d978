// SPDX-License-Identifier: MIT
// Room gguf. Enters: a tensor of a type that we can read. Leaves: its rows as float, bit for bit
// the values that the format defines.
#pragma once

#include <cstdint>
#include <span>

#include "gguf/reader.hpp"

namespace tbx::gguf {

/// All types of few levels, and those of ordinary numbers with a format (types.hpp).
[[nodiscard]] bool can_dequantize(tensor_type type) noexcept;

/// `out` holds at least columns() floats; row < rows(). Throws tbx::error for other types, and for
/// codes and scales that a format of few levels has no meaning for.
void dequantize_row(const tensor& source, std::int64_t row, std::span<float> out);

}  // namespace tbx::gguf
