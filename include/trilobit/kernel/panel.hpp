// SPDX-License-Identifier: MIT
// Room kernel. Enters: tiles of any layout. Leaves: a panel: some columns of a few rows, a byte a
// weight, in the order that the dot product wants. Made once for many tokens, it costs little, and
// what a layout saves in memory it keeps.
//
//   panel[row / 16][word][row % 16][c % 4] = weight - kind::lowest    word = c / 4, c the column
//
// For a matrix unit such as AMX this is a tile as it stands: sixteen words of sixteen rows.
#pragma once

#include "trilobit/version.hpp"

#include <cstring>

#include "trilobit/kernel/amx.hpp"
#include "trilobit/kernel/dot_step.hpp"
#include "trilobit/kernel/i8mm.hpp"

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI::kernel {

/// Rows of a panel, where no tile has more; and bytes of sixteen rows of it.
template <class Arch>
inline constexpr int panel_rows = matrix_unit<Arch>::panel_rows;
template <class Arch>
inline constexpr int panel_cols = matrix_unit<Arch>::panel_cols;
template <class Arch>
inline constexpr std::int64_t panel_stride = panel_cols<Arch> / 4 * panel::tile_bytes;

/// Columns [first, first + 4 * words) of one row block, as far as there are tiles, a column at a
/// time through the layout's own decode: any layout, and any first column, which activation groups
/// finer than the tiles ask for.
template <class Arch, class Layout>
void decode_columns(const std::byte* tiles, std::int64_t tile_count, std::int64_t first, int words,
                    std::byte* to) noexcept {
    constexpr int rows = Layout::tile_rows, cols = Layout::tile_cols;
    std::int8_t values[rows * cols];
    const std::int64_t last = first + 4 * words;
    for (std::int64_t tile = first / cols; tile * cols < last && tile < tile_count; ++tile) {
        Layout::decode(tiles + tile * Layout::tile_bytes, values);
        for (int i = 0; i < cols; ++i) {
            const std::int64_t c = tile * cols + i - first;
            if (c < 0 || c >= 4 * words) continue;
            for (int r = 0; r < rows; ++r)
                to[r / 16 * panel_stride<Arch> + c / 4 * 64 + r % 16 * 4 + c % 4] =
                    static_cast<std::byte>(values[r * cols + i] - Layout::kind::lowest);
        }
    }
}

/// decode(tiles, count, panel) writes the codes of the next `step_cols` columns of a row block,
/// from tiles of which `count` >= 1 exist; past them it may write anything. If there is an
/// order(x, to), columns are in the order that it brings activations to. Here for any layout.
template <class Arch, class Layout>
struct panel_decoder {
    // For each register of decoded weights, see dot's cost; none where it goes through the layout's
    // own.
    static constexpr double lookups = 0, simple = 0;
    static constexpr int cols = Layout::tile_cols;
    static constexpr int step_tiles = cols % 4 == 0 ? 1 : cols % 2 == 0 ? 2 : 4;
    static constexpr int step_cols = step_tiles * cols;
    static void decode(const std::byte* tiles, std::int64_t count, std::byte* to) noexcept {
        decode_columns<Arch, Layout>(tiles, std::min<std::int64_t>(count, step_tiles), 0,
                                     step_cols / 4, to);
    }
};

/// Does a decoder have an order of its own?
template <class Decoder>
concept reorders_columns =
    requires(const std::int8_t* x, std::int8_t* to) { Decoder::order(x, to); };

/// Columns of one panel of a layout: whole steps of its decoder.
template <class Arch, class Layout>
inline constexpr int panel_width = panel_cols<Arch> / panel_decoder<Arch, Layout>::step_cols *
                                   panel_decoder<Arch, Layout>::step_cols;

/// Columns [first, first + 4 * words) of a segment of one row block, `first` where a step starts.
/// Columns past the segment's last tile decode as anything and meet activations that are zero. What
/// the next panel is made of lies `ahead` bytes further, and is wanted when all tokens have passed.
template <class Arch, class Layout>
void decode_panel(const std::byte* tiles, std::int64_t tile_count, std::int64_t first, int words,
                  std::int64_t ahead, std::byte* to) noexcept {
    using decoder = panel_decoder<Arch, Layout>;
    static_assert(panel_width<Arch, Layout> > 0, "a tile is wider than a panel");
    constexpr int step_tiles = decoder::step_cols / Layout::tile_cols;
    std::int64_t tile = first / Layout::tile_cols;
    for (int c = 0; c < 4 * words && tile < tile_count; c += decoder::step_cols) {
        const std::byte* from = tiles + tile * Layout::tile_bytes;
        for (int line = 0; line < step_tiles * Layout::tile_bytes; line += 64)
            simd::prefetch<Arch>(from + ahead + line);
        decoder::decode(from, tile_count - tile, to + c / 4 * panel::tile_bytes);
        tile += step_tiles;
    }
}

}  // namespace trilobit::inline TRILOBIT_ABI::kernel

#include "trilobit/core/end.hpp"
