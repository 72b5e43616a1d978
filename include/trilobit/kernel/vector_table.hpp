// SPDX-License-Identifier: MIT
// Room kernel. Enters: the activations of a few tokens; bytes of packed weights. Leaves: tables
// whose entries are vectors, a sum of activations for each token, and where in a table a byte of
// weights points.
//
//   table[index][token] = sum over digits i of weight_i(index) * x[column i][token]
//
// An index is a number whose digits are the weights of a few columns of one row, the lowest weight
// being digit 0. Adding one to a digit adds one column, so each entry is another one plus a column.
#pragma once

#include "trilobit/version.hpp"

#include <algorithm>
#include <bit>

#include "trilobit/layout/all.hpp"
#include "trilobit/simd/ops.hpp"

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI::kernel {

/// How a byte of a layout is an index: `digits` of them to the base `radix`, and of a whole
/// register of bytes the entries; `entry(index)` says where a table of `entries` has the sum of one
/// of `indices`. Bytes that no packer writes become some entry too.
template <class Layout>
struct byte_index;

template <class Layout>
concept index_layout = requires { byte_index<Layout>::radix; };

/// Measures of tables. A row of a tile is `row_bytes` indices; digit i of byte t is column
/// t + i * row_bytes.
template <class Arch, index_layout Layout>
struct table_shape {
    static constexpr int lanes = simd::register_bytes<Arch> / 2;
    /// Of an entry. One index serves two registers where one would be only eight tokens.
    static constexpr int tokens = std::max(lanes, 16);
    static constexpr int row_bytes = Layout::tile_bytes / Layout::tile_rows;
    static constexpr int entries = byte_index<Layout>::entries;
    static constexpr int size = entries * tokens;  // in int16
};

/// x[column * Tokens + token] for Cols columns, a multiple of eight; the last of `tokens` stands in
/// for those past it.
template <class Arch, int Tokens, int Cols>
void load_columns(const std::int8_t* values, std::int64_t stride, int tokens,
                  std::int16_t* x) noexcept {
    for (int m = 0; m < Tokens; m += 8) {
        alignas(64) std::int16_t rows[8][Cols];
        for (int i = 0; i < 8; ++i) {
            const std::int8_t* from = values + std::min(m + i, tokens - 1) * stride;
            for (int c = 0; c < Cols; ++c) rows[i][c] = from[c];
        }
        for (int c = 0; c < Cols; c += 8)
            simd::transpose8<Arch>(rows[0] + c, Cols, x + c * Tokens + m, Tokens);
    }
}

/// The table of the columns that byte t of a tile's rows stands for; `x` is column t of the tile.
template <class Arch, class Layout>
void build_table(const std::int16_t* x, std::int16_t* table) noexcept {
    using shape = table_shape<Arch, Layout>;
    using i16 = simd::i16<Arch>;
    using bytes = byte_index<Layout>;
    constexpr int radix = bytes::radix, digits = bytes::digits;
    // Weights of one digit: -1, 0, 1 or -1, 1.
    static_assert(radix == 2 || radix == 3);
    for (int v = 0; v < shape::tokens; v += shape::lanes) {
        i16 step[digits], lowest(0);
        TRILOBIT_UNROLL
        for (int i = 0; i < digits; ++i) {
            step[i] = i16::load_aligned(x + i * shape::row_bytes * shape::tokens + v);
            lowest -= step[i];
            if (radix == 2) step[i] += step[i];
        }
        std::int16_t* to = table + v;
        lowest.store_aligned(to + bytes::entry(0) * shape::tokens);
        int count = 1;
        TRILOBIT_UNROLL
        for (int i = 0; i < digits; ++i) {
            for (int e = 0; e < count; ++e) {
                i16 entry = i16::load_aligned(to + bytes::entry(e) * shape::tokens);
                TRILOBIT_UNROLL
                for (int d = 1; d < radix; ++d) {
                    entry += step[i];
                    entry.store_aligned(to + bytes::entry(e + d * count) * shape::tokens);
                }
            }
            count *= radix;
        }
    }
}

/// Bytes from the start of a table to the entries of `count` bytes of weights, whole registers.
template <class Arch, class Layout>
TRILOBIT_INLINE void entry_offsets(const std::byte* from, int count,
                                   std::uint16_t* offsets) noexcept {
    using namespace simd;
    constexpr int entry_bytes = 2 * table_shape<Arch, Layout>::tokens;
    constexpr int shift = 8 - std::countr_zero(static_cast<unsigned>(entry_bytes));
    const u8<Arch> zero(std::uint8_t{0});
    for (int i = 0; i < count; i += register_bytes<Arch>) {
        const u8<Arch> index = byte_index<Layout>::template of<Arch>(load<Arch>(from + i));
        // Above a byte of zeros it counts 256 times.
        const auto low = simd::bitwise_cast<std::uint16_t>(simd::zip_lo(zero, index));
        const auto high = simd::bitwise_cast<std::uint16_t>(simd::zip_hi(zero, index));
        (low >> shift).store_aligned(offsets + i);
        (high >> shift).store_aligned(offsets + i + register_bytes<Arch> / 2);
    }
}

}  // namespace trilobit::inline TRILOBIT_ABI::kernel

#include "trilobit/core/end.hpp"
