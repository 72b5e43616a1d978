// SPDX-License-Identifier: MIT
// Room kernel. Enters: lookup tiles, whose bytes are indices; activations, which prepare() turns
// into a table of partial sums for each tile's columns. Leaves: exact sums by looking them up.
//
// A byte stands for five weights and is two indices: the sum of what both find is that of the tile's
// five activations as the weights choose. To keep tables of bytes exact, an int8 activation is split
// a = 16 h + l with -8 <= h <= 8, -8 <= l <= 7: two tables, every sum within 5 * 8 = 40. Narrower
// activations need one. A few tiles are added in bytes, three of such sums: 120 <= 127. These are
// added in pairs, as int16, and once more shifted by a byte: odd bytes lie in the latter alone, even
// ones are what remains of the former. Int32 comes every few hundred tiles.
//   avx512vnni, 64 rows x 5 columns: vpsrlw, shared by all tokens; for each table 2 vpermb + 2 vpaddb,
//     and vpaddw + vpsrlw + vpaddw every three tiles, less one vpaddb
//   ssse3, avx2, a register of rows: 11 to find the indices; 3 vpshufb + 3 vpaddb, the same additions
#pragma once

#include "trilobit/kernel/dot_tile.hpp"
#include "trilobit/kernel/drive.hpp"
#include "trilobit/simd/base3.hpp"
#include "trilobit/simd/instruction_times.hpp"

namespace trilobit::kernel {

/// Like prefetch_bytes, for each of up to four row blocks that are read at once.
inline constexpr int lookup_prefetch = 2048;

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
};

/// Few tokens to a chunk and as many rows as that allows: tables of more would not stay in the L2 cache.
inline constexpr chunk_limits lookup_limits{chunk_outputs, 8};

template <class Arch, class Layout, class Act>
struct lookup : driven<lookup<Arch, Layout, Act>, Arch, Layout, lookup_limits> {
    static constexpr kernel_id id = kernel_id::lookup;
    static constexpr bool available = std::is_same_v<Layout, layout::ternary_base3>;
    static constexpr int own_tokens = lookup_limits.tokens;
    static constexpr int tables = Act::bits > 4 ? 2 : 1;
    using base3 = simd::base3_op<Arch>;
    static constexpr std::int64_t tile_table_bytes = tables * base3::table_bytes;
    /// Largest |sum| of a tile; how many sums, each so much too large, fit a byte; and how many 16 bits.
    static constexpr int largest = 5 * (tables == 2 ? 8 : -Act::lowest);
    static constexpr int byte_adds = 255 / (2 * largest);
    static constexpr std::int64_t int16_tiles = 65535 / (2 * largest) / byte_adds * byte_adds;
    static_assert(byte_adds >= 1 && 2 * largest * byte_adds <= 255, "a sum could leave its byte");
    static_assert(largest * int16_tiles <= 32767,
                  "a sum without what it is too large by overflows");
    /// Tiles that all row blocks of a chunk pass before the next. Several tokens: their tables stay in
    /// the L1 cache. One token: it runs at the speed of memory, which wants whole rows in order; its
    /// tables come from the L2 cache, and serve up to four row blocks each time.
    static constexpr std::int64_t step_tiles(int tokens) noexcept {
        return (tokens == 1 ? 256 << 10 : (24 << 10) / tokens) / tile_table_bytes;
    }
    /// Tiles whose tables are made at once while one token's first rows pass: they take 16 KiB of the
    /// L1 cache, and memory delivers what has been asked for meanwhile. Rows of 6912 columns from memory,
    /// two threads: 9 % faster than with all tables made before, and as fast with 31 or 127 tiles.
    static constexpr std::int64_t fresh_tiles = 63;
    /// A table of a token and a row block has three registers of sums.
    static constexpr int most_tokens = !has_avx512bw<Arch> ? 1 : tables == 2 ? 2 : 4;
    /// Row blocks that one load of a table serves.
    static constexpr int most_blocks(int tokens) noexcept {
        return !has_avx512bw<Arch> ? 1 : std::min(4, 8 / (tokens * tables));
    }

