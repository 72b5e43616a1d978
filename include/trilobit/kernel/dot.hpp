// SPDX-License-Identifier: MIT
// Room kernel. Enters: dot tiles, or any other layout decoded to them a panel at a time.
// Leaves: exact sums by the machine's dot product of bytes. Claims every layout and activation.
#pragma once

#include "trilobit/kernel/dot_tile.hpp"
#include "trilobit/kernel/drive.hpp"

namespace trilobit::kernel {

/// Decodes columns [first, first + 4 * words) of one row block's segment into panel tiles:
/// panel[(r / 16)][word][r % 16][c % 4] = weight + 1. Columns past the segment decode as padding
/// and meet activations that are zero.
template <class Arch, class Layout>
void decode_panel(const std::byte* tiles, std::int64_t tile_count, std::int64_t first, int words,
                  std::byte* panels, std::int64_t panel_stride) noexcept {
    constexpr int rows = Layout::tile_rows, cols = Layout::tile_cols;
    std::int8_t values[rows * cols];
    const std::int64_t last = first + 4 * words;
    for (std::int64_t tile = first / cols; tile * cols < last; ++tile) {
        if (tile < tile_count)
            Layout::decode(tiles + tile * Layout::tile_bytes, values);
        else
            std::memset(values, 0, sizeof values);
        for (int c = 0; c < cols; ++c) {
            const std::int64_t col = tile * cols + c - first;
            if (col < 0 || col >= 4 * words) continue;
            std::byte* to = panels + col / 4 * panel::tile_bytes + col % 4;
            for (int r = 0; r < rows; ++r)
                to[(r / 16) * panel_stride + (r % 16) * 4] =
                    static_cast<std::byte>(values[r * cols + c] + 1);
        }
    }
}

template <class Arch, class Layout, class Act>
struct dot {
    static constexpr kernel_id id = kernel_id::dot;
    static constexpr bool available = true;

    static constexpr double cost(std::int64_t tokens) noexcept {
        const double dots = simd::exact_dot4<Arch> ? 64.0 / simd::register_bytes<Arch>
                                                   : 128.0 / simd::register_bytes<Arch>;
        if constexpr (dot_layout<Layout>) return dots * dot_fields<Layout>::planes;
        return dots + 60.0 / static_cast<double>(std::min<std::int64_t>(tokens, token_chunk));
    }

    static constexpr bool accepts(const packed_shape& w, const activation_shape& x) noexcept {
        return !dot_layout<Layout> || segments_start_on_tiles(w, x);
    }
    static constexpr std::int64_t operand_bytes(const packed_shape& w,
                                                const activation_shape& x) noexcept {
        return x.tokens * segment::count(w, x) * 4;
    }
    static void prepare(const task& t, std::int64_t token_begin, std::int64_t token_end) noexcept {
        sum_activations<Arch>(t.w, t.x, token_begin, token_end,
                              reinterpret_cast<std::int32_t*>(t.operand));
    }

    /// acc starts as the correction for codes that are not weights, so it costs nothing later.
    static void seed(const task& t, std::int64_t index, std::int64_t token, int tokens, int weight,
                     std::int32_t* acc) noexcept {
        const std::int64_t segments = segment::count(t.w, t.x);
        const auto* sums = reinterpret_cast<const std::int32_t*>(t.operand);
        for (int m = 0; m < tokens; ++m)
            std::fill_n(acc + m * Layout::tile_rows, Layout::tile_rows,
                        weight * sums[(token + m) * segments + index]);
    }

    static void sum_segment(const task& t, std::int64_t index, const segment& s, std::int64_t block,
                            std::int64_t token, int tokens, std::int32_t* acc) noexcept {
        const std::int8_t* x = t.x.token(token) + s.first;
        const std::int64_t token_stride = t.x.value_stride();
        if constexpr (dot_layout<Layout>) {
            using fields = dot_fields<Layout>;
            seed(t, index, token, tokens, fields::sum_weight, acc);
            const std::byte* tiles = t.w.tile_at(block, 0) + s.first_tile(t.w) * Layout::tile_bytes;
            for (int plane = 0; plane < fields::planes; ++plane)
                dot_tokens<Arch, fields>(
                    {tiles + plane * 64, s.tiles(t.w), Layout::tile_bytes, x, token_stride}, tokens,
                    fields::plane_weight[plane], acc, Layout::tile_rows);
        } else {
            using fields = dot_fields<panel>;
            constexpr int words =
                80;  // 320 columns: whole tiles of 5, 16 and 32, 20 KiB for 64 rows
            constexpr std::int64_t panel_stride = words * panel::tile_bytes;
            alignas(64) std::byte panels[Layout::tile_rows / 16 * panel_stride];
            seed(t, index, token, tokens, fields::sum_weight, acc);
            const std::byte* tiles = t.w.tile_at(block, s.weight_segment);
            const std::int64_t offset = s.first - t.w.segment_first_col(s.weight_segment);
            for (std::int64_t c = 0; c < s.width; c += 4 * words) {
                const auto wanted =
                    static_cast<int>(ceil_div(std::min<std::int64_t>(4 * words, s.width - c), 4));
                decode_panel<Arch, Layout>(tiles, t.w.segment_tiles(s.weight_segment), offset + c,
                                           wanted, panels, panel_stride);
                for (int sub = 0; sub < Layout::tile_rows / 16; ++sub)
                    dot_tokens<Arch, fields>({panels + sub * panel_stride, wanted,
                                              panel::tile_bytes, x + c, token_stride},
                                             tokens, 1, acc + sub * 16, Layout::tile_rows);
            }
        }
    }

    static void run(const task& t, std::int64_t block_begin, std::int64_t block_end,
                    std::int64_t token_begin, std::int64_t token_end) noexcept {
        drive<dot, Arch, Layout>(t, block_begin, block_end, token_begin, token_end);
    }
};

}  // namespace trilobit::kernel
