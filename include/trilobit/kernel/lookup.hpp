// SPDX-License-Identifier: MIT
// Room kernel. Enters: tiles whose bytes are indices; activations, which prepare() turns into
// tables of partial sums for each tile's columns. Leaves: exact sums by looking them up.
//
// How a tile is looked up, and at which cost: layouts/ternary_base3.hpp, layouts/binary_lookup.hpp.
// Here is in which order tiles meet their tables.
#pragma once

#include "trilobit/version.hpp"

#include "trilobit/kernel/drive.hpp"
#include "trilobit/kernel/layouts/all.hpp"

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI::kernel {

/// Few tokens to a block and as many rows as that allows: tables of more would not stay in the L2
/// cache. With several segments, rows of which eight tokens' sums stay in the L1 cache, and those
/// that share a table.
template <class Shape>
inline constexpr block_limits lookup_limits{
    block_outputs, 8, std::max(128, Shape::rows(1) * Shape::rows_of_register)};

template <class Arch, class Layout, int Tables>
struct lookup_any {
    static constexpr kernel_id id = kernel_id::lookup;
    static constexpr bool available = false;
};

/// Activations of one width of tables share a body.
template <class Arch, class Layout, int Tables>
    requires requires { lookup_shape<Arch, Layout, Tables>::table_bytes; }
struct lookup_any<Arch, Layout, Tables>
    : driven<lookup_any<Arch, Layout, Tables>, Arch, Layout,
             lookup_limits<lookup_shape<Arch, Layout, Tables>>> {
    static constexpr kernel_id id = kernel_id::lookup;
    static constexpr bool available = true;
    using shape = lookup_shape<Arch, Layout, Tables>;
    static constexpr block_limits limits = lookup_limits<shape>;
    static constexpr int own_tokens = limits.tokens;
    static constexpr std::int64_t table_bytes = shape::table_bytes;
    static constexpr int most_tables = 768 << 10;  // bytes in an L2 cache of 1 MiB or more
    struct scratch {
        alignas(64) float scales[std::max(limits.row_step, Layout::tile_rows) * scaled_segments];
    };
    /// Tiles that all rows of a block pass before the next: tables of several tokens stay in the
    /// L2 cache; fewer, in the L1 cache, change sums more often. One token runs at the speed of
    /// memory, which wants long pieces of rows in order.
    static constexpr std::int64_t step_tiles(int tokens) noexcept {
        return (tokens == 1 ? most_tables : (128 << 10) / tokens) / table_bytes;
    }

    /// Whichever takes longer, lookups alone or all instructions, and a fifth more for tables and
    /// sums; see dot for the unit. Tables of many tokens come from another core, and of few wide
    /// ones not from an L2 cache of 1 MiB.
    static constexpr double cost(const packed_shape& w, std::int64_t tokens) noexcept {
        using machine = simd::machine<Arch>;
        const auto shared = static_cast<double>(std::min<std::int64_t>(tokens, shape::most_tokens));
        const bool in_cache = tokens * w.row_tiles() * table_bytes <= most_tables;
        const double passes = tokens > own_tokens ? 1.4 : in_cache ? 1.2 : 1.5;
        constexpr int weights =
            simd::register_bytes<Arch> * Layout::tile_rows * Layout::tile_cols / Layout::tile_bytes;
        const double loop = passes *
                            std::max({shape::lookups * machine::cost.lookup, shape::dots + 0.0,
                                      shape::instructions(shared) * machine::cost.simple}) *
                            64 / weights;
        // The end of a segment takes longer than dot's: measured on a Zen 3, and with SSSE3.
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
        for (std::int64_t m = token_begin; m < token_end; ++m)
            for (std::int64_t s = 0; s < t.w.segments(); ++s) {
                const std::int64_t tile = m * t.w.row_tiles() + t.w.segment_first_tile(s);
                make_tables<Tables, shape>(
                    t.x.token(m) + t.w.segment_first_col(s), t.w.segment_width(s),
                    reinterpret_cast<std::uint8_t*>(t.operand) + tile * table_bytes);
            }
    }

    static void sum_segment(const task& t, std::int64_t, const segment& s, const block& b,
                            std::int32_t* acc) noexcept {
        const tile_span whole = span_of(t, s, b, acc);
        const int registers = static_cast<int>(b.row_blocks) * shape::registers;
        for (int m = 0, size; m < b.tokens; m += size) {
            size = next_tokens<shape>(b.tokens - m);
            tile_span span = whole;
            span.x.first += m * whole.x.token_stride;
            span.to.move_from(whole.to, 0, m);
            const std::int64_t step = step_tiles(size);
            for (std::int64_t left = whole.w.count; left > 0; left -= step) {
                span.w.count = std::min(left, step);
                sum_tiles<Arch, shape>(span, registers, size);
                span.to.start = nullptr;
                span.w.tiles += step * Layout::tile_bytes;
                span.x.first += step * table_bytes;
            }
        }
    }

    /// One token: all segments of a few row blocks before the next ones, in the order of memory.
    static int add_segments(const task& t, std::int64_t index, const block& b, std::int32_t* acc,
                            float* sums) noexcept {
        if (b.tokens > 1 || segment::count(t.w, t.x) == 1) return 0;
        const segment s = segment::at(t.w, t.x, index);
        tile_span span = span_of(t, s, b, acc);
        span.segments = scalable_segments(t, index);
        scale_into<Arch, Layout>(t, s, b, own_scratch<lookup_any>(t).scales, sums, span);
        sum_tiles<Arch, shape>(span, static_cast<int>(b.row_blocks) * shape::registers, 1);
        return span.segments;
    }

private:
    static tile_span span_of(const task& t, const segment& s, const block& b,
                             std::int32_t* acc) noexcept {
        const std::int64_t first = s.first_tile(t.w), row_tiles = t.w.row_tiles();
        tile_span span{};
        span.w = {t.w.tile_at(b.row_block, 0) + first * Layout::tile_bytes, s.tiles(t.w),
                  row_tiles * Layout::tile_bytes};
        span.x = {t.operand + (b.token * row_tiles + first) * table_bytes, row_tiles * table_bytes};
        span.to.acc = acc;
        span.to.stride = b.row_blocks * Layout::tile_rows;
        span.to.start_from_zero();
        return span;
    }
};

template <class Arch, class Layout, class Act>
struct lookup : lookup_any<Arch, Layout, lookup_tables<Act>> {};

}  // namespace trilobit::inline TRILOBIT_ABI::kernel

#include "trilobit/core/end.hpp"
