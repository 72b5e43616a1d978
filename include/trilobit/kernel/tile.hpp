// SPDX-License-Identifier: MIT
// Room kernel. Enters: a step: what one tile of a layout adds to a register tile. Leaves: the loop
// over tiles that every fast kernel is in, and the register tiles that cover a block.
//
//   for segments:                                  of equal width, where sums are scaled here
//     sums = 0                                     registers: step::kept x rows x columns
//     for tiles:  step::add                        the hot loop; steps are in layouts/ and below
//       every so often  step::fold                 where sums wait in bytes or int16
//     totals = step::total;  finish                int32 to memory, or scaled into floats
//
// A step is a type for so many row registers and tokens:
//   sum, kept, rows, columns    what it keeps in registers: sum sums[kept][rows][columns]
//   registers, tokens           the totals it leaves: i32 totals[registers][tokens]
//   add<Tiles>(span, token, tile, x, sums)    adds 1 or `together` tiles; token[m] is where token
//                               m lies from x; a tile is tile_bytes, and x moves operand_bytes
//   fold_every, folded, fold            tiles whose sums fit; where they go before that; 0: never
//   lines                               row blocks, whose memory is prefetched; or 0
#pragma once

#include "trilobit/version.hpp"

#include <array>
#include <utility>

#include "trilobit/kernel/span.hpp"

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI::kernel {

/// Functions and references, not closures: through two of them GCC 12 no longer sees that sums
/// could be registers. The same goes for sums that are declared outside of the loop over folds.
template <class Arch, class Step, int Tiles>
TRILOBIT_INLINE void add_tiles(
    const tile_span& s, const std::int64_t (&token)[Step::tokens], const std::byte*& tile,
    const std::byte*& x,
    typename Step::sum (&sums)[Step::kept][Step::rows][Step::columns]) noexcept {
    if constexpr (Step::lines > 0)
        prefetch_rows<Arch, Step::lines, Tiles, Step::tile_bytes>(s, tile);
    Step::template add<Tiles>(s, token, tile, x, sums);
    tile += Tiles * Step::tile_bytes;
    x += Tiles * Step::operand_bytes;
}

/// sums = `count` tiles
template <class Arch, class Step>
TRILOBIT_INLINE void set_tiles(
    const tile_span& s, const std::int64_t (&token)[Step::tokens], std::int64_t count,
    const std::byte*& tile, const std::byte*& x,
    typename Step::sum (&sums)[Step::kept][Step::rows][Step::columns]) noexcept {
    TRILOBIT_UNROLL
    for (int i = 0; i < Step::kept; ++i) TRILOBIT_UNROLL
    for (int r = 0; r < Step::rows; ++r) TRILOBIT_UNROLL
    for (int m = 0; m < Step::columns; ++m) sums[i][r][m] = typename Step::sum(0);
    constexpr int together = Step::together;
    for (; count >= together; count -= together)
        add_tiles<Arch, Step, together>(s, token, tile, x, sums);
    if constexpr (together > 1)
        for (; count > 0; --count) add_tiles<Arch, Step, 1>(s, token, tile, x, sums);
}

template <class Arch, class Step>
TRILOBIT_NOINLINE void sum_tile(const tile_span& s) noexcept {
    const std::byte* tile = s.w.tiles;
    const std::byte* x = s.x.first;
    std::int64_t token[Step::tokens];
    simd::token_offsets(s.x.token_stride, token);
    for (int segment = 0; segment < s.segments; ++segment) {
        simd::i32<Arch> totals[Step::registers][Step::tokens];
        if constexpr (Step::fold_every == 0) {
            typename Step::sum sums[Step::kept][Step::rows][Step::columns];
            set_tiles<Arch, Step>(s, token, s.w.count, tile, x, sums);
            Step::total(sums, totals);
        } else {
            // In memory: registers are for what each tile touches.
            typename Step::folded folded{};
            for (std::int64_t left = s.w.count; left > 0; left -= Step::fold_every) {
                const std::int64_t count = left < Step::fold_every ? left : Step::fold_every;
                typename Step::sum sums[Step::kept][Step::rows][Step::columns];
                set_tiles<Arch, Step>(s, token, count, tile, x, sums);
                Step::fold(sums, count, folded);
            }
            Step::total(folded, totals);
        }
        finish<Arch>(s.to, segment, totals);
    }
}

/// What most shapes say: registers of rows follow each other in row blocks of 64 bytes.
template <class Arch>
struct shape_of_rows {
    static constexpr bool powers = true, tall = true;
    static constexpr int rows_of_register = simd::lanes<Arch>, row_step = 0;
    static constexpr int registers = 64 / simd::register_bytes<Arch>;  // of a row block
    TRILOBIT_INLINE static std::int64_t offset(const weights_span& w, int r) noexcept {
        return register_offset<Arch>(w, r);
    }
};

/// How many of `left` tokens the next register tiles take. Nearly equal sizes: nine are five and
/// four, not eight and one. Shape::powers: powers of two, where each size costs code.
template <class Shape>
constexpr int next_tokens(int left) noexcept {
    const int most = Shape::most_tokens;
    if (!Shape::powers) return static_cast<int>(ceil_div(left, ceil_div(left, most)));
    int size = 1;
    while (2 * size <= std::min(left, most)) size *= 2;
    return size;
}

/// The register tiles of `Tokens` tokens from m on, over registers [r, end) of rows.
template <class Arch, class Shape, int Tokens>
void cover_rows(const tile_span& s, int r, int end, int m) noexcept {
    constexpr int rows = Shape::rows(Tokens);
    for (; r + rows <= end; r += rows)
        sum_tile<Arch, typename Shape::template step<rows, Tokens>>(s.template at<Shape>(r, m));
    if constexpr (rows > 1 && (Shape::tall || Tokens == 1))
        for (; r < end; ++r)
            sum_tile<Arch, typename Shape::template step<1, Tokens>>(s.template at<Shape>(r, m));
    else if constexpr (rows > 1)
        for (; r < end; ++r)
            for (int i = 0; i < Tokens; ++i)
                sum_tile<Arch, typename Shape::template step<1, 1>>(s.template at<Shape>(r, m + i));
}

/// cover_rows by number of tokens, less one; null for sizes that a shape does without.
using row_cover = void (*)(const tile_span&, int, int, int) noexcept;
template <class Arch, class Shape, int... I>
constexpr std::array<row_cover, sizeof...(I)> row_covers(
    std::integer_sequence<int, I...>) noexcept {
    const auto of = []<int Tokens>() -> row_cover {
        if constexpr (Shape::powers && (Tokens & (Tokens - 1)) != 0)
            return nullptr;
        else
            return &cover_rows<Arch, Shape, Tokens>;
    };
    return { of.template operator()<I + 1>()... };
}

/// `registers` of rows and `tokens` tokens in register tiles. A shape says how large they are:
///   most_tokens, powers, rows(tokens), step<Rows, Tokens>
///   rows_of_register     of sums; offset(weights, r) is where the tiles of the r-th lie
///   row_step             registers of rows that all tokens pass before the next; 0: all
///   tall                 are rows that fill no register tile worth one of their own?
template <class Arch, class Shape>
void sum_tiles(const tile_span& s, int registers, int tokens) noexcept {
    static constexpr auto covers =
        row_covers<Arch, Shape>(std::make_integer_sequence<int, Shape::most_tokens>{});
    const bool whole = Shape::row_step == 0 || tokens <= Shape::most_tokens;
    const int step = whole ? registers : Shape::row_step;
    for (int r = 0; r < registers; r += step)
        for (int m = 0, size; m < tokens; m += size) {
            size = next_tokens<Shape>(tokens - m);
            covers[static_cast<std::size_t>(size - 1)](s, r, std::min(r + step, registers), m);
        }
}

}  // namespace trilobit::inline TRILOBIT_ABI::kernel

#include "trilobit/core/end.hpp"
