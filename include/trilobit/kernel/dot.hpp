// SPDX-License-Identifier: MIT
// Room kernel. Enters: dot tiles, or any other layout decoded to them a panel at a time. Leaves:
// exact sums by the machine's dot product of bytes. Claims every activation, and every layout whose
// sums of codes fit int32 and whose tiles fit a panel.
#pragma once

#include "trilobit/version.hpp"

#include "trilobit/kernel/dot_sparse.hpp"
#include "trilobit/kernel/dot_tile.hpp"
#include "trilobit/kernel/drive.hpp"
#include "trilobit/kernel/panel_activations.hpp"
#include "trilobit/simd/instruction_times.hpp"

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI::kernel {

/// AMX's sums of a chunk stay in the L1 cache beside a panel, and its tokens start where an A tile
/// does.
template <class Arch, class Layout>
inline constexpr chunk_limits dot_limits =
    has_amx<Arch> ? chunk_limits{chunk_tokens * std::max(panel_rows<Arch>, Layout::tile_rows),
                                 chunk_tokens, panel_rows<Arch>, 32}
                  : chunk_limits{};

/// All kinds of activations are bytes here: one body serves the four.
template <class Arch, class Layout>
struct dot_any : driven<dot_any<Arch, Layout>, Arch, Layout, dot_limits<Arch, Layout>> {
    static constexpr kernel_id id = kernel_id::dot;
    using codes = panel_codes<value_span<typename Layout::kind>>;
    static constexpr int panel_columns = panel_width<Arch, Layout>;
    /// Sums of codes fit int32, a group of columns is one panel, and one for AMX ends with a tile.
    static constexpr bool available = dot_fields<codes>::largest_code <= largest_weight &&
                                      panel_columns >= 256 &&
                                      (!has_amx<Arch> || panel_columns % 64 == 0);
    using sparse = sparse_words<Arch, Layout>;
    using panel_x = panel_activations<Arch, Layout>;
    static constexpr int scaled_segments = 32;
    static constexpr int group = group_blocks<Layout, panel_rows<Arch>>;
    struct scratch {
        alignas(64) std::byte panels[group * Layout::tile_rows / 16 * panel_stride<Arch>];
        alignas(64) float scales[group * Layout::tile_rows * scaled_segments];
    };

    /// In dot products of 512 bits, for 64 multiply-adds; the same unit in every family. Decoding a
    /// register of weights takes what the decoder says, or as long as 60 dot products through the
    /// layout's own decode. A field of a byte takes an AND, which waits for a dot product's port
    /// where simple instructions are no faster; tokens share it. Sums in int16 of weights as they
    /// are packed take a fifth less than those of panels.
    static double cost(const packed_shape&, std::int64_t tokens) noexcept {
        const double width = 64.0 / simd::register_bytes<Arch>;
        const double dots = (!has_ssse3<Arch> ? 4 : simd::exact_dot4<Arch> ? 1 : 2) * width;
        const auto shared = static_cast<double>(std::min<std::int64_t>(tokens, chunk_tokens));
        const simd::instruction_times& t = simd::times<Arch>();
        if (!decodes(static_cast<std::int64_t>(shared))) {
            const double masks = std::max(0.0, 2 * t.simple - 1) / std::min(shared, 8.0);
            if constexpr (dot_layout<Layout>)
                return (simd::prefers_madd2<Arch> ? 0.84 : 1.05) * dots *
                       dot_fields<Layout>::planes * (1 + masks);
        }
        using decoder = panel_decoder<Arch, Layout>;
        const double instructions = decoder::lookups * t.lookup + decoder::simple * t.simple;
        const double decode = instructions > 0 ? instructions * width : 60;
        return 1.05 * ((has_amx<Arch> ? 0.2 : dots) + decode / shared);
    }

    static constexpr bool accepts(const packed_shape& w, const activation_shape& x) noexcept {
        return !dot_layout<Layout> || segments_start_on_tiles(w, x);
    }
    static constexpr std::int64_t sum_bytes(const packed_shape& w,
                                            const activation_shape& x) noexcept {
        return x.tokens * segment::count(w, x) * 4;
    }
    static constexpr std::int64_t operand_bytes(const packed_shape& w,
                                                const activation_shape& x) noexcept {
        return panel_bytes(w, x) + sum_bytes(w, x) + sparse::bytes(w, x);
    }
    /// Of activations for panels, which come first.
    static constexpr std::int64_t panel_bytes(const packed_shape& w,
                                              const activation_shape& x) noexcept {
        return decodes(x.tokens) ? panel_x::bytes(w, x) : 0;
    }
    static std::byte* sums_at(const task& t) noexcept { return t.operand + panel_bytes(t.w, t.x); }
    static std::byte* sparse_at(const task& t) noexcept { return sums_at(t) + sum_bytes(t.w, t.x); }
    static void prepare(const task& t, std::int64_t token_begin, std::int64_t token_end) noexcept {
        scaled_sums<Arch>(t.w, t.x, token_begin, token_end, Layout::kind::lowest,
                          reinterpret_cast<std::int32_t*>(sums_at(t)));
        sparse::prepare(t, sparse_at(t));
        if (decodes(t.x.tokens)) panel_x::prepare(t, t.operand, token_begin, token_end);
    }

    /// Is one pass over decoded weights better than masking them again for each few tokens? Not
    /// where there are registers for few tokens alone: on AVX2 118 GMAC/s became 132 without.
    static constexpr bool decodes(std::int64_t tokens) noexcept {
        if constexpr (!dot_layout<Layout>) return true;
        if (simd::prefers_madd2<Arch> && !has_avx512bw<Arch>) return false;
        return tokens >= (has_amx<Arch> ? 6 : 16);
    }

    static dot_span span_of(const task& t, std::int64_t index, const segment& s,
                            const chunk& c) noexcept {
        const std::int64_t segments = segment::count(t.w, t.x);
        dot_span span{t.w.tile_at(c.block, s.weight_segment),
                      0,
                      0,
                      0,
                      t.x.token(c.token) + s.first,
                      t.x.value_stride(),
                      reinterpret_cast<const std::int32_t*>(sums_at(t)) + c.token * segments +
                          index,
                      segments};
        // The sum of a segment's activations is counted once, by its first part.
        if (s.first != index * segment::step(t.w, t.x)) span.start_from_zero();
        return span;
    }

    static void sum_segment(const task& t, std::int64_t index, const segment& s, const chunk& c,
                            std::int32_t* acc) noexcept {
        const dot_span span = span_of(t, index, s, c);
        if (sparse::sum(t, sparse_at(t), index, s, c, span, acc)) return;
        by_tokens(t, s, c, span, acc);
    }

    /// Segments from `index` on that are summed at once: equal ones, each whole tiles and with
    /// scales of its own; of panels, whole steps of the decoder, and as many as a panel holds.
    static int segments_at_once(const task& t, std::int64_t index, const chunk& c) noexcept {
        const std::int64_t step = segment::step(t.w, t.x), segments = segment::count(t.w, t.x);
        const bool alike = t.w.scale.per == granularity::group && t.w.segments() == segments &&
                           (t.x.segments() == 1 || t.x.segments() == segments);
        if (!alike || sparse::any(t, sparse_at(t))) return 1;
        std::int64_t most = scaled_segments;
        if (decodes(c.tokens)) {
            const std::int64_t cols = 4 * panel_x::words(t.w, t.x, step);
            if (has_amx<Arch> || cols % panel_decoder<Arch, Layout>::step_cols != 0) return 1;
            most = panel_cols<Arch> / cols;
        } else if constexpr (dot_layout<Layout>) {
            if (dot_fields<Layout>::planes > 1) return 1;
        }
        const std::int64_t whole = t.w.cols / step - index;
        return static_cast<int>(std::max<std::int64_t>(std::min(most, whole), 1));
    }

    /// sums += what sum_segment leaves of some segments, at least one, and how many: scaled while
    /// they are in registers. Of a hundred columns, a second pass over acc takes half as long as
    /// the products.
    static int add_segments(const task& t, std::int64_t index, const chunk& c, std::int32_t* acc,
                            float* sums) noexcept {
        const segment s = segment::at(t.w, t.x, index);
        dot_span span = span_of(t, index, s, c);
        bool integers = sparse::sum(t, sparse_at(t), index, s, c, span, acc);
        if (has_amx<Arch> && decodes(c.tokens) && !integers) {
            by_tokens(t, s, c, span, acc);
            integers = true;
        }
        if (integers) {
            add_scaled<Arch, Layout>(t, s, c, false, acc, sums);
            return 1;
        }
        constexpr int rows = Layout::tile_rows;
        float* const scales = own_scratch<dot_any>(t).scales;  // (16 rows, segments, 16)
        span.segments = segments_at_once(t, index, c);
        span.block_scale_stride = 16 * span.segments;
        const std::int64_t segments = t.w.segments();
        for (std::int64_t b = 0; b < c.blocks; ++b) {
            const std::int64_t first = (c.block + b) * segments + s.weight_segment;
            float* const of_block = scales + b * rows * span.segments;
            if (rows == 16)
                load_scales<Arch>(t.w, first * rows, span.block_scale_stride, of_block);
            else
                for (int i = 0; i < span.segments; ++i)
                    for (int r = 0; r < rows; r += 16)
                        load_scales<Arch>(t.w, (first + i) * rows + r, 16,
                                          of_block + r * span.segments + 16 * i);
        }
        span.sums = sums;
        span.row_scales = scales;
        span.token_scale_stride = t.x.segments();
        span.next_token_scale = t.x.segments() == 1 ? 0 : 1;
        span.token_scales = t.x.scales + c.token * span.token_scale_stride + s.activation_segment;
        by_tokens(t, s, c, span, acc);
        return span.segments;
    }

    static void by_tokens(const task& t, const segment& s, const chunk& c, const dot_span& span,
                          std::int32_t* acc) noexcept {
        if (decodes(c.tokens))
            by_panels(t, s, c, span, acc);
        else if constexpr (dot_layout<Layout>)
            by_tiles(t, s, c, span, acc);
    }

    /// Weights as they are packed, masked in registers.
    static void by_tiles(const task& t, const segment& s, const chunk& c, dot_span span,
                         std::int32_t* acc) noexcept {
        using fields = dot_fields<Layout>;
        constexpr int registers = 64 / simd::register_bytes<Arch>;
        span.tiles = t.w.tile_at(c.block, 0) + s.first_tile(t.w) * Layout::tile_bytes;
        span.count = s.tiles(t.w);
        span.tile_stride = Layout::tile_bytes;
        span.block_stride = t.w.row_tiles() * Layout::tile_bytes;
        const std::int64_t acc_stride = c.blocks * Layout::tile_rows;
        const auto all = static_cast<int>(c.blocks * registers);
        each_plane<fields>(span, [&]<int Weight>(const dot_span& plane) {
            dot_tiles<Arch, fields, Weight>(plane, all, c.tokens, acc, acc_stride);
        });
    }

    /// Zeros up to a whole AMX tile of words, whatever the activations beside them are.
    static void pad_words(std::byte* to, int words) noexcept {
        if (const int last = words % amx_words; last != 0)
            for (int i = 0; i < Layout::tile_rows / 16; ++i)
                std::memset(to + i * panel_stride<Arch> + words * panel::tile_bytes, 0,
                            static_cast<std::size_t>(amx_words - last) * panel::tile_bytes);
    }

    /// Weights decoded to bytes, some rows at a time.
    static void by_panels(const task& t, const segment& s, const chunk& c, dot_span span,
                          std::int32_t* acc) noexcept {
        constexpr int width = panel_columns;
        constexpr int registers = 4 * Layout::tile_rows / simd::register_bytes<Arch>;
        std::byte* const panels = own_scratch<dot_any>(t).panels;
        const std::int64_t tiles = t.w.segment_tiles(s.weight_segment);
        const std::int64_t offset = s.first - t.w.segment_first_col(s.weight_segment);
        const bool on_steps = segments_start_on_tiles(t.w, t.x) &&
                              offset % panel_decoder<Arch, Layout>::step_cols == 0;
        const std::int64_t acc_stride = c.blocks * Layout::tile_rows;
        const std::int64_t panel_bytes = width / Layout::tile_cols * Layout::tile_bytes;
        const std::int64_t group_bytes = group * t.w.row_tiles() * Layout::tile_bytes;
        span.tiles = panels;
        span.tile_stride = panel::tile_bytes;
        span.block_stride = panel_stride<Arch>;
        const std::int64_t first_col = panel_x::first_of(t, s);
        const auto rows = panel_x::rows(t, t.operand);
        span.x = rows.token(c.token) + first_col;
        span.token_stride = rows.stride;
        const dot_span first = span;
        [[maybe_unused]] std::conditional_t<has_amx<Arch>, amx_unit, int> unit{};
        for (std::int64_t b = 0; b < c.blocks; b += group) {
            const auto blocks = static_cast<int>(std::min<std::int64_t>(group, c.blocks - b));
            span = first;
            for (std::int64_t col = 0; col < s.width; col += width) {
                const bool last = col + width >= s.width;
                span.count = panel_x::words(t.w, t.x, last ? s.width - col : width);
                span.sums = nullptr;
                if (last && first.sums != nullptr) {
                    span.sums = first.sums + b * Layout::tile_rows;
                    span.row_scales =
                        first.row_scales + b * Layout::tile_rows / 16 * first.block_scale_stride;
                }
                // The next columns of these rows, and after the last the first ones of the next
                // rows.
                const std::int64_t ahead =
                    !last ? panel_bytes
                          : group_bytes - col / Layout::tile_cols * Layout::tile_bytes;
                const auto words = static_cast<int>(span.count);
                for (int i = 0; i < blocks; ++i) {
                    std::byte* to = panels + i * Layout::tile_rows / 16 * panel_stride<Arch>;
                    for (int j = 0; j < span.segments; ++j, to += words * panel::tile_bytes) {
                        const std::byte* from = t.w.tile_at(c.block + b + i, s.weight_segment + j);
                        if (on_steps)
                            decode_panel<Arch, Layout>(from, tiles, offset + col, words, ahead, to);
                        else
                            decode_columns<Arch, Layout>(from, tiles, offset + col, words, to);
                        if constexpr (has_amx<Arch>) pad_words(to, words);
                    }
                }
                std::int32_t* to = acc + b * Layout::tile_rows;
                if constexpr (has_amx<Arch>) {
                    amx_activations a = panel_x::tiles(t, t.operand, c.token, first_col);
                    a.x += col / 64 * a.step;
                    amx_tiles<Arch>(unit, span, a, blocks * registers, c.tokens, to, acc_stride);
                } else {
                    dot_tiles<Arch, dot_fields<codes>, 1>(span, blocks * registers, c.tokens, to,
                                                          acc_stride);
                }
                span.start = nullptr;
                span.x += width;
            }
        }
    }
};

template <class Arch, class Layout, class Act>
struct dot : dot_any<Arch, Layout> {};

}  // namespace trilobit::inline TRILOBIT_ABI::kernel

#include "trilobit/core/end.hpp"