    /// Whichever takes longer, lookups alone or all instructions, and a fifth more for tables and sums;
    /// see dot for the unit. Tables of many tokens come from another core. Without an instruction for
    /// lookups every one is done by itself.
    static double cost(const packed_shape&, std::int64_t tokens) noexcept {
        if constexpr (!has_ssse3<Arch>) return 100;
        constexpr bool vbmi = has_avx512vnni<Arch>;
        const auto shared = static_cast<double>(std::min<std::int64_t>(tokens, most_tokens));
        const simd::instruction_times& t = simd::times<Arch>();
        const double lookups = vbmi ? 2 : 3;
        const double instructions =
            (vbmi ? 1 : 11) / shared + tables * (2 * lookups + (vbmi ? 2.0 : 3.0) / byte_adds);
        const double passes = tokens <= own_tokens ? 1.2 : 1.4;
        return passes * std::max(tables * lookups * t.lookup, instructions * t.simple) * 64 /
               (simd::register_bytes<Arch> * Layout::tile_cols);
    }
    /// A table belongs to the columns of one tile, so no activation scale may change inside it.
    static constexpr bool accepts(const packed_shape& w, const activation_shape& x) noexcept {
        return x.segment_cols() >= w.scale.segment_cols(w.cols);
    }
    static constexpr std::int64_t operand_bytes(const packed_shape& w,
                                                const activation_shape& x) noexcept {
        return x.tokens * w.row_tiles() * tile_table_bytes;
    }

    static void prepare(const task& t, std::int64_t token_begin, std::int64_t token_end) noexcept {
        if constexpr (available) {
            auto* table = reinterpret_cast<std::uint8_t*>(t.operand) +
                          token_begin * t.w.row_tiles() * tile_table_bytes;
            for (std::int64_t m = token_begin; m < token_end; ++m)
                for (std::int64_t s = 0; s < t.w.segments(); ++s) {
                    const std::int64_t first = t.w.segment_first_col(s);
                    const std::int64_t width = t.w.segment_width(s);
                    table = make_tables(t.x.token(m) + first, width, table);
                }
        }
    }

    /// The tables of one segment's tiles; returns where the next segment's begin.
    static std::uint8_t* make_tables(const std::int8_t* x, std::int64_t width,
                                     std::uint8_t* table) noexcept {
        constexpr std::int64_t strip = 320;
        std::int8_t low[strip + 8] = {}, high[strip + 8] = {};
        for (std::int64_t first = 0; first < width; first += strip) {
            const std::int64_t count = std::min(strip, width - first);
            // Zeros stand for columns past the segment: the next one's activations lie there.
            if (count < strip) std::memset(low, 0, sizeof low), std::memset(high, 0, sizeof high);
            if constexpr (tables == 2)
                split_nibbles<Arch>(x + first, count, low, high);
            else
                std::memcpy(low, x + first, static_cast<std::size_t>(count));
            for (std::int64_t c = 0; c < count; c += Layout::tile_cols, table += tile_table_bytes) {
                base3::make_table(low + c, largest, table);
                if constexpr (tables == 2)
                    base3::make_table(high + c, largest, table + base3::table_bytes);
            }
        }
        return table;
    }

