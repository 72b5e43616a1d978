// SPDX-License-Identifier: MIT
// Room kernel. Enters: dot tiles, and one token many of whose words of activations are zero, as
// after a squared ReLU. Leaves: the same sums without the zero words.
//
// A word of four activations meets one field of a tile. Each field's words that are not zero are
// listed by themselves, with the tiles they belong to, and the lists advance side by side: a
// gathered tile is one word of each field, from different tiles as it happens. It takes the
// instructions of an ordinary one, but that each field loads its own tile.
//   avx512vnni, R registers of rows: 1 broadcast + R vpandd that load + R vpdpbusd for each field
#pragma once

#include "trilobit/version.hpp"

#include "trilobit/kernel/dot_tile.hpp"
#include "trilobit/kernel/task.hpp"

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI::kernel {

/// The next word of each field: where its tile lies, in bytes from the segment's first, and its
/// value.
template <class Fields>
struct gathered_tile {
    std::int32_t offset[Fields::fields];
    std::int32_t word[Fields::fields];
};

/// Gathered tiles that are worth eight ordinary ones. Where a dot product is one instruction, what
/// is gathered takes a third longer, and weights from memory set the pace up to here anyway; where
/// it is several, gathering costs next to nothing. Measured; docs/kernels.md has the figures.
template <class Arch>
inline constexpr int gathered_for_eight = has_avxvnni<Arch> || has_avx512vnni<Arch> ? 4 : 7;

/// Listing the words takes as long as a product of forty rows saves.
inline constexpr std::int64_t least_gathering_rows = 64;

/// Tiles between two gathered ones up to which all lines are asked for in order, as an ordinary
/// product reads them: lists that drift apart look random to the hardware's prefetcher. Beyond it,
/// most lines are not needed at all.
inline constexpr std::int64_t largest_apart = 8;

/// Lists the words of a segment of one token; the number of gathered tiles, or -1 where they would
/// not pay. `to` has room for as many as there are tiles.
template <class Arch, class Fields>
std::int32_t gather_words(const std::int8_t* x, std::int64_t tiles, std::int32_t tile_bytes,
                          gathered_tile<Fields>* to) noexcept {
    constexpr int fields = Fields::fields;
    const auto word_of = [&](std::int64_t i) TRILOBIT_LAMBDA_INLINE {
        std::int32_t word;
        std::memcpy(&word, x + 4 * i, sizeof word);
        return word;
    };
    std::int32_t counts[fields] = {};
    for (std::int64_t k = 0; k < tiles; ++k)
        for (int f = 0; f < fields; ++f) counts[f] += word_of(k * fields + f) != 0 ? 1 : 0;
    std::int32_t longest = 0;
    for (int f = 0; f < fields; ++f) longest = std::max(longest, counts[f]);
    if (8 * longest >= gathered_for_eight<Arch> * tiles) return -1;

    std::int32_t next[fields] = {};
    for (std::int64_t k = 0; k < tiles; ++k)
        for (int f = 0; f < fields; ++f) {
            // Without a branch: a zero is overwritten by what follows it.
            const std::int32_t word = word_of(k * fields + f);
            to[next[f]].offset[f] = static_cast<std::int32_t>(k) * tile_bytes;
            to[next[f]].word[f] = word;
            next[f] += word != 0 ? 1 : 0;
        }
    for (int f = 0; f < fields; ++f)
        for (std::int32_t i = next[f]; i < longest; ++i) to[i].offset[f] = to[i].word[f] = 0;
    return longest;
}

/// A run of gathered tiles, and for each of them how many lines of weights to ask for, from where
/// on. Both offsets are from the segment's first tile.
template <class Fields>
struct gathered_list {
    const gathered_tile<Fields>* tiles;
    std::int64_t count;
    int apart;
    std::int64_t ahead, row_end;  // bytes
};

/// acc of Rows registers and one token.
template <class Arch, class Fields, int Weight, int Rows>
void dot_gathered(const dot_span& s, const gathered_list<Fields>& list,
                  std::int32_t* acc) noexcept {
    using namespace simd;
    using shape = dot_shape<Arch, Fields>;
    constexpr int fields = Fields::fields, bits = 8 / fields;
    constexpr int stages = shape::stages(1), passes = fields / stages;
    static_assert(passes <= 2, "a second pass is a shift by four bits");
    // A gathered tile adds to each sum at most what an ordinary one does, and there are no more of
    // them: the bounds are those of dot_direct and dot_staged.
    constexpr int fold_every =
        32767 / (passes * 2 * 128 * (Fields::largest_code << (bits * (stages - 1))));
    static_assert(!shape::staged || fold_every >= 1);
    i32<Arch> sums[stages][Rows];
    TRILOBIT_UNROLL
    for (int f = 0; f < stages; ++f) TRILOBIT_UNROLL
    for (int r = 0; r < Rows; ++r) sums[f][r] = i32<Arch>(0);
    const gathered_tile<Fields>* g = list.tiles;
    const gathered_tile<Fields>* const end = g + list.count;
    const std::byte* ahead = s.tiles + list.ahead;
    const std::byte* const row_end = s.tiles + list.row_end;
    // Behind the end of these rows lie some that are here already, then those that come next.
    constexpr int blocks = (Rows * register_bytes<Arch> + 63) / 64;
    const std::int64_t next_rows = (blocks - 1) * s.block_stride;
    // add(f, r, codes, word) for each field, its register r and the word that meets it
    const auto one_tile = [&](auto&& add) TRILOBIT_LAMBDA_INLINE {
        TRILOBIT_ROLLED
        for (int i = 0; i < list.apart; ++i, ahead += s.tile_stride) {
            if (ahead == row_end) ahead += next_rows;
            TRILOBIT_UNROLL
            for (int r = 0; r < Rows; r += 64 / register_bytes<Arch>)
                prefetch<Arch>(ahead + register_offset<Arch>(s, r));
        }
        TRILOBIT_UNROLL
        for (int h = 0; h < passes; ++h) TRILOBIT_UNROLL
        for (int f = 0; f < stages; ++f) {
            const std::byte* tile = s.tiles + g->offset[h * stages + f];
            const u8<Arch> word = broadcast4<Arch>(g->word + h * stages + f);
            TRILOBIT_UNROLL
            for (int r = 0; r < Rows; ++r) {
                u8<Arch> codes = load<Arch>(tile + register_offset<Arch>(s, r));
                if (h == 1) codes = shift_right<4, Arch>(codes);
                add(f, r, field_of<Arch, Fields>(codes, f), word);
            }
        }
        ++g;
    };
    if constexpr (shape::staged) {
        while (g < end) {
            i16<Arch> staged[stages][Rows];
            TRILOBIT_UNROLL
            for (int f = 0; f < stages; ++f) TRILOBIT_UNROLL
            for (int r = 0; r < Rows; ++r) staged[f][r] = i16<Arch>(0);
            const gathered_tile<Fields>* stop = g + std::min<std::int64_t>(fold_every, end - g);
            while (g < stop)
                one_tile([&](int f, int r, u8<Arch> codes, u8<Arch> word) TRILOBIT_LAMBDA_INLINE {
                    staged[f][r] += madd2<Arch>(codes, word);
                    pin<Arch>(staged[f][r]);
                });
            TRILOBIT_UNROLL
            for (int f = 0; f < stages; ++f) TRILOBIT_UNROLL
            for (int r = 0; r < Rows; ++r) sums[f][r] = widen_add<Arch>(sums[f][r], staged[f][r]);
        }
    } else {
        while (g < end)
            one_tile([&](int f, int r, u8<Arch> codes, u8<Arch> word) TRILOBIT_LAMBDA_INLINE {
                sums[f][r] = dot4<Arch>(sums[f][r], codes, word);
                pin<Arch>(sums[f][r]);
            });
    }
    i32<Arch> totals[Rows][1];
    TRILOBIT_UNROLL
    for (int r = 0; r < Rows; ++r) {
        totals[r][0] = sums[0][r];
        TRILOBIT_UNROLL
        for (int f = 1; f < stages; ++f) totals[r][0] += sums[f][r] >> (bits * f);
    }
    finish_plane<Arch, Weight>(s, 0, totals, acc, 0);
}

/// The same for any number of registers.
template <class Arch, class Fields, int Weight>
void dot_gathered_rows(const dot_span& s, const gathered_list<Fields>& list, int registers,
                       std::int32_t* acc) noexcept {
    // Registers of rows that share the words: sixteen sums hide their latency where there is room.
    constexpr int rows = dot_shape<Arch, Fields>::many && Fields::fields == 4 ? 4 : 2;
    dot_span now = s;
    const auto some = [&]<int Rows>(int r) {
        now.tiles = s.tiles + register_offset<Arch>(s, r);
        dot_gathered<Arch, Fields, Weight, Rows>(now, list, acc + r * simd::lanes<Arch>);
    };
    int r = 0;
    for (; r + rows <= registers; r += rows) some.template operator()<rows>(r);
    for (; r < registers; ++r) some.template operator()<1>(r);
}

/// What prepare() keeps of the words of one token, and the sums from it; nothing for layouts that
/// are not dot tiles, and for several tokens, which share masks and memory traffic as they are.
///   int32 (segments): how many gathered tiles, -1 where they would not pay
///   gathered tiles (tiles)
template <class Arch, class Layout>
struct sparse_words {
    static constexpr std::int64_t bytes(const packed_shape&, const activation_shape&) noexcept {
        return 0;
    }
    static void prepare(const task&, std::byte*) noexcept {}
    static bool any(const task&, const std::byte*) noexcept { return false; }
    static bool sum(const task&, const std::byte*, std::int64_t, const segment&, const chunk&,
                    const dot_span&, std::int32_t*) noexcept {
        return false;
    }
};

template <class Arch, dot_layout Layout>
struct sparse_words<Arch, Layout> {
    using fields = dot_fields<Layout>;
    using gathered = gathered_tile<fields>;

    static constexpr std::int64_t count_bytes(const packed_shape& w,
                                              const activation_shape& x) noexcept {
        return segment::count(w, x) * static_cast<std::int64_t>(sizeof(std::int32_t));
    }
    static constexpr std::int64_t bytes(const packed_shape& w, const activation_shape& x) noexcept {
        if (x.tokens != 1) return 0;
        return count_bytes(w, x) + w.row_tiles() * static_cast<std::int64_t>(sizeof(gathered));
    }
    static void prepare(const task& t, std::byte* operand) noexcept {
        if (t.x.tokens != 1) return;
        auto* counts = reinterpret_cast<std::int32_t*>(operand);
        auto* tiles = reinterpret_cast<gathered*>(operand + count_bytes(t.w, t.x));
        for (std::int64_t i = 0; i < segment::count(t.w, t.x); ++i) {
            const segment s = segment::at(t.w, t.x, i);
            counts[i] =
                t.w.rows < least_gathering_rows
                    ? -1
                    : gather_words<Arch, fields>(t.x.values + s.first, s.tiles(t.w),
                                                 Layout::tile_bytes, tiles + s.first_tile(t.w));
        }
    }

    /// Are zero words left out of any segment?
    static bool any(const task& t, const std::byte* operand) noexcept {
        const auto* counts = reinterpret_cast<const std::int32_t*>(operand);
        return t.x.tokens == 1 && std::any_of(counts, counts + segment::count(t.w, t.x),
                                              [](std::int32_t count) { return count >= 0; });
    }

    /// Sets acc as sum_segment does where zero words are left out; false where they are not.
    static bool sum(const task& t, const std::byte* operand, std::int64_t index, const segment& s,
                    const chunk& c, dot_span span, std::int32_t* acc) noexcept {
        if (t.x.tokens != 1) return false;
        const std::int64_t count = reinterpret_cast<const std::int32_t*>(operand)[index];
        if (count < 0) return false;
        const segment whole = segment::at(t.w, t.x, index);
        const std::int64_t first_tile = whole.first_tile(t.w);
        span.tiles = t.w.tile_at(c.block, 0) + first_tile * Layout::tile_bytes;
        span.tile_stride = Layout::tile_bytes;
        span.block_stride = t.w.row_tiles() * Layout::tile_bytes;
        // A part of the columns takes its share of the list: these add up to the whole as well.
        const std::int64_t begin = count * (s.first - whole.first) / whole.width;
        const std::int64_t end = count * (s.first - whole.first + s.width) / whole.width;
        std::int64_t apart = ceil_div(whole.tiles(t.w), std::max<std::int64_t>(count, 1));
        if (apart > largest_apart) apart = 0;
        const gathered_list<fields> list{
            reinterpret_cast<const gathered*>(operand + count_bytes(t.w, t.x)) + first_tile + begin,
            end - begin, static_cast<int>(apart),
            prefetch_bytes + begin * apart * Layout::tile_bytes,
            (t.w.row_tiles() - first_tile) * Layout::tile_bytes};
        each_plane<fields>(span, [&]<int Weight>(const dot_span& plane) {
            dot_gathered_rows<Arch, fields, Weight>(
                plane, list, static_cast<int>(c.blocks * 64 / simd::register_bytes<Arch>), acc);
        });
        return true;
    }
};

}  // namespace trilobit::inline TRILOBIT_ABI::kernel

#include "trilobit/core/end.hpp"
