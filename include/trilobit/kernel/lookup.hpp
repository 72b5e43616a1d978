// SPDX-License-Identifier: MIT
// Room kernel. Enters: tiles whose bytes are indices; activations, which prepare() turns into
// tables of partial sums for each tile's columns. Leaves: exact sums by looking them up.
//
// How a tile is looked up, and at which cost: lookup_base3.hpp, lookup_binary.hpp and
// lookup_binary16.hpp. Here is when tables are made, and in which order tiles meet them.
#pragma once

#include "trilobit/version.hpp"

#include <array>
#include <utility>

#include "trilobit/kernel/drive.hpp"
#include "trilobit/kernel/lookup_base3.hpp"
#include "trilobit/kernel/lookup_binary.hpp"
#include "trilobit/kernel/lookup_binary16.hpp"
#include "trilobit/simd/instruction_times.hpp"

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI::kernel {

/// Few tokens to a chunk and as many rows as that allows: tables of more would not stay in the L2
/// cache. With several segments, rows of which eight tokens' sums stay in the L1 cache, and those
/// that share a table.
template <class Arch, class Layout, class Act>
inline constexpr chunk_limits lookup_limits{
    chunk_outputs, 8,
    std::max(128, Layout::tile_rows* lookup_tiles<Arch, Layout, Act>::most_blocks(1))};

template <class Arch, class Layout, class Act>
struct lookup {
    static constexpr kernel_id id = kernel_id::lookup;
    static constexpr bool available = false;
};

template <class Arch, class Layout, class Act>
    requires requires { lookup_tiles<Arch, Layout, Act>::table_bytes; }
struct lookup<Arch, Layout, Act>
    : driven<lookup<Arch, Layout, Act>, Arch, Layout, lookup_limits<Arch, Layout, Act>> {
    static constexpr kernel_id id = kernel_id::lookup;
    static constexpr bool available = true;
    static constexpr int own_tokens = lookup_limits<Arch, Layout, Act>.tokens;
    using tiles = lookup_tiles<Arch, Layout, Act>;
    using maker = table_maker<Arch, Act, tiles>;
    static constexpr std::int64_t table_bytes = tiles::table_bytes;  // of a tile
    /// Tiles that all row blocks of a chunk pass before the next. Several tokens: their tables stay
    /// in a cache. One token: it runs at the speed of memory, which wants whole rows in order (in
    /// strips of 6 KiB of them it gave a fifth less); its tables come from the L2 cache, and serve
    /// up to four row blocks each time. They are made in the loop that first looks them up, while
    /// memory delivers.
    static constexpr std::int64_t step_tiles(int tokens) noexcept {
        return (tokens == 1 ? 256 << 10 : tiles::strip_bytes / tokens) / table_bytes;
    }
    static constexpr int most_tokens = tiles::most_tokens;

    /// Row blocks for which one token's tables are made: as many as there are in one call.
    static constexpr std::int64_t first_blocks(const chunk& c) noexcept {
        constexpr std::int64_t most = tiles::most_blocks(1);
        return c.blocks >= most ? most : std::min<std::int64_t>(c.blocks, 2);
    }

    /// Whichever takes longer, lookups alone or all instructions, and a fifth more for tables and
    /// sums; see dot for the unit. Tables of many tokens come from another core, and of few wide
    /// ones not from an L2 cache of 1 MiB. Without an instruction for lookups every one is done by
    /// itself.
    static double cost(const packed_shape& w, std::int64_t tokens) noexcept {
        if constexpr (!tiles::fast) return 100;
        const auto shared = static_cast<double>(std::min<std::int64_t>(tokens, most_tokens));
        const simd::instruction_times& t = simd::times<Arch>();
        const bool in_cache = tokens * w.row_tiles() * table_bytes <= 768 << 10;
        const double passes = tokens > own_tokens ? 1.4 : in_cache ? 1.2 : 1.5;
        constexpr int weights =
            simd::register_bytes<Arch> * Layout::tile_rows * Layout::tile_cols / Layout::tile_bytes;
        const double loop = passes *
                            std::max({tiles::lookups * t.lookup, tiles::dots,
                                      tiles::instructions(shared) * t.simple}) *
                            64 / weights;
        // The end of a segment takes longer than dot's: measured with AVX2 and SSSE3.
        constexpr double end = simd::register_bytes<Arch> < 64 ? 80 : 0;
        const auto cols = static_cast<double>(std::max<std::int64_t>(w.cols, 1));
        return loop + end * static_cast<double>(w.segments()) / cols;
    }
    /// A table belongs to the columns of one tile, so no activation scale may change inside it.
    static constexpr bool accepts(const packed_shape& w, const activation_shape& x) noexcept {
        return segments_start_on_tiles(w, x);
    }
    static constexpr std::int64_t operand_bytes(const packed_shape& w,
                                                const activation_shape& x) noexcept {
        return x.tokens * w.row_tiles() * table_bytes;
    }

    static void prepare(const task& t, std::int64_t token_begin, std::int64_t token_end) noexcept {
        auto* table = reinterpret_cast<std::uint8_t*>(t.operand) +
                      token_begin * t.w.row_tiles() * table_bytes;
        for (std::int64_t m = token_begin; m < token_end; ++m)
            for (std::int64_t s = 0; s < t.w.segments(); ++s) {
                const std::int64_t first = t.w.segment_first_col(s);
                const std::int64_t width = t.w.segment_width(s);
                table = maker(t.x.token(m) + first, width, table).make(t.w.segment_tiles(s));
            }
    }

    /// f<Blocks>(b) for row blocks [b, end), as many of them at once as share a table's load.
    template <int Tokens, class F>
    TRILOBIT_INLINE static void each_blocks(std::int64_t b, std::int64_t end, F&& f) noexcept {
        constexpr int most = tiles::most_blocks(Tokens);
        for (; b + most <= end; b += most) f.template operator()<most>(b);
        if constexpr (most > 2)
            for (; b + 2 <= end; b += 2) f.template operator()<2>(b);
        if constexpr (most > 1)
            for (; b < end; ++b) f.template operator()<1>(b);
    }

    /// See drive. One token: all segments of a few row blocks before the next ones, in the order of
    /// memory; across a thousand rows one after the other, weights came from there at three
    /// quarters of the speed.
    static int add_segments(const task& t, std::int64_t index, const chunk& c, std::int32_t* acc,
                            float* sums) noexcept {
        const std::int64_t segments = segment::count(t.w, t.x);
        const std::int64_t own = t.x.segments() == 1 ? 0 : 1;  // scales of activations, a segment
        if (c.tokens > 1 || t.w.segments() != segments ||
            (own == 1 && t.x.segments() != segments)) {
            const segment s = segment::at(t.w, t.x, index);
            sum_segment(t, index, s, c, acc);
            add_scaled<Arch, Layout>(t, s, c, false, acc, sums);
            return 1;
        }
        const std::int64_t row_tiles = t.w.row_tiles(), step = segment::step(t.w, t.x);
        const std::int64_t most_tiles = t.w.segment_tiles(0);
        const bool fresh = t.made != nullptr && *t.made < row_tiles;
        const float* const by = t.x.scales + c.token * t.x.segments();
        const packed_view w = t.w;
        auto* const table =
            reinterpret_cast<std::uint8_t*>(t.operand) + c.token * row_tiles * table_bytes;
        // tables_of(segment, its first tile)
        const auto blocks = [&]<int Blocks>(std::int64_t b, auto&& tables_of) {
            constexpr int rows = Layout::tile_rows;
            alignas(64) float scales[Blocks * rows];
            lookup_span span{.tiles = w.tile_at(c.block, 0),
                             .block_stride = row_tiles * Layout::tile_bytes,
                             .count = 0,
                             .left = row_tiles,
                             .skip = 0,
                             .table = table,
                             .token_stride = 0,
                             .first = true,
                             .last = true,
                             .sums = sums + b * rows,
                             .row_scales = scales,
                             .token_scale = 0,
                             .acc = acc + b * rows};
            for (std::int64_t i = 0; i < segments; ++i) {
                span.count = std::min(most_tiles, span.left);
                span.token_scale = by[i * own];
                for (int n = 0; n < Blocks; ++n)
                    load_scales<Arch>(w, ((c.block + b + n) * segments + i) * rows, rows,
                                      scales + n * rows);
                auto&& tables = tables_of(i, row_tiles - span.left);
                tiles::template sum<Blocks, 1>(span, b, acc, 0, tables);
                span.left -= span.count;
                span.tiles += span.count * Layout::tile_bytes;
                span.table += span.count * table_bytes;
            }
        };
        const auto all = [&](std::int64_t b, std::int64_t end, auto&& tables_of) {
            each_blocks<1>(b, end, [&]<int Blocks>(std::int64_t at) TRILOBIT_LAMBDA_INLINE {
                blocks.template operator()<Blocks>(at, tables_of);
            });
        };
        tables_are_made made;
        std::int64_t done = 0;
        if (fresh) {
            done = first_blocks(c);
            all(0, done, [&](std::int64_t i, std::int64_t tile) {
                return maker(t.x.token(c.token) + i * step, std::min(step, w.cols - i * step),
                             table + tile * table_bytes);
            });
            *t.made = row_tiles;
        }
        all(done, c.blocks, [&](std::int64_t, std::int64_t) -> tables_are_made& { return made; });
        return static_cast<int>(segments - index);
    }

    static void sum_segment(const task& t, std::int64_t, const segment& s, const chunk& c,
                            std::int32_t* acc) noexcept {
        const std::int64_t stride = c.blocks * Layout::tile_rows;
        const std::int64_t token_stride = t.w.row_tiles() * table_bytes;
        const std::int64_t first = s.first_tile(t.w), count = s.tiles(t.w);
        const std::int64_t row_bytes = t.w.row_tiles() * Layout::tile_bytes;
        auto* const table = reinterpret_cast<std::uint8_t*>(t.operand) + c.token * token_stride +
                            first * table_bytes;
        // Tiles [k, k + some) against the row blocks [b, end).
        const auto some_tiles = [&]<int Tokens>(std::int64_t k, std::int64_t some, std::int64_t b,
                                                std::int64_t end, int m, auto& tables) {
            const lookup_span span{t.w.tile_at(c.block, 0) + (first + k) * Layout::tile_bytes,
                                   row_bytes,
                                   some,
                                   count - k,
                                   row_bytes - count * Layout::tile_bytes,
                                   table + m * token_stride + k * table_bytes,
                                   token_stride,
                                   k == 0,
                                   k + some == count};
            std::int32_t* to = acc + m * stride;
            each_blocks<Tokens>(b, end, [&]<int Blocks>(std::int64_t at) TRILOBIT_LAMBDA_INLINE {
                tiles::template sum<Blocks, Tokens>(span, at, to, stride, tables);
            });
        };
        const bool fresh = t.made != nullptr && *t.made < first + count;
        const auto maker_of = [&](int m) {
            return maker(t.x.token(c.token + m) + s.first, s.width, table + m * token_stride);
        };
        const auto tokens = [&]<int Tokens>(int m) {
            constexpr std::int64_t step = step_tiles(Tokens);
            tables_are_made made;
            std::int64_t done = 0;  // row blocks
            if constexpr (Tokens == 1) {
                if (fresh) {
                    done = first_blocks(c);
                    maker of_token = maker_of(m);
                    some_tiles.template operator()<1>(0, count, 0, done, m, of_token);
                }
            } else if (fresh) {
                done = c.blocks;
                const auto makers_of = [&]<std::size_t... I>(std::index_sequence<I...>) {
                    return std::array<maker, Tokens>{maker_of(m + static_cast<int>(I))...};
                };
                auto makers = makers_of(std::make_index_sequence<Tokens>{});
                for (std::int64_t k = 0; k < count; k += step) {
                    const std::int64_t some = std::min(step, count - k);
                    for (maker& of_token : makers) of_token.make(some);
                    some_tiles.template operator()<Tokens>(k, some, 0, done, m, made);
                }
            }
            for (std::int64_t k = 0; k < count && done < c.blocks; k += step)
                some_tiles.template operator()<Tokens>(k, std::min(step, count - k), done, c.blocks,
                                                       m, made);
        };
        int m = 0;
        if constexpr (most_tokens >= 8)
            for (; m + 8 <= c.tokens; m += 8) tokens.template operator()<8>(m);
        if constexpr (most_tokens >= 4)
            for (; m + 4 <= c.tokens; m += 4) tokens.template operator()<4>(m);
        if constexpr (most_tokens >= 2)
            for (; m + 2 <= c.tokens; m += 2) tokens.template operator()<2>(m);
        for (; m < c.tokens; ++m) tokens.template operator()<1>(m);
        if (fresh) *t.made = first + count;
    }
};

}  // namespace trilobit::inline TRILOBIT_ABI::kernel

#include "trilobit/core/end.hpp"