    static void sum_segment(const task& t, std::int64_t, const segment& s, const chunk& c,
                            std::int32_t* acc) noexcept {
        if constexpr (available) {
            const std::int64_t stride = c.blocks * Layout::tile_rows;
            const std::int64_t token_stride = t.w.row_tiles() * tile_table_bytes;
            const std::int64_t first = s.first_tile(t.w), count = s.tiles(t.w);
            const std::int64_t row_bytes = t.w.row_tiles() * Layout::tile_bytes;
            auto* const table = reinterpret_cast<std::uint8_t*>(t.operand) +
                                c.token * token_stride + first * tile_table_bytes;
            // Tiles [k, k + some) against the row blocks [b, end).
            const auto some_tiles = [&]<int Tokens>(std::int64_t k, std::int64_t some,
                                                    std::int64_t b, std::int64_t end, int m) {
                const lookup_span span{t.w.tile_at(c.block, 0) + (first + k) * Layout::tile_bytes,
                                       row_bytes,
                                       some,
                                       count - k,
                                       row_bytes - count * Layout::tile_bytes,
                                       table + m * token_stride + k * tile_table_bytes,
                                       token_stride,
                                       k == 0,
                                       k + some == count};
                std::int32_t* to = acc + m * stride;
                constexpr int most = most_blocks(Tokens);
                for (; b + most <= end; b += most) sum_tables<most, Tokens>(span, b, to, stride);
                if constexpr (most > 2)
                    for (; b + 2 <= end; b += 2) sum_tables<2, Tokens>(span, b, to, stride);
                if constexpr (most > 1)
                    for (; b < end; ++b) sum_tables<1, Tokens>(span, b, to, stride);
            };
            const bool fresh = t.made != nullptr && *t.made < first + count;
            const auto tokens = [&]<int Tokens>(int m) {
                constexpr std::int64_t step = step_tiles(Tokens);
                std::int64_t done = 0;  // row blocks
                if (fresh) {
                    constexpr std::int64_t strip = Tokens == 1 ? fresh_tiles : step;
                    done =
                        Tokens == 1 ? std::min<std::int64_t>(most_blocks(1), c.blocks) : c.blocks;
                    for (std::int64_t k = 0; k < count; k += strip) {
                        const std::int64_t some = std::min(strip, count - k);
                        const std::int64_t col = s.first + k * Layout::tile_cols;
                        const std::int64_t width =
                            std::min(some * Layout::tile_cols, s.first + s.width - col);
                        for (int i = m; i < m + Tokens; ++i)
                            make_tables(t.x.token(c.token + i) + col, width,
                                        table + i * token_stride + k * tile_table_bytes);
                        some_tiles.template operator()<Tokens>(k, some, 0, done, m);
                    }
                }
                for (std::int64_t k = 0; k < count && done < c.blocks; k += step)
                    some_tiles.template operator()<Tokens>(k, std::min(step, count - k), done,
                                                           c.blocks, m);
            };
            int m = 0;
            if constexpr (most_tokens >= 4)
                for (; m + 4 <= c.tokens; m += 4) tokens.template operator()<4>(m);
            if constexpr (most_tokens >= 2)
                for (; m + 2 <= c.tokens; m += 2) tokens.template operator()<2>(m);
            for (; m < c.tokens; ++m) tokens.template operator()<1>(m);
            if (fresh) *t.made = first + count;
        }
    }

    /// Some tiles of Blocks row blocks against the tables of a few tokens. Between calls the sums of
    /// rows 4i, 4i + 1, .. lie apart, as four registers; the last call puts them in order.
    template <int Blocks, int Tokens>
    static void sum_tables(const lookup_span& s, std::int64_t block, std::int32_t* acc,
                           std::int64_t acc_stride) noexcept {
        for (int p = 0; p < Layout::tile_rows; p += simd::register_bytes<Arch>) {
            lookup_span part = s;
            part.tiles += block * s.block_stride + p;
            std::int32_t* const to = acc + block * Layout::tile_rows + p;
            for (std::int64_t k = 0; k < s.count; k += part.count) {
                part.count = std::min(s.count - k, int16_tiles);
                part.left = s.left - k;
                part.first = s.first && k == 0;
                part.last = s.last && k + part.count == s.count;
                sum_in_int16<Blocks, Tokens>(part, to, acc_stride);
                part.tiles += part.count * Layout::tile_bytes;
                part.table += part.count * tile_table_bytes;
            }
        }
    }

