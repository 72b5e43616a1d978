// SPDX-License-Identifier: MIT
// Room formats. TQ2_0 of ggml: 256 ternary weights in 66 bytes, 2.0625 bits a weight.
//
//   byte 32h + m    bits 7 6   5 4   3 2   1 0     h = 0, 1; m = 0..31; code = weight + 1
//   weight 128h +        96+m  64+m  32+m  m
//   bytes 64..65    scale, f16
#pragma once

#include "formats/bits.hpp"
#include "formats/blocks.hpp"

namespace tbx::formats {

struct tq2_0_block {
    static constexpr int cols = 256, bytes = 66, scale_at = 64;

    static bool read(const std::byte* block, std::int8_t* values) noexcept {
        std::uint64_t threes = 0;
        for (int h = 0; h < 2; ++h)
            for (int n = 0; n < 4; ++n)
                threes |= read_field(block + 32 * h, 32, 2 * n, values + 128 * h + 32 * n);
        return threes == 0;
    }
    static bool write(const std::int8_t* values, std::byte* block) noexcept {
        for (int i = 0; i < 64; ++i) {
            const std::int8_t* w = values + i / 32 * 128 + i % 32;
            block[i] = static_cast<std::byte>((w[0] + 1) | (w[32] + 1) << 2 | (w[64] + 1) << 4 |
                                              (w[96] + 1) << 6);
        }
        return true;
    }
};

inline constexpr format tq2_0 = block_format<tq2_0_block, kind::ternary>("TQ2_0");

}  // namespace tbx::formats
