// SPDX-License-Identifier: MIT
// Room formats. TQ1_0 of ggml: 256 ternary weights in 54 bytes, 1.6875 bits a weight.
//
//   bytes  0..31   byte m: weights m, 32 + m, .. 128 + m       five trits in base 3, the first
//   bytes 32..47   byte m: weights 160 + m, .. 224 + m         most significant, as a fraction
//   bytes 48..51   byte m: weights 240 + m, .. 252 + m         (base3.hpp); the last have four
//   bytes 52..53   scale, f16
#pragma once

#include "formats/base3.hpp"
#include "formats/blocks.hpp"

namespace tbx::formats {

struct tq1_0_block {
    static constexpr int cols = 256, bytes = 54, scale_at = 52;

    static bool read(const std::byte* block, std::int8_t* values) noexcept {
        read_base3<32, 5>(block, values);
        read_base3<16, 5>(block + 32, values + 160);
        read_base3<4, 4>(block + 48, values + 240);
        return true;
    }
    static bool write(const std::int8_t* values, std::byte* block) noexcept {
        write_base3<32, 5>(values, block);
        write_base3<16, 5>(values + 160, block + 32);
        write_base3<4, 4>(values + 240, block + 48);
        return true;
    }
};

inline constexpr format tq1_0 = block_format<tq1_0_block, kind::ternary>("TQ1_0");

}  // namespace tbx::formats
