// SPDX-License-Identifier: MIT
// Room formats. PTQ1_0 of Prism's fork: 128 ternary weights in 28 bytes, 1.75 bits a weight.
//
//   bytes  0..15   byte m: weights m, 16 + m, .. 64 + m        five trits in base 3, the first
//   bytes 16..23   byte m: weights 80 + m, .. 112 + m          most significant, as a fraction
//   bytes 24..25   byte m: weights 120 + m, .. 126 + m         (base3.hpp); the last have four
//   bytes 26..27   scale, f16
#pragma once

#include "formats/base3.hpp"
#include "formats/blocks.hpp"

namespace tbx::formats {

struct ptq1_0_block {
    static constexpr int cols = 128, bytes = 28, scale_at = 26;

    static bool read(const std::byte* block, std::int8_t* values) noexcept {
        read_base3<16, 5>(block, values);
        read_base3<8, 5>(block + 16, values + 80);
        read_base3<2, 4>(block + 24, values + 120);
        return true;
    }
    static bool write(const std::int8_t* values, std::byte* block) noexcept {
        write_base3<16, 5>(values, block);
        write_base3<8, 5>(values + 80, block + 16);
        write_base3<2, 4>(values + 120, block + 24);
        return true;
    }
};

inline constexpr format ptq1_0 = block_format<ptq1_0_block, kind::ternary>("PTQ1_0");

}  // namespace tbx::formats
