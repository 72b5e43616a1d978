// SPDX-License-Identifier: MIT
// Room formats. STQ1_0 of Tencent's Sherry: 256 ternary weights in 42 bytes, 1.3125 bits a weight.
// Of each four weights exactly one is 0.
//
//   bytes  0..31   byte g/2: bits 3..0 the slot of group g where g is even, bits 7..4 where odd
//   bytes 32..39   byte g/8, bit g%8: 1 where group g is negated         g = 0..63
//   bytes 40..41   scale, f16
//
//   slot   bits 3 2: which of the four is 0; the first of the others is +1, and the second and the
//          third are -1 where bits 0 and 1 are set
//   group  c * 16 + i holds weights 64c + i, + 16, + 32, + 48             c = 0..3, i = 0..15
//
// The order was read from llama.cpp's pull request 22836 and from two other programs that read
// Tencent's Hy4 files; one of them compared 262144 weights with the same model's Q4_K file. Two
// programs take groups of four neighbours instead, and a "-v2" file of whose scales are int16 was
// seen to be mentioned: neither is read here. No such file was at hand.
#pragma once

#include "formats/bits.hpp"
#include "formats/blocks.hpp"

namespace tbx::formats {

struct stq1_0_block {
    static constexpr int cols = 256, bytes = 42, scale_at = 40;
    /// The lowest four bits in the first byte, the next ones in the second, and so on.
    static constexpr std::uint64_t nibbles(std::uint64_t x) noexcept {
        x = (x | x << 16) & 0x0000ffff0000ffffu;
        x = (x | x << 8) & 0x00ff00ff00ff00ffu;
        return (x | x << 4) & 0x0f0f0f0f0f0f0f0fu;
    }
    static constexpr int weight_of(int group) noexcept { return group / 16 * 64 + group % 16; }

    /// Eight groups at a time, a byte of a word for each.
    static bool read(const std::byte* block, std::int8_t* values) noexcept {
        for (int g = 0; g < 64; g += 8) {
            const std::uint64_t slots = nibbles(load_as<std::uint32_t>(block + g / 2));
            const std::uint64_t zero = slots >> 2 & 3 * every_byte;
            // 1 where the first, second and third of those that are not 0 are -1.
            const std::uint64_t first = bits_in_bytes(bits_of(block[32 + g / 8]));
            const std::uint64_t second = first ^ (slots & every_byte);
            const std::uint64_t third = first ^ (slots >> 1 & every_byte);
            const auto put = [&](int p, std::uint64_t signs) {
                const std::uint64_t present =
                    ((zero ^ static_cast<unsigned>(p) * every_byte) + 0x7f * every_byte) >> 7 &
                    every_byte;
                const std::uint64_t word = present + (present & signs) * 0xfe;
                store_as(reinterpret_cast<std::byte*>(values + weight_of(g) + 16 * p), word);
            };
            // At place 1 the second where the zero comes later, at 2 the third.
            const std::uint64_t beyond_1 = zero >> 1 & every_byte, is_3 = beyond_1 & zero;
            put(0, first);
            put(1, first ^ ((first ^ second) & beyond_1));
            put(2, second ^ ((second ^ third) & is_3));
            put(3, third);
        }
        return true;
    }
    static bool write(const std::int8_t* values, std::byte* block) noexcept {
        std::fill_n(block, scale_at, std::byte{0});
        for (int g = 0; g < 64; ++g) {
            const std::int8_t* w = values + weight_of(g);
            const int zeros = (w[0] == 0) + (w[16] == 0) + (w[32] == 0) + (w[48] == 0);
            if (zeros != 1) return false;
            unsigned zero = 0, signs = 0, next = 0;
            for (unsigned p = 0; p < 4; ++p)
                if (w[16 * p] == 0)
                    zero = p;
                else
                    signs |= static_cast<unsigned>(w[16 * p] < 0) << next++;
            const unsigned negated = signs & 1u;
            if (negated != 0) signs ^= 7u;
            block[g / 2] |= static_cast<std::byte>((zero << 2 | signs >> 1) << (4 * (g % 2)));
            block[32 + g / 8] |= static_cast<std::byte>(negated << (g % 8));
        }
        return true;
    }
};

/// Of whole 64 columns: weights 64c + i + 16k, or what they meet, go to 64c + 4i + k, so that those
/// of a group lie side by side, as layout ternary_3of4 wants them.
template <class T>
void group_neighbours(const T* from, std::int64_t cols, T* to) noexcept {
    for (std::int64_t c = 0; c < cols; c += 64)
        for (int i = 0; i < 16; ++i)
            for (int k = 0; k < 4; ++k) to[c + 4 * i + k] = from[c + i + 16 * k];
}

inline constexpr format stq1_0 = block_format<stq1_0_block, kind::ternary>("STQ1_0");

}  // namespace tbx::formats
