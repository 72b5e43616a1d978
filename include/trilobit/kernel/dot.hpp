// SPDX-License-Identifier: MIT
// Room kernel. Enters: tiles whose bytes are fields, or any other layout decoded to panels. Leaves:
// exact sums by the machine's dot product of bytes, or by its matrix unit. Claims every activation,
// and every layout whose sums of codes fit int32 and whose tiles fit a panel.
#pragma once

#include "trilobit/version.hpp"

#include "trilobit/kernel/drive.hpp"
#include "trilobit/kernel/layouts/all.hpp"
#include "trilobit/kernel/panel_activations.hpp"

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI::kernel {

/// A matrix unit's sums of a block stay in the L1 cache beside a panel.
template <class Arch, class Layout, class Unit = matrix_unit<Arch>>
inline constexpr block_limits dot_limits =
    Unit::available ? block_limits{block_tokens * std::max(panel_rows<Arch>, Layout::tile_rows),
                                   block_tokens, panel_rows<Arch>, Unit::token_step}
                    : block_limits{};

/// All kinds of activations are bytes here: one body serves the four.
template <class Arch, class Layout>
struct dot_any : driven<dot_any<Arch, Layout>, Arch, Layout, dot_limits<Arch, Layout>> {
    static constexpr kernel_id id = kernel_id::dot;
    using machine = simd::machine<Arch>;
    using matrix = matrix_unit<Arch>;
    using codes = panel_codes<value_span<typename Layout::kind>>;
    using decoder = panel_decoder<Arch, Layout>;
    using panel_x = panel_activations<Arch, Layout>;
    static constexpr int panel_columns = panel_width<Arch, Layout>;
    static constexpr int group = group_blocks<Layout, panel_rows<Arch>>;
    /// Sums of codes fit int32, a group of columns is one panel, and one for a matrix unit ends
    /// with a tile of its.
    static constexpr bool available = dot_fields<codes>::largest_code <= largest_weight &&
                                      panel_columns >= 256 &&
                                      panel_columns % (4 * matrix::words) == 0;
    /// Of one segment a whole block's, of several those of one step of rows.
    static constexpr int most_scales =
        std::max(block_outputs, group* Layout::tile_rows* scaled_segments);
    struct scratch {
        alignas(64) std::byte panels[group * Layout::tile_rows / 16 * panel_stride<Arch>];
        alignas(64) float scales[most_scales];
    };

    /// In dot products of 512 bits, for 64 multiply-adds; the same unit in every family.
    static constexpr double cost(const packed_shape&, std::int64_t tokens) noexcept {
        const double width = 64.0 / simd::register_bytes<Arch>;
        const double dots = width * (simd::exact_dot4<Arch>      ? 1
                                     : simd::sums_in_int16<Arch> ? 2
                                                                 : 4);
        const auto shared = static_cast<double>(std::min<std::int64_t>(tokens, block_tokens));
        if constexpr (dot_layout<Layout>)
            if (!decodes(tokens)) {
                // An AND for a field waits for a dot product's port where simple instructions are
                // no faster; tokens share it. Sums in int16 take a fifth less than of panels.
                const double masks =
                    std::max(0.0, 2 * machine::cost.simple - 1) / std::min(shared, 8.0);
                return (simd::sums_in_int16<Arch> ? 0.84 : 1.05) * dots *
                       dot_fields<Layout>::planes * (1 + masks);
            }
        // What the decoder says, or 60 dot products through the layout's own decode.
        const double instructions =
            decoder::lookups * machine::cost.lookup + decoder::simple * machine::cost.simple;
        const double decode = instructions > 0 ? instructions * width : 60;
        double products = dots;
        if constexpr (matrix::available) products = matrix::cost;
        return 1.05 * (products + decode / shared);
    }

    static constexpr bool accepts(const packed_shape& w, const activation_shape& x) noexcept {
        return !dot_layout<Layout> || segments_start_on_tiles(w, x);
    }
    static constexpr std::int64_t operand_bytes(const packed_shape& w,
                                                const activation_shape& x) noexcept {
        return panel_bytes(w, x) + x.tokens * segment::count(w, x) * 4;
    }
    /// Of activations for panels, which come first; sums of activations follow.
    static constexpr std::int64_t panel_bytes(const packed_shape& w,
                                              const activation_shape& x) noexcept {
        return decodes(x.tokens) ? panel_x::bytes(w, x) : 0;
    }
    static std::int32_t* x_sums(const task& t) noexcept {
        return reinterpret_cast<std::int32_t*>(t.operand + panel_bytes(t.w, t.x));
    }
    static void prepare(const task& t, std::int64_t token_begin, std::int64_t token_end) noexcept {
        scaled_sums<Arch>(t.w, t.x, token_begin, token_end, Layout::kind::lowest, x_sums(t));
        if (decodes(t.x.tokens)) panel_x::prepare(t, t.operand, token_begin, token_end);
    }

    /// Is one pass over decoded weights better than masking them again for each few tokens? Not
    /// where there are registers for few tokens alone: on a Zen 3, 118 GMAC/s became 132 without.
    static constexpr bool decodes(std::int64_t tokens) noexcept {
        if constexpr (!dot_layout<Layout>) return true;
        if (simd::sums_in_int16<Arch> && !simd::many_registers<Arch>) return false;
        return tokens >= matrix::least_tokens;
    }

    static void sum_segment(const task& t, std::int64_t index, const segment& s, const block& b,
                            std::int32_t* acc) noexcept {
        sum(t, s, b, span_of(t, index, s, b, acc));
    }

    /// sums += some segments, scaled while they are in registers. Of a hundred columns, a second
    /// pass over acc takes half as long as the products.
    static int add_segments(const task& t, std::int64_t index, const block& b, std::int32_t* acc,
                            float* sums) noexcept {
        const bool panels = decodes(b.tokens);
        if (panels ? matrix::available : segment::count(t.w, t.x) == 1) return 0;
        const segment s = segment::at(t.w, t.x, index);
        tile_span span = span_of(t, index, s, b, acc);
        span.segments = scalable_segments(t, index);
        if (panels) {  // whole steps of the decoder, and as many segments as a panel holds
            const std::int64_t cols = 4 * panel_x::words(t.w, t.x, segment::step(t.w, t.x));
            const std::int64_t most = cols % decoder::step_cols != 0 ? 1 : panel_cols<Arch> / cols;
            span.segments =
                std::min(span.segments, static_cast<int>(std::max<std::int64_t>(most, 1)));
        } else if constexpr (dot_layout<Layout>) {
            if (dot_fields<Layout>::planes > 1) span.segments = 1;
        }
        scale_into<Arch, Layout>(t, s, b, own_scratch<dot_any>(t).scales, sums, span);
        sum(t, s, b, span);
        return span.segments;
    }

private:
    static tile_span span_of(const task& t, std::int64_t index, const segment& s, const block& b,
                             std::int32_t* acc) noexcept {
        tile_span span{};
        span.x = {reinterpret_cast<const std::byte*>(t.x.token(b.token) + s.first),
                  t.x.value_stride()};
        span.to.acc = acc;
        span.to.stride = b.row_blocks * Layout::tile_rows;
        span.to.start_stride = segment::count(t.w, t.x);
        span.to.start = x_sums(t) + b.token * span.to.start_stride + index;
        return span;
    }
    static void sum(const task& t, const segment& s, const block& b,
                    const tile_span& span) noexcept {
        if (decodes(b.tokens))
            by_panels(t, s, b, span);
        else if constexpr (dot_layout<Layout>)
            by_tiles(t, s, b, span);
    }

    /// Weights as they are packed, masked in registers.
    static void by_tiles(const task& t, const segment& s, const block& b, tile_span span) noexcept {
        using fields = dot_fields<Layout>;
        using shape = dot_shape<Arch, typename fields::loop>;
        const int registers = static_cast<int>(b.row_blocks) * shape::registers;
        span.w = {t.w.tile_at(b.row_block, 0) + s.first_tile(t.w) * Layout::tile_bytes,
                  s.tiles(t.w), t.w.row_tiles() * Layout::tile_bytes};
        span.to.weight = fields::plane_weight[0];
        if constexpr (fields::planes == 2) {  // the second starts from what the first leaves
            float* const floats = std::exchange(span.to.floats, nullptr);
            span.to.start_from_zero();
            sum_tiles<Arch, shape>(span, registers, b.tokens);
            span.to.floats = floats;
            span.to.start = nullptr;
            span.w.tiles += 64;
            span.to.weight = fields::plane_weight[1];
        }
        sum_tiles<Arch, shape>(span, registers, b.tokens);
    }

    /// Weights decoded to bytes, some rows and columns at a time.
    static void by_panels(const task& t, const segment& s, const block& b,
                          const tile_span& whole) noexcept {
        constexpr int registers = 4 * Layout::tile_rows / simd::register_bytes<Arch>;
        const auto rows = panel_x::rows(t, t.operand);
        const std::int64_t first_col = panel_x::first_of(t, s);
        std::byte* const panels = own_scratch<dot_any>(t).panels;
        [[maybe_unused]] matrix own;
        for (std::int64_t i = 0; i < b.row_blocks; i += group) {
            const auto blocks = static_cast<int>(std::min<std::int64_t>(group, b.row_blocks - i));
            tile_span span = whole;
            span.w = {panels, 0, panel_stride<Arch>};
            span.to.move_from(whole.to, i * Layout::tile_rows, 0);
            float* const floats = span.to.floats;
            for (std::int64_t col = 0; col < s.width; col += panel_columns) {
                const std::int64_t left = s.width - col;
                span.w.count =
                    panel_x::words(t.w, t.x, std::min<std::int64_t>(left, panel_columns));
                span.x = {reinterpret_cast<const std::byte*>(rows.token(b.token) + first_col + col),
                          rows.stride};
                span.to.floats = left <= panel_columns ? floats : nullptr;
                decode(t, s, b.row_block + i, blocks, col, static_cast<int>(span.w.count),
                       span.segments, panels);
                if constexpr (matrix::available)
                    own.multiply(span, panel_x::tiles(t, t.operand, b.token, first_col + col),
                                 blocks * Layout::tile_rows / 16, b.tokens);
                else
                    sum_tiles<Arch, dot_shape<Arch, dot_fields<codes>>>(span, blocks * registers,
                                                                        b.tokens);
                span.to.start = nullptr;
            }
        }
    }

    /// `words` of each segment's columns from `col` on, of some row blocks.
    static void decode(const task& t, const segment& s, std::int64_t row_block, int blocks,
                       std::int64_t col, int words, int segments, std::byte* panels) noexcept {
        const std::int64_t tiles = t.w.segment_tiles(s.weight_segment);
        const std::int64_t first = s.first - t.w.segment_first_col(s.weight_segment) + col;
        const bool on_steps =
            segments_start_on_tiles(t.w, t.x) && (first - col) % decoder::step_cols == 0;
        // The next columns of these rows, and after the last the first ones of the next rows.
        const std::int64_t ahead =
            col + panel_columns < s.width
                ? panel_columns / Layout::tile_cols * Layout::tile_bytes
                : (group * t.w.row_tiles() - col / Layout::tile_cols) * Layout::tile_bytes;
        for (int i = 0; i < blocks; ++i) {
            std::byte* to = panels + i * Layout::tile_rows / 16 * panel_stride<Arch>;
            for (int k = 0; k < segments; ++k, to += words * panel::tile_bytes) {
                const std::byte* from = t.w.tile_at(row_block + i, s.weight_segment + k);
                if (on_steps)
                    decode_panel<Arch, Layout>(from, tiles, first, words, ahead, to);
                else
                    decode_columns<Arch, Layout>(from, tiles, first, words, to);
                // Zeros up to what a matrix unit takes at once, whatever they meet.
                if constexpr (matrix::available)
                    for (int r = 0; r < Layout::tile_rows / 16; ++r) {
                        std::memset(
                            to + r * panel_stride<Arch> + words * panel::tile_bytes, 0,
                            static_cast<std::size_t>(round_up(words, matrix::words) - words) *
                                panel::tile_bytes);
                        matrix::arrange(to + r * panel_stride<Arch>, words);
                    }
            }
        }
    }
};

template <class Arch, class Layout, class Act>
struct dot : dot_any<Arch, Layout> {};

}  // namespace trilobit::inline TRILOBIT_ABI::kernel

#include "trilobit/core/end.hpp"
