// SPDX-License-Identifier: MIT
// Room gguf. Enters: float rows, or trits and their scale. Leaves: the bytes of a GGUF tensor, the
// same that the format's own tools write. What is ternary already loses nothing, or is refused.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "gguf/types.hpp"

namespace tbx::gguf {

/// F32, F16, BF16, Q8_0, TQ1_0 and TQ2_0: row by row; TQ types round x / max|x| of each 256, so
/// only values that are ternary already survive. The size is that of tensor_bytes(type, columns,
/// rows). Throws tbx::error for another type, NaN or infinity where the type has scales, a value
/// that becomes infinite, a row that is no whole number of blocks.
[[nodiscard]] std::vector<std::byte> quantize(tensor_type type, std::span<const float> values,
                                              std::int64_t columns);

/// Floats -> TQ1_0, TQ2_0 or I2_S. Of one magnitude beside zero they are kept, scale and all; of
/// one in each 256 too, where the type has scales for these. Else BitNet's absmean makes trits of
/// them, unless they are quantised already with more scales than the type holds: that throws.
[[nodiscard]] std::vector<std::byte> ternarise(tensor_type type, std::span<const float> values,
                                               std::int64_t columns);

/// Trits and one scale for the whole tensor -> TQ1_0, TQ2_0 (f16 scale in every block) or I2_S
/// (f32, blocks of 128 in the canonical order). Throws for values other than -1, 0, 1.
[[nodiscard]] std::vector<std::byte> encode_ternary(tensor_type type,
                                                    std::span<const std::int8_t> trits,
                                                    std::int64_t columns, float scale);

}  // namespace tbx::gguf
