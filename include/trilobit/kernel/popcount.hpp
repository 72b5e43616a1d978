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
// Of n dense weights, whose bits are 1 for +1, the ones D_b of m & (bit ^ a_b) are what P_b lacks
// of n:
//   sum of w a = -sum of c_b D_b - (weights that are +1);   signs:  n - 2 D_0
// dot4 adds the four counts of a lane and multiplies by c_b in one instruction.
//   per plane and 512 weights on avx512vnni: vpternlogd + vpopcntb + vpdpbusd
#pragma once

#include "trilobit/version.hpp"

#include "trilobit/core/endian.hpp"
#include "trilobit/kernel/drive.hpp"
#include "trilobit/simd/instruction_times.hpp"

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI::kernel {

template <class Layout>
struct bit_planes {
    static constexpr bool available = false;
};
template <>
struct bit_planes<layout::ternary_planes> {
    static constexpr bool available = true, dense = false;
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
    static constexpr bool available = true, dense = true;
    template <class Arch>
    TRILOBIT_INLINE static void load(const std::byte* tile, simd::u8<Arch> valid,
                                     simd::u8<Arch>& mask, simd::u8<Arch>& sign) noexcept {
        mask = valid;
        sign = simd::load<Arch>(tile);
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

    /// Three instructions for each plane of eight registers of weights, seven where bits are
    /// counted by shuffles, twenty with neither; see dot for the unit.
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
        constexpr int bytes = simd::register_bytes<Arch>;
        // Registers of sums: as many as there are, beside the planes' weights.
        constexpr int most = !has_avx512bw<Arch> ? (planes == 1 ? 2 : 1) : planes == 8 ? 4 : 8;
        constexpr int most_tokens = planes == 1 ? most : std::max(1, most / 2);
        const std::int64_t stride = c.blocks * Layout::tile_rows;
        const std::int64_t row_bytes = t.w.row_tiles() * Layout::tile_bytes;
        const std::byte* const tiles =
            t.w.tile_at(c.block, 0) + s.first_tile(t.w) * Layout::tile_bytes;
        // `Tokens` tokens at a time, from m on, against the row blocks [begin, end): few tokens are
        // few sums, each of which waits for itself, and have more rows beside them.
        const auto of_size = [&]<int Tokens>(int m, std::int64_t begin, std::int64_t end) {
            if constexpr (Tokens <= most_tokens)
                for (; m + Tokens <= c.tokens; m += Tokens) {
                    const auto rows = [&]<int Blocks>(std::int64_t b) {
                        for (int p = 0; p < 64; p += bytes)
                            sum_tile<Blocks, Tokens>(
                                t, s, c.token + m, tiles + b * row_bytes + p, row_bytes,
                                acc + m * stride + b * Layout::tile_rows + p / 4, stride);
                    };
                    constexpr int blocks = std::min(4, most / Tokens);
                    std::int64_t b = begin;
                    for (; b + blocks <= end; b += blocks) rows.template operator()<blocks>(b);
                    if constexpr (blocks > 1)
                        for (; b < end; ++b) rows.template operator()<1>(b);
                }
            return m;
        };
        for (std::int64_t b = 0; b < c.blocks; b += 4) {
            const std::int64_t end = std::min(b + 4, c.blocks);
            int m = of_size.template operator()<8>(0, b, end);
            m = of_size.template operator()<4>(m, b, end);
            m = of_size.template operator()<2>(m, b, end);
            of_size.template operator()<1>(m, b, end);
        }
    }

    /// A register of rows of each block and a few tokens, which share the weights and what is
    /// constant.
    template <int Blocks, int Tokens>
    TRILOBIT_NOINLINE static void sum_tile(const task& t, const segment& s, std::int64_t token,
                                           const std::byte* tile, std::int64_t row_bytes,
                                           std::int32_t* acc, std::int64_t stride) noexcept {
        using namespace simd;
        using bits = bit_planes<Layout>;
        const auto byte = [](int v) TRILOBIT_LAMBDA_INLINE {
            return xsimd::bitwise_cast<std::uint8_t>(i8<Arch>(static_cast<std::int8_t>(v)));
        };
        const auto* word = reinterpret_cast<const std::uint32_t*>(t.operand) + token * words(t.x) +
                           s.first / 32 * planes;
        std::int64_t offset[Tokens];
        token_offsets(words(t.x), offset);
        // A byte counts at most 8: 2^18 columns times 128 stay far below 2^31.
        i32<Arch> sums[Blocks][Tokens], constant[Blocks];
        TRILOBIT_UNROLL
        for (int b = 0; b < Blocks; ++b) {
            constant[b] = i32<Arch>(bits::dense && signs ? static_cast<std::int32_t>(s.width) : 0);
            TRILOBIT_UNROLL
            for (int m = 0; m < Tokens; ++m) sums[b][m] = i32<Arch>(0);
        }
        const auto one_tile = [&](u8<Arch> valid) TRILOBIT_LAMBDA_INLINE {
            TRILOBIT_UNROLL
            for (int b = 0; b < Blocks; ++b) {
                u8<Arch> mask, sign;
                bits::template load<Arch>(tile + b * row_bytes, valid, mask, sign);
                if constexpr (!(bits::dense && signs))
                    constant[b] =
                        dot4<Arch>(constant[b], popcount_bytes<Arch>(signs ? mask : mask & sign),
                                   byte(signs || bits::dense ? -1 : 1));
                TRILOBIT_UNROLL
                for (int i = 0; i < planes; ++i) TRILOBIT_UNROLL
                for (int m = 0; m < Tokens; ++m) {
                    const u8<Arch> met =
                        masked_xor<Arch>(mask, sign, broadcast4<Arch>(word + offset[m] + i));
                    sums[b][m] =
                        dot4<Arch>(sums[b][m], popcount_bytes<Arch>(met), byte(plane_weight(i)));
                    pin<Arch>(sums[b][m]);
                }
            }
            tile += Layout::tile_bytes;
            word += planes;
        };
        const std::int64_t count = s.tiles(t.w);
        const little<std::uint32_t> last_word = column_mask(s.width - 32 * (count - 1));
        for (std::int64_t k = 1; k < count; ++k) one_tile(u8<Arch>(std::uint8_t{0xff}));
        one_tile(broadcast4<Arch>(&last_word));
        TRILOBIT_UNROLL
        for (int b = 0; b < Blocks; ++b) TRILOBIT_UNROLL
        for (int m = 0; m < Tokens; ++m) {
            const auto sum = bits::dense ? constant[b] - sums[b][m] : constant[b] + sums[b][m];
            sum.store_aligned(acc + b * Layout::tile_rows + m * stride);
        }
    }
};

}  // namespace trilobit::inline TRILOBIT_ABI::kernel

#include "trilobit/core/end.hpp"
