// SPDX-License-Identifier: MIT
// Room formats. Q2_0 of ggml: 64 weights of {-1, 0, 1, 2} in 18 bytes, 2.25 bits a weight; and
// PQ2_0, the same with 128 weights in 34 bytes, 2.125 bits. Older files of Prism's fork call the
// latter Q2_0 too, with ggml's number of the former.
//
//   bytes 0..1    scale, f16
//   byte 2 + j    bits  7 6   5 4   3 2   1 0      code = weight + 1
//   weight              4j+3  4j+2  4j+1  4j
//
// What quantisers of ternary models write uses codes 0..2 alone.
#pragma once

#include "formats/bits.hpp"
#include "formats/blocks.hpp"

namespace tbx::formats {

template <int Cols>
struct q2_0_block {
    static constexpr int cols = Cols, bytes = 2 + Cols / 4, scale_at = 0;

    static bool read(const std::byte* block, std::int8_t* values) noexcept {
        read_low_first_2(block + 2, Cols / 4, values);
        return true;
    }
    static bool write(const std::int8_t* values, std::byte* block) noexcept {
        write_low_first_2(values, Cols / 4, block + 2);
        return true;
    }
};

inline constexpr format q2_0 = block_format<q2_0_block<64>, kind::quaternary>("Q2_0");
inline constexpr format pq2_0 = block_format<q2_0_block<128>, kind::quaternary>("PQ2_0");

}  // namespace tbx::formats
