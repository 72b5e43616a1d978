// SPDX-License-Identifier: MIT
// Room formats. Q1_0 of ggml, also called Q1_0_g128: 128 binary weights in 18 bytes, 1.125 bits a
// weight.
//
//   bytes 0..1    scale, f16
//   byte 2 + j    bit b: weight 8j + b, 1 is +1 and 0 is -1
#pragma once

#include "formats/bits.hpp"
#include "formats/blocks.hpp"

namespace tbx::formats {

struct q1_0_block {
    static constexpr int cols = 128, bytes = 18, scale_at = 0;

    static bool read(const std::byte* block, std::int8_t* values) noexcept {
        read_low_first_1(block + 2, 16, values);
        return true;
    }
    static bool write(const std::int8_t* values, std::byte* block) noexcept {
        write_low_first_1(values, 16, block + 2);
        return true;
    }
};

inline constexpr format q1_0 = block_format<q1_0_block, kind::binary>("Q1_0");

}  // namespace tbx::formats