    /// The same for one register of rows of each block, and at most int16_tiles tiles.
    template <int Blocks, int Tokens>
    static void sum_in_int16(const lookup_span& s, std::int32_t* acc,
                             std::int64_t acc_stride) noexcept {
        using namespace simd;
        // Of the bytes in pairs, and of the odd ones alone.
        u16<Arch> pairs[Blocks][Tokens][tables], odd[Blocks][Tokens][tables];
        TRILOBIT_UNROLL for (int b = 0; b < Blocks; ++b)
            TRILOBIT_UNROLL for (int m = 0; m < Tokens; ++m)
                TRILOBIT_UNROLL for (int i = 0; i < tables; ++i) pairs[b][m][i] = odd[b][m][i] =
                    u16<Arch>(std::uint16_t{0});
        const std::byte* tile = s.tiles;
        const std::uint8_t* table = s.table;
        // Past the end of its tiles a row finds what is read here already; the next call's tiles
        // lie `skip` bytes further.
        const std::int64_t skip = (Blocks - 1) * s.block_stride + s.skip;
        const std::byte* const row_end = tile + s.left * Layout::tile_bytes;
        const auto add = [&]<int Adds>() TRILOBIT_LAMBDA_INLINE {
            u8<Arch> few[Blocks][Tokens][tables];
            TRILOBIT_UNROLL for (int b = 0; b < Blocks; ++b)
                TRILOBIT_UNROLL for (int m = 0; m < Tokens; ++m)
                    TRILOBIT_UNROLL for (int i = 0; i < tables; ++i) few[b][m][i] =
                        u8<Arch>(std::uint8_t{0});
            const std::int64_t ahead =
                lookup_prefetch + (tile + lookup_prefetch < row_end ? 0 : skip);
            const auto one_tile = [&]() TRILOBIT_LAMBDA_INLINE {
                TRILOBIT_UNROLL for (int b = 0; b < Blocks; ++b) {
                    const std::byte* from = tile + b * s.block_stride;
                    u8<Arch> codes = load<Arch>(from);
                    // Loaded once: a second load of a line that is on its way from memory waits too.
                    pin<Arch>(codes);
                    const typename base3::indices at(codes);
                    if constexpr (Tokens == 1) prefetch<Arch>(from + ahead);
                    TRILOBIT_UNROLL for (int m = 0; m < Tokens; ++m)
                        TRILOBIT_UNROLL for (int i = 0; i < tables; ++i) {
                        few[b][m][i] +=
                            base3::sum(table + m * s.token_stride + i * base3::table_bytes, at);
                        pin<Arch>(few[b][m][i]);
                    }
                    // Sums are up to 24 of the 32 registers.
                    if constexpr (Blocks > 1) forget_loads<Arch>(table);
                }
                tile += Layout::tile_bytes;
                table += tile_table_bytes;
            };
            if constexpr (Adds <= 3)
                TRILOBIT_UNROLL for (int n = 0; n < Adds; ++n) one_tile();
            else
                for (int n = 0; n < Adds; ++n) one_tile();
            TRILOBIT_UNROLL for (int b = 0; b < Blocks; ++b)
                TRILOBIT_UNROLL for (int m = 0; m < Tokens; ++m)
                    TRILOBIT_UNROLL for (int i = 0; i < tables; ++i) {
                const auto two = xsimd::bitwise_cast<std::uint16_t>(few[b][m][i]);
                pairs[b][m][i] += two;
                odd[b][m][i] += two >> 8;
                pin<Arch>(pairs[b][m][i]);
                pin<Arch>(odd[b][m][i]);
            }
        };
        std::int64_t left = s.count;
        for (; left >= byte_adds; left -= byte_adds) add.template operator()<byte_adds>();
        for (; left > 0; --left) add.template operator()<1>();

        constexpr int words = lanes<Arch>;
        const i16<Arch> more(static_cast<std::int16_t>(largest * s.count));
        TRILOBIT_UNROLL for (int b = 0; b < Blocks; ++b)
            TRILOBIT_UNROLL for (int m = 0; m < Tokens; ++m) {
            std::int32_t* to = acc + b * Layout::tile_rows + m * acc_stride;
            i32<Arch> rows[4];
            TRILOBIT_UNROLL for (int j = 0; j < 4; ++j) rows[j] =
                s.first ? i32<Arch>(0) : i32<Arch>::load_aligned(to + j * words);
            TRILOBIT_UNROLL for (int i = 0; i < tables; ++i) {
                const u16<Arch> even_bytes = pairs[b][m][i] - (odd[b][m][i] << 8);
                const auto even = xsimd::bitwise_cast<std::int16_t>(even_bytes) - more;
                const auto uneven = xsimd::bitwise_cast<std::int16_t>(odd[b][m][i]) - more;
                const int weight = i == 0 ? 1 : 16;
                const auto lower = xsimd::bitwise_cast<std::int16_t>(i32<Arch>(weight));
                const auto upper = xsimd::bitwise_cast<std::int16_t>(i32<Arch>(weight << 16));
                rows[0] = dot2<Arch>(rows[0], even, lower);
                rows[1] = dot2<Arch>(rows[1], uneven, lower);
                rows[2] = dot2<Arch>(rows[2], even, upper);
                rows[3] = dot2<Arch>(rows[3], uneven, upper);
            }
            if (s.last)
                store_interleaved<Arch>(rows, to);
            else
                TRILOBIT_UNROLL for (int j = 0; j < 4; ++j) rows[j].store_aligned(to + j * words);
        }
    }
};

}  // namespace trilobit::kernel
