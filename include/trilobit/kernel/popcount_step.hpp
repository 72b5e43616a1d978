// SPDX-License-Identifier: MIT
// Room kernel. Enters: planes of weights and of activations. Leaves: the step that counts the ones
// of both, and the register tiles it comes in. popcount.hpp says why the counts are the product.
//   per plane and 512 weights on avx512vnni: vpternlogd + vpopcntb + vpdpbusd
#pragma once

#include "trilobit/version.hpp"

#include <algorithm>

#include "trilobit/activation/kind.hpp"
#include "trilobit/kernel/tile.hpp"
#include "trilobit/layout/all.hpp"

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI::kernel {

/// The bit of column c of a tile in the word that is broadcast to every row: byte c % 4, bit c / 4.
constexpr std::uint32_t column_bit(int c) noexcept {
    return std::uint32_t{1} << (8 * (c % 4) + c / 4);
}

/// Bits of the first `cols` columns of a tile of 32.
constexpr std::uint32_t column_mask(std::int64_t cols) noexcept {
    if (cols >= 32) return ~std::uint32_t{0};
    std::uint32_t mask = 0;
    for (int c = 0; c < cols; ++c) mask |= column_bit(c);
    return mask;
}

/// The bits of a layout. dense: no weight is zero. load: mask and sign of a register at `tile`,
/// where `valid` marks the columns inside the segment.
template <class Layout>
struct bit_planes;

/// A word of 32 columns for each plane of the activations; before them, where the weights have no
/// mask of their own, one that marks the columns of the segment.
template <class Layout, class Act>
struct plane_words {
    static constexpr bool dense = bit_planes<Layout>::dense;
    static constexpr bool signs = Act::id == activation_id::sign;
    static constexpr int planes = Act::bits, count = planes + (dense ? 1 : 0);
    /// c_b as a byte: 1, 2, 4 .. and minus the top power; for signs 2.
    static constexpr std::int8_t weight(int b) noexcept {
        if (signs) return 2;
        return static_cast<std::int8_t>(b == planes - 1 ? -(1 << b) : 1 << b);
    }
};

/// Some registers of rows against the planes of some tokens. One more column of sums is the same
/// for all tokens: N, or what stands for it.
template <class Arch, class Layout, class Act, int Rows, int Tokens>
struct planes_step {
    using words = plane_words<Layout, Act>;
    using sum = simd::i32<Arch>;
    static constexpr bool constant = !(words::dense && words::signs);
    static constexpr int rows = Rows, columns = Tokens + (constant ? 1 : 0), tokens = Tokens;
    static constexpr int registers = Rows, kept = 1, together = 1, lines = 0;
    static constexpr int tile_bytes = Layout::tile_bytes, operand_bytes = 4 * words::count;
    /// A byte counts at most 8: 2^18 columns times 128 stay far below 2^31.
    static constexpr int fold_every = 0;

    template <int>
    TRILOBIT_INLINE static void add(const tile_span& s, const std::int64_t (&token)[Tokens],
                                    const std::byte* tile, const std::byte* x,
                                    sum (&sums)[1][Rows][columns]) noexcept {
        using namespace simd;
        const auto byte = [](int v) TRILOBIT_LAMBDA_INLINE {
            return simd::bitwise_cast<std::uint8_t>(i8<Arch>(static_cast<std::int8_t>(v)));
        };
        constexpr int first = words::count - words::planes;
        u8<Arch> valid{};
        if constexpr (words::dense) valid = broadcast4<Arch>(x);
        TRILOBIT_UNROLL
        for (int r = 0; r < Rows; ++r) {
            u8<Arch> mask, sign;
            bit_planes<Layout>::template load<Arch>(tile + register_offset<Arch>(s.w, r), valid,
                                                    mask, sign);
            if constexpr (constant)
                sums[0][r][Tokens] = dot4<Arch>(
                    sums[0][r][Tokens], popcount_bytes<Arch>(words::signs ? mask : mask & sign),
                    byte(words::signs || words::dense ? -1 : 1));
            TRILOBIT_UNROLL
            for (int i = 0; i < words::planes; ++i) TRILOBIT_UNROLL
            for (int m = 0; m < Tokens; ++m) {
                const std::byte* word = x + token[m] + 4 * (first + i);
                const u8<Arch> met = masked_xor<Arch>(mask, sign, broadcast4<Arch>(word));
                sum& to = sums[0][r][m];
                to = dot4<Arch>(to, popcount_bytes<Arch>(met), byte(words::weight(i)));
                load_after<Arch>(x, to);
            }
        }
    }
    TRILOBIT_INLINE static void total(const sum (&sums)[1][Rows][columns],
                                      sum (&totals)[Rows][Tokens]) noexcept {
        TRILOBIT_UNROLL
        for (int r = 0; r < Rows; ++r) TRILOBIT_UNROLL
        for (int m = 0; m < Tokens; ++m) {
            const sum more = constant ? sums[0][r][columns - 1] : sum(0);
            totals[r][m] = words::dense ? more - sums[0][r][m] : more + sums[0][r][m];
        }
    }
};

/// Register tiles as large as there are registers of sums, beside the planes' weights. Few tokens
/// are few sums, each of which waits for itself, and have more rows beside them.
template <class Arch, class Layout, class Act>
struct planes_shape : shape_of_rows<Arch> {
    static constexpr int planes = Act::bits;
    static constexpr int most = !simd::many_registers<Arch> ? (planes == 1 ? 2 : 1)
                                : planes == 8               ? 4
                                                            : 8;
    static constexpr int most_tokens = planes == 1 ? most : std::max(1, most / 2);
    static constexpr int rows(int tokens) noexcept { return std::min(4, most / tokens); }
    static constexpr int row_step = 256 / simd::register_bytes<Arch>;

    template <int Rows, int Tokens>
    using step = planes_step<Arch, Layout, Act, Rows, Tokens>;
};

}  // namespace trilobit::inline TRILOBIT_ABI::kernel

#include "trilobit/core/end.hpp"
