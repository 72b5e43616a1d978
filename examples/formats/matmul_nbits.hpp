// SPDX-License-Identifier: MIT
// Room formats. ONNX Runtime's MatMulNBits with 2 bits: uint8 of [N, ceil(K / block), block / 4],
// codes low first (low_first.hpp), rows rounded up to whole blocks (shape.group), and scales of [N,
// blocks]. Zero points are another tensor: none (2 for all), packed codes of [N, ceil(blocks / 4)],
// or numbers of [N, blocks]. w = (q - zero point) * scale.
#pragma once

#include "formats/low_first.hpp"

namespace tbx::formats {

inline constexpr format matmul_nbits = low_first_format<2, kind::quaternary, 16>("MATMULNBITS");
inline constexpr format matmul_nbits_low =
    low_first_format<2, kind::quaternary_low, 16>("MATMULNBITS_LOW");
inline constexpr format matmul_nbits_odd =
    low_first_format<2, kind::quaternary_odd, 16>("MATMULNBITS_ODD");

/// The kind that a zero point makes of two bits; empty for others than 1, 3/2 and 2. With 3/2 the
/// values are doubled, so the scale is to be halved.
[[nodiscard]] constexpr std::optional<kind> kind_of_zero_point(float zero) noexcept {
    if (zero == 1.0f) return kind::quaternary;
    if (zero == 2.0f) return kind::quaternary_low;
    if (zero == 1.5f) return kind::quaternary_odd;
    return std::nullopt;
}

/// Of `blocks` packed zero points in a row: the one that all are; empty where they differ.
[[nodiscard]] inline std::optional<int> packed_zero_point(std::span<const std::byte> packed,
                                                          std::int64_t rows,
                                                          std::int64_t blocks) noexcept {
    const std::int64_t row_bytes = trilobit::ceil_div(blocks, 4);
    if (rows <= 0 || blocks <= 0 || std::ssize(packed) / row_bytes < rows) return std::nullopt;
    const int common = static_cast<int>(bits_of(packed[0]) & 3u);
    for (std::int64_t r = 0; r < rows; ++r)
        for (std::int64_t b = 0; b < blocks; ++b) {
            const auto byte = static_cast<std::size_t>(r * row_bytes + b / 4);
            if (static_cast<int>((bits_of(packed[byte]) >> (2 * (b % 4))) & 3u) != common)
                return std::nullopt;
        }
    return common;
}

}  // namespace tbx::formats
