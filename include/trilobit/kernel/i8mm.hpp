// SPDX-License-Identifier: MIT
// Room kernel. Enters: a panel of decoded weights and the activations of any number of tokens.
// Leaves: exact sums by usmmla, ARM's product of two rows of eight bytes by two tokens of eight.
//
// 8 rows x 8 tokens x 8 columns:
//   4 ldr of weights + 4 ldr of activations + 16 usmmla     512 multiply-adds
// Two words of a panel of four rows, r0 r1 r2 r3 | R0 R1 R2 R3, lie as r0 R0 r1 R1 | r2 R2 r3 R3
// for it, of two tokens eight columns of one and eight of the other.
#pragma once

#include "trilobit/version.hpp"

#include <algorithm>
#include <cstring>

#include "trilobit/kernel/matrix_unit.hpp"

#if defined(__ARM_FEATURE_MATMUL_INT8) && defined(__aarch64__) && defined(__GNUC__)

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI::kernel {

/// Eight columns of two tokens: bytes between the tokens, to the next eight columns, to the next
/// two tokens.
struct i8mm_activations {
    const std::int8_t* x;
    std::int64_t token_stride, step, pair_stride;

    /// As they are quantised; any first token and column.
    static i8mm_activations rows(const std::int8_t* x, std::int64_t token_stride) noexcept {
        return {x, token_stride, 8, 2 * token_stride};
    }
    static constexpr std::int64_t pair_bytes(std::int64_t cols) noexcept {
        return round_up(cols, std::int64_t{8}) * 2;
    }
    /// As store_row() left them at `tiles`; from even tokens and multiples of eight columns on.
    static i8mm_activations tiles(const std::byte* tiles, std::int64_t cols, std::int64_t token,
                                  std::int64_t col) noexcept {
        return {reinterpret_cast<const std::int8_t*>(tiles) + token / 2 * pair_bytes(cols) +
                    col * 2,
                8, 16, pair_bytes(cols)};
    }
};

template <has_neon_i8mm Arch>
class matrix_unit<Arch> {
    /// acc (8 rows, up to 2 * Pairs tokens, of which `count` exist) += panel * x.
    template <int Pairs, bool Rows>
    TRILOBIT_NOINLINE static void multiply_tile(const weights_span& w, const i8mm_activations& a,
                                                std::int32_t* acc, std::int64_t acc_stride,
                                                int count) noexcept {
        simd::i32<Arch> sum[Pairs][4];
        TRILOBIT_UNROLL
        for (auto& of_pair : sum) TRILOBIT_UNROLL
        for (auto& two_rows : of_pair) two_rows = simd::i32<Arch>(0);
        const auto* weights = reinterpret_cast<const std::uint8_t*>(w.tiles);
        const std::int8_t* x = a.x;
        for (std::int64_t k = 0; k < w.count; k += words) {
            uint8x16_t codes[4];
            TRILOBIT_UNROLL
            for (int r = 0; r < 4; ++r) codes[r] = vld1q_u8(weights + 16 * r);
            TRILOBIT_UNROLL
            for (int p = 0; p < Pairs; ++p) {
                const std::int8_t* const from = x + p * a.pair_stride;
                int8x16_t two;
                if constexpr (Rows) {  // a last token that has no other meets itself
                    const bool alone = 2 * p + 1 >= count;
                    two = vcombine_s8(vld1_s8(from), vld1_s8(from + (alone ? 0 : a.token_stride)));
                } else {
                    two = vld1q_s8(from);
                }
                TRILOBIT_UNROLL
                for (int r = 0; r < 4; ++r) {
                    sum[p][r] = simd::i32<Arch>(vusmmlaq_s32(sum[p][r], codes[r], two));
                    simd::pin<Arch>(sum[p][r]);
                }
            }
            weights += words * 64;
            x += a.step;
        }
        TRILOBIT_UNROLL
        for (int p = 0; p < Pairs; ++p) TRILOBIT_UNROLL
        for (int i = 0; i < 2; ++i) {
            if (2 * p + i >= count) continue;
            std::int32_t* const to = acc + (2 * p + i) * acc_stride;
            TRILOBIT_UNROLL
            for (int r = 0; r < 4; r += 2) {
                const int32x4_t first = sum[p][r], second = sum[p][r + 1];
                const int32x4_t rows =
                    i == 0 ? vuzp1q_s32(first, second) : vuzp2q_s32(first, second);
                vst1q_s32(to + 2 * r, vaddq_s32(vld1q_s32(to + 2 * r), rows));
            }
        }
    }

public:
    using activations = i8mm_activations;
    static constexpr bool available = true;
    static constexpr double cost = 2.0;  // of 64 multiply-adds: half of the dot product's, see dot
    static constexpr int tile_tokens = 2, tile_cols = 8;
    static constexpr int panel_rows = 64, panel_cols = 320;
    static constexpr int words = 2, token_step = 8;
    static constexpr int least_tokens = 8;

    static constexpr std::int64_t operand_bytes(std::int64_t count, std::int64_t width) noexcept {
        return ceil_div(count, std::int64_t{2}) * activations::pair_bytes(width);
    }
    /// Lays row m out beside that of its pair; it is readable up to a multiple of eight columns.
    static void store_row(const std::int8_t* row, std::int64_t m, std::int64_t width,
                          std::byte* tiles) noexcept {
        std::byte* to = tiles + m / 2 * activations::pair_bytes(width) + m % 2 * 8;
        for (std::int64_t c = 0; c < width; c += 8, to += 16) std::memcpy(to, row + c, 8);
    }
    /// Pairs of words of sixteen rows, see above.
    static void arrange(std::byte* panel, int count) noexcept {
        auto* at = reinterpret_cast<std::uint32_t*>(panel);
        for (int k = 0; k < count; k += words, at += 32) {
            uint32x4_t word[8];
            TRILOBIT_UNROLL
            for (int i = 0; i < 8; ++i) word[i] = vld1q_u32(at + 4 * i);
            TRILOBIT_UNROLL
            for (int i = 0; i < 4; ++i) {
                vst1q_u32(at + 8 * i, vzip1q_u32(word[i], word[i + 4]));
                vst1q_u32(at + 8 * i + 4, vzip2q_u32(word[i], word[i + 4]));
            }
        }
    }

    /// acc of `blocks` sixteens of rows and `count` tokens, from where its span starts. Reads the
    /// activations of whole groups of eight columns, which those of every token allow.
    void multiply(const tile_span& s, const activations& a, int blocks, int count) noexcept {
        const sums_span& to = s.to;
        start_acc(to, 16 * blocks, count);
        weights_span w = s.w;
        activations some = a;
        for (int b = 0; b < 2 * blocks; ++b) {
            w.tiles = s.w.tiles + b / 2 * s.w.block_stride + b % 2 * 64;
            for (int m = 0; m < count; m += 8) {
                some.x = a.x + m / 2 * a.pair_stride;
                const int left = std::min(8, count - m);
                std::int32_t* const acc = to.acc + m * to.stride + 8 * b;
                a.step == 8 ? of_pairs<true>(w, some, acc, to.stride, left)
                            : of_pairs<false>(w, some, acc, to.stride, left);
            }
        }
    }

private:
    template <bool Rows>
    static void of_pairs(const weights_span& w, const activations& a, std::int32_t* acc,
                         std::int64_t stride, int count) noexcept {
        if (count > 6) return multiply_tile<4, Rows>(w, a, acc, stride, count);
        if (count > 4) return multiply_tile<3, Rows>(w, a, acc, stride, count);
        if (count > 2) return multiply_tile<2, Rows>(w, a, acc, stride, count);
        multiply_tile<1, Rows>(w, a, acc, stride, count);
    }
};

}  // namespace trilobit::inline TRILOBIT_ABI::kernel

#include "trilobit/core/end.hpp"

#endif
