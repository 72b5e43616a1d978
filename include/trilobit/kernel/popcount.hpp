// SPDX-License-Identifier: MIT
// Room kernel. Enters: bit planes of weights; activations, which prepare() turns into bit planes.
// Leaves: exact sums from counts of ones. Claims the plane layouts and every activation; it pays
// where activations have few bits.
//
// With mask m (weight is not 0), sign s (weight is -1) and plane b of the activations, a = sum of
// c_b a_b: the ones of m & (s ^ a_b) are the +1s that meet a 1 and the -1s that meet a 0, so
//   sum of w a_b = P_b - N,   P_b = popcount(m & (s ^ a_b)),   N = weights that are -1.
//   two's complement, where the c_b add up to -1:   sum of w a = sum of c_b P_b + N
//   signs, a = 2 a_0 - 1:                           sum of w a = 2 P_0 - (weights that are not 0)
// dot4 adds the four counts of a lane and multiplies by c_b in one instruction.
//   per plane and 512 weights on avx512vnni: vpxord + vpandd + vpopcntb + vpdpbusd
#pragma once

#include "trilobit/kernel/drive.hpp"
#include "trilobit/simd/instruction_times.hpp"

namespace trilobit::kernel {

template <class Layout>
struct bit_planes {
    static constexpr bool available = false;
};
template <>
struct bit_planes<layout::ternary_planes> {
    static constexpr bool available = true;
    /// Weights of the tile at `tile`, `valid` marking the columns inside the segment.
    template <class Arch>
    TRILOBIT_INLINE static void load(const std::byte* tile, simd::u8<Arch>, simd::u8<Arch>& mask,
                                     simd::u8<Arch>& sign) noexcept {
        mask = simd::load<Arch>(tile);
        sign = simd::load<Arch>(tile + layout::ternary_planes::plane_bytes);
    }
};
template <>
struct bit_planes<layout::binary_1bit> {
    static constexpr bool available = true;
    template <class Arch>
    TRILOBIT_INLINE static void load(const std::byte* tile, simd::u8<Arch> valid,
                                     simd::u8<Arch>& mask, simd::u8<Arch>& sign) noexcept {
        mask = valid;
        sign = simd::load<Arch>(tile) ^ simd::u8<Arch>(0xff);
    }
};

/// The bit of column c of a tile in the word that is broadcast to every row: byte c % 4, bit c / 4.
constexpr std::uint32_t column_bit(int c) noexcept {
    return std::uint32_t{1} << (8 * (c % 4) + c / 4);
}

/// Bits of the first `cols` columns of a tile of 32.
constexpr std::uint32_t column_mask(std::int64_t cols) noexcept {
    std::uint32_t mask = 0;
    for (int c = 0; c < 32 && c < cols; ++c) mask |= column_bit(c);
    return mask;
}

template <class Arch, class Layout, class Act>
struct popcount : driven<popcount<Arch, Layout, Act>, Arch, Layout> {
    static constexpr kernel_id id = kernel_id::popcount;
    static constexpr bool available = bit_planes<Layout>::available;
    static constexpr int planes = Act::bits;
    static constexpr bool signs = Act::id == activation_id::sign;

    /// Three instructions for each plane of eight registers of weights, seven where bits are counted by
    /// shuffles, twenty with neither; see dot for the unit.
    static double cost(const packed_shape&, std::int64_t) noexcept {
        const double each = has_avx512vnni<Arch> ? 0.65 * simd::times<Arch>().simple
                            : !has_ssse3<Arch>   ? 2.4
                            : has_avxvnni<Arch>  ? 1.0
                                                 : 1.2;
        return planes * each * 64 / simd::register_bytes<Arch>;
    }
    static constexpr bool accepts(const packed_shape& w, const activation_shape& x) noexcept {
        return segments_start_on_tiles(w, x);
    }
    /// One word for each token, 32 columns and plane.
    static constexpr std::int64_t words(const activation_shape& x) noexcept {
        return ceil_div(x.cols, 32) * planes;
    }
    static constexpr std::int64_t operand_bytes(const packed_shape&,
                                                const activation_shape& x) noexcept {
        return x.tokens * words(x) * 4;
    }

