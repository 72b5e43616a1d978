// SPDX-License-Identifier: MIT
// Room kernel. Enters: activations; bytes found by lookups. Leaves: tables of partial sums, and the
// sums of bytes as int16 and then as int32: what the ways of looking sums up share.
//
// To keep tables of bytes exact, an int8 activation is split a = 16 h + l with -8 <= h <= 8,
// -8 <= l <= 7: two tables for the same columns. Narrower activations need one.
//
// Found bytes are too large by as much as makes them positive. They are added in pairs, as int16,
// and once more shifted by a byte: one byte of each pair lies in the latter alone, the other is
// what remains of the former.
#pragma once

#include "trilobit/version.hpp"

#include <algorithm>
#include <cstring>

#include "trilobit/core/endian.hpp"
#include "trilobit/kernel/tile.hpp"

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI::kernel {

/// How a layout is looked up: a shape, as tile.hpp takes it, and of its tables
///   tile_cols, table_bytes      of one tile
///   make_table(x, to)           of one tile's columns and one half of the activations
///   lookups, dots, instructions(tokens)    of a register of weights and a token, for the choice
/// `Tables` that the columns of a tile have. A layout, or a machine, without a shape is not looked
/// up.
template <class Arch, class Layout, int Tables>
struct lookup_shape;

/// Largest |activation|, or half of one, in a table; signs and int2 are looked up like int4.
inline constexpr int lookup_bound = 8;
template <class Act>
inline constexpr int lookup_tables = Act::bits > 4 ? 2 : 1;

/// Few enough tokens that memory bounds them, so that steps prefetch for them. More lost a tenth in
/// cache to it: measured on an Intel Xeon.
inline constexpr int prefetched_tokens = 4;

/// The tables of `width` activations, of one tile after the other.
template <int Tables, class Shape>
void make_tables(const std::int8_t* x, std::int64_t width, std::uint8_t* to) noexcept {
    constexpr int cols = Shape::tile_cols, most = 480 / cols * cols;
    alignas(64) std::int8_t low[most + 8], high[most + 8];  // eight bytes at a column are readable
    for (std::int64_t first = 0; first < width; first += most) {
        const auto count = static_cast<int>(std::min<std::int64_t>(most, width - first));
        for (int c = 0; c < count; ++c) {
            const int a = x[first + c];
            const int l = Tables == 2 ? ((a + 8) & 15) - 8 : a;
            low[c] = static_cast<std::int8_t>(l);
            high[c] = static_cast<std::int8_t>((a - l) / 16);
        }
        // Columns of the last tile past the segment: the next one's activations lie there.
        std::fill(low + count, low + most + 8, std::int8_t{0});
        std::fill(high + count, high + most + 8, std::int8_t{0});
        for (int c = 0; c < count; c += cols, to += Shape::table_bytes) {
            Shape::make_table(low + c, to);
            if constexpr (Tables == 2) Shape::make_table(high + c, to + Shape::table_bytes / 2);
        }
    }
}

/// Tables of `Size` entries in all that are sums of four of sixteen activations: of each the place
/// of the activation, 0xff where it counts negative and how many do so. What is not x - 1 is -x.
template <int Size>
struct signed_entries {
    alignas(64) std::uint8_t place[4][Size]{}, negative[4][Size]{}, negatives[Size]{};
    static constexpr std::uint8_t nowhere = 0x80;  // finds 0

    constexpr void set(std::size_t entry, std::size_t term, std::size_t at, int sign) noexcept {
        place[term][entry] = sign == 0 ? nowhere : static_cast<std::uint8_t>(at);
        negative[term][entry] = sign < 0 ? 0xff : 0;
        negatives[entry] = static_cast<std::uint8_t>(negatives[entry] + (sign < 0 ? 1 : 0));
    }
    /// Of x[0..15], 16-byte aligned, so that every sum comes out `more` than it is.
    template <class Arch>
    TRILOBIT_INLINE void make(const std::int8_t* x, int more, std::uint8_t* to) const noexcept {
        using namespace simd;
        for (int i = 0; i < Size; i += register_bytes<Arch>) {
            auto sum =
                u8<Arch>::load_aligned(negatives + i) + u8<Arch>(static_cast<std::uint8_t>(more));
            for (int f = 0; f < 4; ++f)
                sum += lookup16<Arch>(reinterpret_cast<const std::uint8_t*>(x),
                                      u8<Arch>::load_aligned(place[f] + i)) ^
                       u8<Arch>::load_aligned(negative[f] + i);
            sum.store_aligned(to + i);
        }
    }
};

/// Sums of a register of found bytes: in pairs, and of the upper ones alone. In a struct GCC kept
/// them in memory.
template <class Arch>
TRILOBIT_INLINE void add_bytes(simd::u8<Arch> few, simd::u16<Arch>& pairs,
                               simd::u16<Arch>& upper) noexcept {
    const auto two = simd::bitwise_cast<std::uint16_t>(few);
    pairs += two;
    upper += two >> 8;
    simd::pin<Arch>(pairs);
    simd::pin<Arch>(upper);
}

/// rows[j] += weight times the sum of byte 4 i + j, less what it is too large by, in lane i.
template <class Arch>
TRILOBIT_INLINE void add_to_int32(simd::u16<Arch> pairs, simd::u16<Arch> upper, std::int16_t more,
                                  int weight, simd::i32<Arch>* rows) noexcept {
    using namespace simd;
    const i16<Arch> too_large(more);
    const u16<Arch> lower = pairs - (upper << 8);
    const auto even = simd::bitwise_cast<std::int16_t>(little_endian ? lower : upper) - too_large;
    const auto odd = simd::bitwise_cast<std::int16_t>(little_endian ? upper : lower) - too_large;
    const i32<Arch> low_half(weight), high_half(weight << 16);
    const auto first = simd::bitwise_cast<std::int16_t>(little_endian ? low_half : high_half);
    const auto second = simd::bitwise_cast<std::int16_t>(little_endian ? high_half : low_half);
    rows[0] = dot2<Arch>(rows[0], even, first);
    rows[1] = dot2<Arch>(rows[1], odd, first);
    rows[2] = dot2<Arch>(rows[2], even, second);
    rows[3] = dot2<Arch>(rows[3], odd, second);
}

/// Those sums in int32 between folds: of registers of rows and tokens, the sums of rows 4i, 4i + 1,
/// .. apart, as four registers.
template <class Arch, int Rows, int Tokens>
struct folded_bytes {
    alignas(64) std::int32_t at[Rows][Tokens][4][simd::lanes<Arch>];

    /// Adds what each of `Tables` tables left, less `more` each.
    template <int Tables>
    TRILOBIT_INLINE void add(int r, int m, const simd::u16<Arch> (&pairs)[Tables],
                             const simd::u16<Arch> (&upper)[Tables], std::int64_t more) noexcept {
        using i32 = simd::i32<Arch>;
        i32 rows[4];
        TRILOBIT_UNROLL
        for (int j = 0; j < 4; ++j) rows[j] = i32::load_aligned(at[r][m][j]);
        TRILOBIT_UNROLL
        for (int i = 0; i < Tables; ++i)
            add_to_int32<Arch>(pairs[i], upper[i], static_cast<std::int16_t>(more), i == 0 ? 1 : 16,
                               rows);
        TRILOBIT_UNROLL
        for (int j = 0; j < 4; ++j) rows[j].store_aligned(at[r][m][j]);
    }
    /// In the order of rows: as many registers as there are totals.
    template <int Registers>
    TRILOBIT_INLINE void total(simd::i32<Arch> (&totals)[Registers][Tokens]) const noexcept {
        using i32 = simd::i32<Arch>;
        // Of one row block where a register has room for two, the first half.
        constexpr int each = Registers / Rows;
        TRILOBIT_UNROLL
        for (int m = 0; m < Tokens; ++m) {
            TRILOBIT_UNROLL
            for (int r = 0; r < Rows; ++r) {
                i32 rows[4];
                TRILOBIT_UNROLL
                for (int j = 0; j < 4; ++j) rows[j] = i32::load_aligned(at[r][m][j]);
                simd::interleave4<Arch>(rows);
                TRILOBIT_UNROLL
                for (int j = 0; j < each; ++j) totals[each * r + j][m] = rows[j];
            }
        }
    }
};

/// What steps share whose sums wait in int16: of `Rows` registers of bytes, `Registers` of totals,
/// and bytes that are `Largest` too large each, `Bytes` of them in a tile.
template <class Arch, int Tables, int Rows, int Tokens, int Registers, int Largest, int Bytes>
struct bytes_step {
    using sum = simd::u16<Arch>;
    static constexpr int rows = Rows, columns = Tokens, tokens = Tokens, registers = Registers;
    static constexpr int kept = 2 * Tables;  // pairs, then upper
    using folded = folded_bytes<Arch, Rows, Tokens>;

    TRILOBIT_INLINE static void fold(const sum (&sums)[kept][Rows][Tokens], std::int64_t tiles,
                                     folded& to) noexcept {
        TRILOBIT_UNROLL
        for (int m = 0; m < Tokens; ++m) TRILOBIT_UNROLL
        for (int r = 0; r < Rows; ++r) {
            sum pairs[Tables], upper[Tables];
            TRILOBIT_UNROLL
            for (int i = 0; i < Tables; ++i) {
                pairs[i] = sums[i][r][m];
                upper[i] = sums[Tables + i][r][m];
            }
            to.add(r, m, pairs, upper, Bytes * Largest * tiles);
        }
    }
    TRILOBIT_INLINE static void total(const folded& sums,
                                      simd::i32<Arch> (&totals)[Registers][Tokens]) noexcept {
        sums.total(totals);
    }
};

}  // namespace trilobit::inline TRILOBIT_ABI::kernel

#include "trilobit/core/end.hpp"
