// SPDX-License-Identifier: MIT
// Room gguf. Enters: one block of a type whose weights are few levels times a scale, or its values.
// Leaves: the other one; and the list of these types.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "formats/bytes.hpp"
#include "gguf/ternary_codes.hpp"
#include "gguf/types.hpp"

namespace tbx::gguf {

// Q1_0 and Q2_0: an f16 scale, then codes of one or two bits, the lowest bits of each byte first.
template <int Bits, int Count>
void low_first_codes(const std::byte* block, std::uint8_t* codes) {
    constexpr int each = 8 / Bits;
    for (int i = 0; i < Count; ++i)
        codes[i] = static_cast<std::uint8_t>((bits_of(block[2 + i / each]) >> (Bits * (i % each))) &
                                             ((1u << Bits) - 1u));
}

template <int Bits, int Count>
void low_first_pack(const std::uint8_t* codes, std::byte* block) {
    constexpr int each = 8 / Bits;
    std::fill_n(block + 2, Count / each, std::byte{0});
    for (int i = 0; i < Count; ++i)
        block[2 + i / each] |= static_cast<std::byte>(unsigned{codes[i]} << (Bits * (i % each)));
}

/// A type of blocks whose weights are scale * (lowest + step * code), with codes below `levels`.
struct level_block {
    tensor_type type;
    int cols, bytes;  // of a block
    int scale_at;     // byte of its f16 scale
    int levels, lowest, step;
    void (*codes)(const std::byte* block, std::uint8_t* codes);
    void (*pack)(const std::uint8_t* codes, std::byte* block);  // all but the scale
};

inline constexpr level_block level_blocks[] = {
    {tensor_type::tq1_0, 256, 54, tq1_0_scale_offset, 3, -1, 1, tq1_0_codes, tq1_0_pack},
    {tensor_type::tq2_0, 256, 66, tq2_0_scale_offset, 3, -1, 1, tq2_0_codes, tq2_0_pack},
    {tensor_type::q1_0, 128, 18, 0, 2, -1, 2, low_first_codes<1, 128>, low_first_pack<1, 128>},
    {tensor_type::q2_0, 64, 18, 0, 4, -1, 1, low_first_codes<2, 64>, low_first_pack<2, 64>},
};

/// Null for other types.
constexpr const level_block* find_level_block(tensor_type type) noexcept {
    for (const level_block& b : level_blocks)
        if (b.type == type) return &b;
    return nullptr;
}

/// Are all codes ones of the type? Others have values too, which its layouts have not.
inline bool read_values(const level_block& of, const std::byte* block, std::int8_t* values) {
    std::uint8_t codes[256];
    of.codes(block, codes);
    int largest = 0;
    for (int i = 0; i < of.cols; ++i) {
        largest = std::max(largest, int{codes[i]});
        values[i] = static_cast<std::int8_t>(of.lowest + of.step * codes[i]);
    }
    return largest < of.levels;
}

inline void write_values(const level_block& of, const std::int8_t* values, std::byte* block) {
    std::uint8_t codes[256];
    for (int i = 0; i < of.cols; ++i)
        codes[i] = static_cast<std::uint8_t>((values[i] - of.lowest) / of.step);
    of.pack(codes, block);
}

}  // namespace tbx::gguf