    static void prepare(const task& t, std::int64_t token_begin, std::int64_t token_end) noexcept {
        for (std::int64_t m = token_begin; m < token_end; ++m) {
            auto* to = reinterpret_cast<std::uint32_t*>(t.operand) + m * words(t.x);
            for (std::int64_t first = 0; first < t.x.cols; first += 32, to += planes) {
                const std::int8_t* x = t.x.token(m) + first;  // zeros past the last column
                std::uint32_t word[planes] = {};
                for (int f = 0; f < 8; ++f) {
                    // Four columns, a byte each, are bit f of the four bytes of every plane's word.
                    std::uint32_t four;
                    std::memcpy(&four, x + 4 * f, sizeof four);
                    if constexpr (signs) four &= ~(four >> 1);  // of +1, -1 and 0 only +1 is left
                    for (int b = 0; b < planes; ++b) word[b] |= (four >> b & 0x01010101u) << f;
                }
                std::copy_n(word, planes, to);
            }
        }
    }

    /// c_b as a byte: 1, 2, 4 .. and minus the top power; for signs 2.
    static constexpr std::int8_t plane_weight(int b) noexcept {
        if (signs) return 2;
        return static_cast<std::int8_t>(b == planes - 1 ? -(1 << b) : 1 << b);
    }

    static void sum_segment(const task& t, std::int64_t, const segment& s, const chunk& c,
                            std::int32_t* acc) noexcept {
        constexpr int parts = 64 / simd::register_bytes<Arch>;
        // Tokens that share weights, as far as registers hold their sums and the planes' weights.
        constexpr int wide = planes == 1 ? 8 : planes < 8 ? 4 : 2, narrow = planes == 1 ? 2 : 1;
        constexpr int tile = has_avx512bw<Arch> ? wide : narrow;
        const std::int64_t stride = c.blocks * Layout::tile_rows;
        for (std::int64_t b = 0; b < c.blocks; ++b) {
            const std::byte* tiles =
                t.w.tile_at(c.block + b, 0) + s.first_tile(t.w) * Layout::tile_bytes;
            for (int p = 0; p < parts; ++p) {
                const auto sums = [&]<int Tokens>(int m) {
                    sum_tokens<Tokens>(
                        t, s, c.token + m, tiles + p * simd::register_bytes<Arch>,
                        acc + m * stride + b * Layout::tile_rows + p * simd::lanes<Arch>, stride);
                };
                int m = 0;
                for (; m + tile <= c.tokens; m += tile) sums.template operator()<tile>(m);
                if constexpr (tile > 1)
                    for (; m < c.tokens; ++m) sums.template operator()<1>(m);
            }
        }
    }

    /// One register of rows and a few tokens, which share the weights and what is constant of them.
    template <int Tokens>
    static void sum_tokens(const task& t, const segment& s, std::int64_t token,
                           const std::byte* tile, std::int32_t* acc, std::int64_t stride) noexcept {
        using namespace simd;
        const auto byte = [](int v) TRILOBIT_LAMBDA_INLINE {
            return xsimd::bitwise_cast<std::uint8_t>(i8<Arch>(static_cast<std::int8_t>(v)));
        };
        const auto* word = reinterpret_cast<const std::uint32_t*>(t.operand) + token * words(t.x) +
                           s.first / 32 * planes;
        const std::int64_t count = s.tiles(t.w), token_words = words(t.x);
        const std::uint32_t last_word = column_mask(s.width - 32 * (count - 1));
        // A byte counts at most 8: 2^18 columns times 128 stay far below 2^31.
        i32<Arch> sums[Tokens], constant(0);
        TRILOBIT_UNROLL for (int m = 0; m < Tokens; ++m) sums[m] = i32<Arch>(0);
        for (std::int64_t k = 0; k < count; ++k, tile += Layout::tile_bytes, word += planes) {
            const std::uint32_t valid_word = k + 1 < count ? ~0u : last_word;
            u8<Arch> mask, sign;
            bit_planes<Layout>::template load<Arch>(tile, broadcast4<Arch>(&valid_word), mask,
                                                    sign);
            constant = dot4<Arch>(constant, popcount_bytes<Arch>(signs ? mask : mask & sign),
                                  byte(signs ? -1 : 1));
            TRILOBIT_UNROLL for (int b = 0; b < planes; ++b)
                TRILOBIT_UNROLL for (int m = 0; m < Tokens; ++m) {
                const u8<Arch> met =
                    masked_xor<Arch>(mask, sign, broadcast4<Arch>(word + m * token_words + b));
                sums[m] = dot4<Arch>(sums[m], popcount_bytes<Arch>(met), byte(plane_weight(b)));
            }
        }
        TRILOBIT_UNROLL for (int m = 0; m < Tokens; ++m)(sums[m] + constant)
            .store_aligned(acc + m * stride);
    }
};

}  // namespace trilobit::kernel
