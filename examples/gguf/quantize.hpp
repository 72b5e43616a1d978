// SPDX-License-Identifier: MIT
// Room gguf. Enters: float rows, or values of few levels and their scales. Leaves: the bytes of a
// GGUF tensor, the same that the format's own tools write. What has few levels already loses
// nothing, or is refused.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "gguf/types.hpp"

namespace tbx::gguf {

/// F32, F16, BF16 and Q8_0: row by row. TQ1_0 and TQ2_0: x / max|x| of each 256 is rounded, so only
/// values that are ternary already survive. The size is that of tensor_bytes(). Throws tbx::error
/// for another type, NaN or infinity where the type has scales, a value that becomes infinite, a
/// row that is no whole number of blocks.
[[nodiscard]] std::vector<std::byte> quantize(tensor_type type, std::span<const float> values,
                                              std::int64_t columns);

/// Floats -> a type of few levels. Where they are a scale times values of its kind, for the tensor
/// or for each part that has a scale in the type, they are kept. Else BitNet's absmean makes trits
/// of them, or its sign around the mean signs, unless they are quantised already with more scales
/// or levels than the type holds: that throws.
[[nodiscard]] std::vector<std::byte> ternarise(tensor_type type, std::span<const float> values,
                                               std::int64_t columns);

/// Values and scales, as many for each row as the type has, -> a type of few levels. Throws for
/// values and scales that the type cannot store.
[[nodiscard]] std::vector<std::byte> encode_levels(tensor_type type,
                                                   std::span<const std::int8_t> values,
                                                   std::int64_t columns,
                                                   std::span<const float> scales);

/// The same with one scale for all.
[[nodiscard]] std::vector<std::byte> encode_ternary(tensor_type type,
                                                    std::span<const std::int8_t> values,
                                                    std::int64_t columns, float scale);

}  // namespace tbx::gguf
