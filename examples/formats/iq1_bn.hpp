// SPDX-License-Identifier: MIT
// Room formats. IQ1_BN of ik_llama.cpp: rows of ternary weights, each an f16 scale and blocks of 64
// weights in 13 bytes, 1.625 bits a weight. Rows begin at any byte.
//
//   byte 3i + k    weights 16i + 5k .. + 4       i = 0..3, k = 0..2
//   byte 12        weights 15, 31, 47, 63
//
// Trits in base 3, the first LEAST significant, as a fraction of 256 (base3.hpp).
#pragma once

#include "formats/base3.hpp"
#include "formats/format.hpp"
#include "formats/scales.hpp"

namespace tbx::formats {

namespace detail {

/// The trits of each byte, the first one first.
struct iq1_bn_trits {
    std::int8_t of[256][8] = {};

    constexpr iq1_bn_trits() noexcept {
        // Multiplied by 3^(4-j) and cut to a byte, what is above the j-th trit is gone.
        constexpr unsigned powers[] = {81, 27, 9, 3, 1};
        for (unsigned byte = 0; byte < 256; ++byte)
            for (int j = 0; j < 5; ++j)
                of[byte][j] = static_cast<std::int8_t>(
                    static_cast<int>(((byte * powers[j]) & 255u) * 3 >> 8) - 1);
    }
};
inline constexpr iq1_bn_trits iq1_bn_table{};

inline std::byte iq1_bn_byte(const std::int8_t* values, int count, int apart) noexcept {
    unsigned value = 0;
    for (int j = count - 1; j >= 0; --j)
        value = 3 * value + static_cast<unsigned>(values[j * apart] + 1);
    return base3_byte(value);
}

inline std::optional<std::int64_t> iq1_bn_bytes(const shape& s) noexcept {
    return whole_blocks(s.rows, s.cols, 64, 13, 2);
}

inline fault iq1_bn_read(std::span<const std::byte> tensor, const shape& s, std::int64_t row,
                         std::int8_t* values, float* scales) noexcept {
    const std::byte* at = tensor.data() + row * (2 + s.cols / 64 * 13);
    const bool finite = read_half(at, scales[0]);
    at += 2;
    for (std::int64_t c = 0; values != nullptr && c < s.cols; c += 64, at += 13)
        for (int i = 0; i < 4; ++i) {
            for (int k = 0; k < 3; ++k)
                std::copy_n(iq1_bn_table.of[bits_of(at[3 * i + k])], 5,
                            values + c + 16 * i + 5 * k);
            values[c + 16 * i + 15] = iq1_bn_table.of[bits_of(at[12])][i];
        }
    return first_fault(true, finite);
}

inline fault iq1_bn_write(std::span<std::byte> tensor, const shape& s, std::int64_t row,
                          const std::int8_t* values, const float* scales) noexcept {
    if (!all_held<kind::ternary>(values, s.cols)) return fault::code;
    std::byte* at = tensor.data() + row * (2 + s.cols / 64 * 13);
    const bool fits = write_half(scales[0], at);
    at += 2;
    for (std::int64_t c = 0; c < s.cols; c += 64, at += 13) {
        for (int i = 0; i < 4; ++i)
            for (int k = 0; k < 3; ++k)
                at[3 * i + k] = iq1_bn_byte(values + c + 16 * i + 5 * k, 5, 1);
        at[12] = iq1_bn_byte(values + c + 15, 4, 16);
    }
    return first_fault(true, fits);
}

}  // namespace detail

inline constexpr format iq1_bn{"IQ1_BN",
                               kind::ternary,
                               scale_per::row,
                               0,
                               &detail::iq1_bn_bytes,
                               &detail::iq1_bn_read,
                               &detail::iq1_bn_write};

}  // namespace tbx::formats
