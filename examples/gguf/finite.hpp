// SPDX-License-Identifier: MIT
// Room gguf. Enters: a tensor of a type that can be dequantised. Leaves: whether a number in it is
// NaN or infinity, which a file of a model has no use for and every later number would inherit.
#pragma once

#include <cstdint>

#include "gguf/reader.hpp"

namespace tbx::gguf {

/// Rows [begin, end). Reads each of them once, or only the scales where a type has some; may run on
/// several threads.
[[nodiscard]] bool all_finite(const tensor& t, std::int64_t begin, std::int64_t end);

/// Throws tbx::error with the name of the tensor and the first such row.
[[noreturn]] void refuse_not_finite(const reader& file, const tensor& t);

/// Throws the same if there is such a row, and if the type cannot be dequantised.
void require_finite(const reader& file, const tensor& t);

}  // namespace tbx::gguf
