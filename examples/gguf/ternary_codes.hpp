// SPDX-License-Identifier: MIT
// Room gguf. Enters: one block of TQ1_0, TQ2_0 or I2_S, or its codes. Leaves: the other one.
// A code is trit + 1: 0, 1 or 2; the two-bit formats can also hold 3, which no writer writes.
#pragma once

#include <cstddef>
#include <cstdint>

#include "formats/bytes.hpp"
#include "gguf/reader.hpp"

namespace tbx::gguf {

inline constexpr int tq1_0_scale_offset = 52;
inline constexpr int tq2_0_scale_offset = 64;

// TQ2_0: element 128h + 32n + m lies in byte 32h + m, bits 2n+1..2n.
inline void tq2_0_codes(const std::byte* block, std::uint8_t* codes) {
    for (int i = 0; i < 256; ++i) {
        const int h = i / 128, n = i / 32 % 4, m = i % 32;
        codes[i] = static_cast<std::uint8_t>((bits_of(block[32 * h + m]) >> (2 * n)) & 3u);
    }
}

inline void tq2_0_pack(const std::uint8_t* codes, std::byte* block) {
    for (int i = 0; i < 64; ++i) block[i] = std::byte{0};
    for (int i = 0; i < 256; ++i) {
        const int h = i / 128, n = i / 32 % 4, m = i % 32;
        block[32 * h + m] |= static_cast<std::byte>(unsigned{codes[i]} << (2 * n));
    }
}

// I2_S, canonical order: element 32g + p of a block of 128 lies in byte p, bits 7-2g..6-2g.
inline void i2_s_codes(const std::byte* block, std::uint8_t* codes) {
    for (int g = 0; g < 4; ++g) {
        for (int p = 0; p < 32; ++p) {
            codes[32 * g + p] = static_cast<std::uint8_t>((bits_of(block[p]) >> (6 - 2 * g)) & 3u);
        }
    }
}

inline void i2_s_pack(const std::uint8_t* codes, std::byte* block) {
    for (int p = 0; p < 32; ++p) {
        block[p] = static_cast<std::byte>(codes[p] << 6 | codes[32 + p] << 4 | codes[64 + p] << 2 |
                                          codes[96 + p]);
    }
}

// TQ1_0: three runs of bytes; byte m of a run of `width` bytes holds, in base 3 and the first one
// most significant, `trits` elements that lie `width` apart.
struct tq1_0_run {
    int first_byte, width, trits, first_element;
};
inline constexpr tq1_0_run tq1_0_runs[] = {{0, 32, 5, 0}, {32, 16, 5, 160}, {48, 4, 4, 240}};

inline void tq1_0_codes(const std::byte* block, std::uint8_t* codes) {
    for (const auto [first_byte, width, trits, first_element] : tq1_0_runs) {
        for (int m = 0; m < width; ++m) {
            // The byte is a fraction of 256; each multiplication by 3 moves a trit above the point.
            unsigned fraction = bits_of(block[first_byte + m]);
            for (int n = 0; n < trits; ++n) {
                fraction *= 3;
                codes[first_element + n * width + m] = static_cast<std::uint8_t>(fraction >> 8);
                fraction &= 0xffu;
            }
        }
    }
}

inline void tq1_0_pack(const std::uint8_t* codes, std::byte* block) {
    for (const auto [first_byte, width, trits, first_element] : tq1_0_runs) {
        for (int m = 0; m < width; ++m) {
            unsigned value = 0;
            for (int n = 0; n < 5; ++n) {
                value = 3 * value + (n < trits ? codes[first_element + n * width + m] : 0u);
            }
            // Rounded up, so that the truncating multiplications above give back every trit.
            block[first_byte + m] = static_cast<std::byte>((value * 256 + 242) / 243);
        }
    }
}

/// The one scale of an I2_S tensor, behind its codes.
[[nodiscard]] inline float i2_s_scale(const tensor& source) noexcept {
    return load_as<float>(source.data.data() + source.data.size() - i2_s_tail_bytes);
}

}  // namespace tbx::gguf
