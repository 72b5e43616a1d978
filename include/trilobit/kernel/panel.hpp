// SPDX-License-Identifier: MIT
// Room kernel. Enters: tiles of any layout. Leaves: a panel: some columns of a few rows, a byte a
// weight, in the order that the dot product wants. Made once for many tokens, it costs little, and
// what a layout saves in memory it keeps.
//
//   panel[row / 16][word][row % 16][c % 4] = weight - kind::lowest    word = c / 4, c the column
//
// For AMX this is a tile as it stands: sixteen words of sixteen rows.
#pragma once

#include "trilobit/version.hpp"

#include <cstring>

#include "trilobit/kernel/dot_fields.hpp"
#include "trilobit/simd/base3.hpp"

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI::kernel {

/// Rows and columns of a panel, where no tile has more rows: 20 KiB, which stay in the L1 cache
/// beside activations. AMX fetches and stores its sums for each panel, which takes as long as 120
/// columns.
template <class Arch>
inline constexpr int panel_rows = has_amx<Arch> ? 32 : 64;
template <class Arch>
inline constexpr int panel_cols = has_amx<Arch> ? 640 : 320;
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

/// decode(tiles, count, panel) writes, as codes, `step_cols` columns of one row block from the next
/// tiles, of which `count` >= 1 exist; what is past them may decode as anything. Where there is an
/// order(x, to), it writes them in the order that this brings the activations of a step to. Here
/// for any layout.
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

/// 16 rows x 16 columns: a load, three shifts, four masks, four stores.
template <class Arch>
struct panel_decoder<Arch, layout::ternary_2bit> {
    static constexpr double lookups = 0, simple = 5;
    static constexpr int step_cols = 16;
    static void decode(const std::byte* tile, std::int64_t, std::byte* to) noexcept {
        using namespace simd;
        const u8<Arch> low(std::uint8_t{3});
        for (int p = 0; p < 64; p += register_bytes<Arch>) {
            const u8<Arch> codes = load<Arch>(tile + p);
            store<Arch>(codes & low, to + p);
            store<Arch>(shift_right<2, Arch>(codes) & low, to + p + 64);
            store<Arch>(shift_right<4, Arch>(codes) & low, to + p + 128);
            store<Arch>(shift_right<6, Arch>(codes) & low, to + p + 192);
        }
    }
};

/// Words 0..7 of a tile whose bits are `twos` and, where there are any, `ones`.
template <class Arch, bool Ones>
TRILOBIT_INLINE void store_bits(simd::u8<Arch> twos, simd::u8<Arch> ones, std::byte* to) noexcept {
    using namespace simd;
    const u8<Arch> one(std::uint8_t{1}), two(std::uint8_t{2});
    const auto word = [&]<int F>() TRILOBIT_LAMBDA_INLINE {
        u8<Arch> codes = two;
        if constexpr (F == 0)
            codes = codes & shift_left<1, Arch>(twos);
        else
            codes = codes & shift_right<F - 1, Arch>(twos);
        if constexpr (Ones) codes = codes | (shift_right<F, Arch>(ones) & one);
        store<Arch>(codes, to + 64 * F);
    };
    word.template operator()<0>();
    word.template operator()<1>();
    word.template operator()<2>();
    word.template operator()<3>();
    word.template operator()<4>();
    word.template operator()<5>();
    word.template operator()<6>();
    word.template operator()<7>();
}

/// 16 rows x 32 columns: a load, eight shifts, eight masks, eight stores.
template <class Arch>
struct panel_decoder<Arch, layout::binary_1bit> {
    static constexpr double lookups = 0, simple = 5;
    static constexpr int step_cols = 32;
    static void decode(const std::byte* tile, std::int64_t, std::byte* to) noexcept {
        for (int p = 0; p < 64; p += simd::register_bytes<Arch>) {
            const simd::u8<Arch> plus = simd::load<Arch>(tile + p);
            store_bits<Arch, false>(plus, plus, to + p);
        }
    }
};

/// The same twice: weight + 1 is 2 where the mask is set and the sign is not, 1 without a mask.
template <class Arch>
struct panel_decoder<Arch, layout::ternary_planes> {
    static constexpr double lookups = 0, simple = 10;
    static constexpr int step_cols = 32;
    static void decode(const std::byte* tile, std::int64_t, std::byte* to) noexcept {
        using namespace simd;
        for (int p = 0; p < 64; p += register_bytes<Arch>) {
            const u8<Arch> mask = load<Arch>(tile + p);
            const u8<Arch> sign = load<Arch>(tile + layout::ternary_planes::plane_bytes + p);
            store_bits<Arch, true>(mask & ~sign, ~mask, to + p);
        }
    }
};

/// 64 rows x 20 columns: the bytes of four tiles are interleaved, so that those of a row lie side
/// by side, and then decoded: the first digits of all four are a word, and so on.
template <class Arch>
struct panel_decoder<Arch, layout::ternary_base3> {
    static constexpr double lookups = has_avx512vnni<Arch> ? 0.6 : 1;
    static constexpr double simple = has_avx512vnni<Arch> ? 3.5 : 5;
    static constexpr int step_cols = 20;
    static void order(const std::int8_t* x, std::int8_t* to) noexcept {
        for (int digit = 0; digit < 5; ++digit)
            for (int tile = 0; tile < 4; ++tile) to[4 * digit + tile] = x[5 * tile + digit];
    }
    static void decode(const std::byte* tiles, std::int64_t count, std::byte* to) noexcept {
        using namespace simd;
        constexpr int bytes = register_bytes<Arch>, rows = bytes / 4;
        for (int p = 0; p < 64; p += bytes) {
            u8<Arch> codes[4], digits[5];
            // Past the last tile the one before it is read again.
            TRILOBIT_UNROLL
            for (int tile = 0; tile < 4; ++tile)
                codes[tile] = load<Arch>(tiles + (tile < count ? tile : count - 1) * 64 + p);
            interleave4<Arch>(codes);
            TRILOBIT_UNROLL
            for (int i = 0; i < 4; ++i) {
                const int row = p + i * rows;
                std::byte* const at = to + row / 16 * panel_stride<Arch> + row % 16 * 4;
                base3_op<Arch>::digits(codes[i], digits);
                TRILOBIT_UNROLL
                for (int d = 0; d < 5; ++d) store<Arch>(digits[d], at + d * panel::tile_bytes);
            }
        }
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
