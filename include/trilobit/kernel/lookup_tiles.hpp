// SPDX-License-Identifier: MIT
// Room kernel. Enters: activations; where the tiles and tables of some calls lie. Leaves: what the
// ways of looking sums up share, lookup_base3.hpp and lookup_binary*.hpp. The loops around them:
// lookup.hpp.
//
// To keep tables of bytes exact, an int8 activation is split a = 16 h + l with -8 <= h <= 8,
// -8 <= l <= 7: two tables for the same columns. Narrower activations need one.
#pragma once

#include "trilobit/version.hpp"

#include "trilobit/simd/ops.hpp"

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI::kernel {

/// How a layout is looked up; members as in lookup_base3.hpp. A layout without is not.
template <class Arch, class Layout, class Act>
struct lookup_tiles;

/// Where the tiles and tables of some calls lie.
struct lookup_span {
    const std::byte* tiles;     // of the chunk's first row block
    std::int64_t block_stride;  // bytes from row block to row block
    std::int64_t count;         // tiles
    std::int64_t left;          // tiles from the first one to the end of the segment
    std::int64_t skip;          // bytes from there to its begin in the next row block
    const std::uint8_t* table;  // of the first token and tile
    std::int64_t token_stride;  // bytes from token to token
    bool first, last;           // of the calls that make up a sum
    // Where not null, finished sums are scaled and added here, each where acc would have its own.
    float* sums = nullptr;
    const float* row_scales = nullptr;
    float token_scale = 0;
    const std::int32_t* acc = nullptr;
};

/// f(span) for parts of at most `most` tiles, whose sums fit 16 bits. The span is passed by value:
/// a reference to memory cost 10 % with groups of 128 columns, by loads that waited for stores.
template <class Tiles, class F>
TRILOBIT_INLINE void each_part(lookup_span s, std::int64_t most, F&& f) noexcept {
    const std::int64_t end = s.left - s.count;
    const bool last = s.last;
    for (std::int64_t left = s.count; left > 0; left = s.left - end) {
        s.count = std::min(left, most);
        s.last = last && left <= most;
        f(s);
        s.first = false;
        s.tiles += s.count * Tiles::tile_bytes;
        s.table += s.count * Tiles::table_bytes;
        s.left -= s.count;
    }
}

/// Finished sums of rows that follow each other, whose place in acc is `to`.
template <class Arch, std::size_t Registers>
TRILOBIT_INLINE void finish(const lookup_span& s, const simd::i32<Arch> (&rows)[Registers],
                            std::int32_t* to) noexcept {
    constexpr int lanes = simd::lanes<Arch>;
    constexpr int registers = static_cast<int>(Registers);
    if (s.sums == nullptr) {
        TRILOBIT_UNROLL
        for (int j = 0; j < registers; ++j) rows[j].store_aligned(to + j * lanes);
    } else {
        const std::int64_t at = to - s.acc;
        TRILOBIT_UNROLL
        for (int j = 0; j < registers; ++j)
            simd::scale_add<Arch>(s.sums + at + j * lanes, rows[j], s.row_scales + at + j * lanes,
                                  s.token_scale);
    }
}

/// How far ahead weights are asked for, for each of up to four row blocks that are read at once.
/// Asking farther into the second cache too, as dot does, took 2 to 4 % from base 3 from memory and
/// a tenth from one bit in cache.
inline constexpr int lookup_prefetch = 2048;

/// Bytes from a tile to what is wanted when `bytes` more have been read. Past row_end a row finds
/// what is read already; the next call's tiles lie `skip` bytes further.
TRILOBIT_INLINE std::int64_t lookup_ahead(int bytes, const std::byte* tile,
                                          const std::byte* row_end, std::int64_t skip) noexcept {
    return bytes + (tile + bytes < row_end ? 0 : skip);
}

/// Tables that the columns of a tile have.
template <class Act>
inline constexpr int lookup_parts = Act::bits > 4 ? 2 : 1;
/// Largest |activation|, or part of one, in a table.
template <class Act>
inline constexpr int lookup_bound = Act::bits > 4 ? 8 : -Act::lowest;

/// x = 16 high + low, -8 <= low <= 7.
template <class Arch>
void split_nibbles(const std::int8_t* x, std::int64_t count, std::int8_t* low,
                   std::int8_t* high) noexcept {
    for (std::int64_t i = 0; i < count; ++i) {
        const int l = ((x[i] + 8) & 15) - 8;
        low[i] = static_cast<std::int8_t>(l);
        high[i] = static_cast<std::int8_t>((x[i] - l) / 16);
    }
}

/// Makes the tables of `width` activations, of one tile after the other: before they are wanted, or
/// each when it is. Tiles::make_table(x, to) makes one part of a table, of as many activations as a
/// tile has columns; Tiles::at_once is how many tables sum() wants together.
template <class Arch, class Act, class Tiles>
class table_maker {
    static constexpr int together = Tiles::at_once * Tiles::tile_cols;
    static constexpr int strip = std::max(1, 480 / together) * together;
    alignas(64) std::int8_t low[strip + 8], high[strip + 8];
    const std::int8_t* x;
    std::int64_t left;  // columns from x on
    std::uint8_t* to;
    int at = strip;  // of low and high

    TRILOBIT_NOINLINE void split() noexcept {
        const std::int64_t count = std::min<std::int64_t>(strip, left);
        // Zeros stand for columns past the segment, of the last tables: the next one's activations
        // lie there.
        const auto zeros =
            static_cast<std::size_t>(std::min<std::int64_t>(strip - count, together) + 8);
        std::memset(low + count, 0, zeros), std::memset(high + count, 0, zeros);
        if constexpr (lookup_parts<Act> == 2)
            split_nibbles<Arch>(x, count, low, high);
        else
            std::memcpy(low, x, static_cast<std::size_t>(count));
        x += count;
        left -= count;
        at = 0;
    }

public:
    table_maker(const std::int8_t* activations, std::int64_t width, std::uint8_t* tables) noexcept
        : x(activations), left(width), to(tables) {}

    /// The next tables: at_once, or one where fewer are left.
    template <int Count>
    TRILOBIT_INLINE void make() noexcept {
        if (at == strip) split();
        const int from = at;
        std::uint8_t* table = to;
        for (int c = from; c < from + Count * Tiles::tile_cols; c += Tiles::tile_cols) {
            Tiles::make_table(low + c, table);
            if constexpr (lookup_parts<Act> == 2)
                Tiles::make_table(high + c, table + Tiles::table_bytes / 2);
            table += Tiles::table_bytes;
        }
        at = from + Count * Tiles::tile_cols;
        to = table;
    }
    /// So many; returns where the next would lie.
    std::uint8_t* make(std::int64_t tiles) noexcept {
        for (; tiles > 0; --tiles) make<1>();
        return to;
    }
};

/// For sums of tiles whose tables are there.
struct tables_are_made {
    template <int>
    TRILOBIT_INLINE void make() const noexcept {}
};

}  // namespace trilobit::inline TRILOBIT_ABI::kernel

#include "trilobit/core/end.hpp"
