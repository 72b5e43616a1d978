// SPDX-License-Identifier: MIT
// Room kernel. Enters: bytes of packed weights as indices; activations, of which tables of vectors
// are made on the way. Leaves: exact sums, by one load and one addition of int16 for all the
// weights of a byte and a register of tokens. Where no instruction multiplies bytes into int32,
// that is less work than multiplying.
//
// A step makes the tables of a few tiles, which stay in the L1 cache while all rows of a block
// pass. Sums wait in int16. None exceeds the sum of |activation| over its columns, so this is
// watched for each token, and sums are widened when it could pass 32767: every 255 columns at
// worst, every thousand as activations usually are. Segments of so few columns need no widening:
// they are scaled as their last entries are added, while tokens lie side by side.
#pragma once

#include "trilobit/version.hpp"

#include "trilobit/kernel/layouts/all.hpp"
#include "trilobit/kernel/vector_sums.hpp"

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI::kernel {

/// Where it was measured to win: nowhere beside dot products of 512 bits; beside narrower ones with
/// eight weights to an index; not with 256 entries of 512 bits, which are 64 KiB for a step.
template <class Arch, class Layout>
inline constexpr bool vector_lookup_wins = [] {
    if constexpr (simd::machine<Arch>::registers > 0 && index_layout<Layout>) {
        constexpr int digits = byte_index<Layout>::digits;
        const bool wide = simd::register_bytes<Arch> == 64;
        if (simd::exact_dot4<Arch>) return !wide && digits == 8;
        return !wide || digits != 5;
    }
    return false;
}();

/// Rows that share tables, at most. More would pay, but a thread's sums and tables are 400 KiB.
template <class Arch>
inline constexpr int vector_rows = simd::register_bytes<Arch> == 64 ? 1024 : 2048;

template <class Arch, class Layout>
inline constexpr block_limits vector_limits = [] {
    if constexpr (vector_lookup_wins<Arch, Layout>) {
        constexpr int tokens = table_shape<Arch, Layout>::tokens;
        return block_limits{vector_rows<Arch> * tokens, tokens};
    }
    return block_limits{};
}();

/// All kinds of activations are bytes here: one body serves the four.
template <class Arch, class Layout>
struct vector_lookup_any
    : driven<vector_lookup_any<Arch, Layout>, Arch, Layout, vector_limits<Arch, Layout>> {
    static constexpr kernel_id id = kernel_id::vector_lookup;
    static constexpr bool available = vector_lookup_wins<Arch, Layout>;
    static constexpr int most_rows = vector_rows<Arch>;
    static constexpr task_shape unit{most_rows, vector_limits<Arch, Layout>.tokens};

    /// Measured: a load with its addition, three times as much for each row's share of the entries
    /// of the tables that it needs, and everything else. See dot for the unit.
    static constexpr double cost(const packed_shape& w, std::int64_t tokens) noexcept {
        if constexpr (available) {
            using shape = table_shape<Arch, Layout>;
            const double adds = 64.0 / (byte_index<Layout>::digits * shape::lanes);
            const auto rows = static_cast<double>(std::max<std::int64_t>(w.rows, 1));
            const auto tables = static_cast<double>(ceil_div(w.rows, most_rows));
            const auto real = static_cast<double>(std::max<std::int64_t>(tokens, 1));
            const auto padded = static_cast<double>(round_up(tokens, shape::tokens));
            return padded / real * (2.2 * adds * (1 + 3 * shape::entries * tables / rows) + 0.45);
        }
        return 100;
    }
    static constexpr bool accepts(const packed_shape& w, const activation_shape& x) noexcept {
        return segments_start_on_tiles(w, x);
    }
    static constexpr std::int64_t operand_bytes(const packed_shape&,
                                                const activation_shape&) noexcept {
        return 0;
    }
    static void prepare(const task&, std::int64_t, std::int64_t) noexcept {}

    /// Tiles of one step: with registers of 256 bits, 21 to 32 KiB of tables.
    static constexpr int step_tiles = std::max(1, 32 / std::max(8, +Layout::tile_cols));

    static void sum_segment(const task& t, std::int64_t, const segment& s, const block& b,
                            std::int32_t* acc) noexcept {
        const std::int64_t stride = b.row_blocks * Layout::tile_rows;
        each_block(b, [&](const block& some, std::int64_t at) {
            sum_block(t, s, some, acc + at, stride);
        });
    }

    /// See drive. All segments at once where none of their sums leaves int16; acc holds floats
    /// then.
    static int add_segments(const task& t, std::int64_t index, const block& b, std::int32_t* acc,
                            float* sums) noexcept {
        const std::int64_t segments = segment::count(t.w, t.x);
        if constexpr (available)
            if (segments > 1 &&
                round_up(segment::step(t.w, t.x), Layout::tile_cols) * 128 <= 32767) {
                const std::int64_t stride = b.row_blocks * Layout::tile_rows;
                each_block(b, [&](const block& some, std::int64_t at) {
                    add_block(t, some, acc, sums + at, stride);
                });
                return static_cast<int>(segments - index);
            }
        return 0;
    }

    /// f(at most `most_rows` rows and the tokens of one entry, where their sums lie in the block's)
    template <class F>
    static void each_block(const block& b, F&& f) noexcept {
        if constexpr (available) {
            const std::int64_t stride = b.row_blocks * Layout::tile_rows;
            block some = b;
            for (int m = 0; m < b.tokens; m += some.tokens)
                for (std::int64_t i = 0; i < b.row_blocks; i += some.row_blocks) {
                    some.token = b.token + m;
                    some.tokens = std::min(table_shape<Arch, Layout>::tokens, b.tokens - m);
                    some.row_block = b.row_block + i;
                    some.row_blocks =
                        std::min<std::int64_t>(most_rows / Layout::tile_rows, b.row_blocks - i);
                    f(some, m * stride + i * Layout::tile_rows);
                }
        }
    }

    /// The activations of a step and their tables.
    struct step_tables {
        using shape = table_shape<Arch, Layout>;
        static constexpr int cols = (step_tiles * Layout::tile_cols + 7) / 8 * 8;
        static_assert(cols * 128 <= 32767, "a step alone could overflow int16");
        static_assert(cols <= 64, "columns past the last would be read beyond their padding");
        alignas(64) std::int16_t tables[step_tiles * shape::row_bytes * shape::size];
        alignas(64) std::int16_t x[cols * shape::tokens];

        /// Bytes that stand for no weights find something too.
        void clear() noexcept { std::fill_n(tables, std::size(tables), std::int16_t{0}); }
        void make(const task& t, const segment& s, const block& b, std::int64_t tile,
                  int tiles) noexcept {
            load_columns<Arch, shape::tokens, cols>(t.x.token(b.token) + s.first +
                                                        tile * Layout::tile_cols,
                                                    t.x.value_stride(), b.tokens, x);
            for (int i = 0; i < tiles * shape::row_bytes; ++i) {
                const int col = i / shape::row_bytes * Layout::tile_cols + i % shape::row_bytes;
                build_table<Arch, Layout>(x + col * shape::tokens, tables + i * shape::size);
            }
        }
    };

    struct scratch {
        // (row, token)
        alignas(64) std::int16_t sums[most_rows * table_shape<Arch, Layout>::tokens];
        step_tables step;
    };

    TRILOBIT_NOINLINE static void sum_block(const task& t, const segment& s, const block& b,
                                            std::int32_t* acc, std::int64_t acc_stride) noexcept {
        using shape = table_shape<Arch, Layout>;
        using i16 = simd::i16<Arch>;
        constexpr int registers = shape::tokens / shape::lanes;
        auto& [sums, step] = own_scratch<vector_lookup_any>(t);
        step.clear();
        const std::int64_t rows = b.row_blocks * Layout::tile_rows, count = s.tiles(t.w);
        i16 bound[registers];  // of |sum|, for each token
        for (i16& of_token : bound) of_token = i16(0);
        std::fill_n(sums, rows * shape::tokens, std::int16_t{0});
        bool first = true;
        for (std::int64_t tile = 0; tile < count; tile += step_tiles) {
            const auto tiles = static_cast<int>(std::min<std::int64_t>(step_tiles, count - tile));
            step.make(t, s, b, tile, tiles);
            i16 more[registers];
            bool full = false;
            for (int v = 0; v < registers; ++v) {
                more[v] = sum_of_magnitudes(step.x + v * shape::lanes, tiles * Layout::tile_cols);
                // Two numbers of up to 32767: their sum is negative if it exceeds that.
                full = full || simd::any(bound[v] + more[v] < i16(0));
            }
            if (full) {
                widen_sums<Arch, Layout>(sums, rows, b.tokens, first, acc, acc_stride);
                std::fill_n(sums, rows * shape::tokens, std::int16_t{0});
                for (i16& of_token : bound) of_token = i16(0);
                first = false;
            }
            for (int v = 0; v < registers; ++v) bound[v] += more[v];
            const wait_in_int16<Arch, Layout> end;
            add_entries<step_tiles>(t, b, s.first_tile(t.w) + tile, tiles, step.tables, sums, end);
        }
        widen_sums<Arch, Layout>(sums, rows, b.tokens, first, acc, acc_stride);
    }

    /// sums (token, row) = all segments, scaled; `scaled` is room for them.
    TRILOBIT_NOINLINE static void add_block(const task& t, const block& b, std::int32_t* scaled,
                                            float* sums, std::int64_t stride) noexcept {
        using shape = table_shape<Arch, Layout>;
        auto& [waiting, step] = own_scratch<vector_lookup_any>(t);
        step.clear();
        const std::int64_t rows = b.row_blocks * Layout::tile_rows,
                           segments = segment::count(t.w, t.x);
        std::fill_n(waiting, rows * shape::tokens, std::int16_t{0});
        std::fill_n(scaled, rows * shape::tokens, 0);
        for (std::int64_t i = 0; i < segments; ++i) {
            const segment s = segment::at(t.w, t.x, i);
            scale_and_add<Arch, Layout> end(t, s, b, scaled);
            const std::int64_t count = s.tiles(t.w), first = s.first_tile(t.w);
            for (std::int64_t tile = 0; tile < count; tile += step_tiles) {
                const auto tiles =
                    static_cast<int>(std::min<std::int64_t>(step_tiles, count - tile));
                step.make(t, s, b, tile, tiles);
                const wait_in_int16<Arch, Layout> wait;
                if (tile + step_tiles < count)
                    add_entries<step_tiles>(t, b, first + tile, tiles, step.tables, waiting, wait);
                else
                    add_entries<step_tiles>(t, b, first + tile, tiles, step.tables, waiting, end);
            }
        }
        turn_sums<Arch, Layout>(scaled, rows, b.tokens, sums, stride);
    }

    TRILOBIT_INLINE static simd::i16<Arch> sum_of_magnitudes(const std::int16_t* x,
                                                             int cols) noexcept {
        simd::i16<Arch> sum(0);
        for (int i = 0; i < cols; ++i)
            sum +=
                simd::abs(simd::i16<Arch>::load_aligned(x + i * table_shape<Arch, Layout>::tokens));
        return sum;
    }

    /// Adds to the sums of each row its entries in the tables of `tiles` tiles from `tile` on, and
    /// leaves them to `end`.
    template <int Tiles, class End>
    static void add_entries(const task& t, const block& b, std::int64_t tile, int tiles,
                            const std::int16_t* tables, std::int16_t* sums, End& end) noexcept {
        if constexpr (Tiles > 1)
            if (tiles < Tiles) return add_entries<Tiles - 1>(t, b, tile, tiles, tables, sums, end);
        using shape = table_shape<Arch, Layout>;
        using i16 = simd::i16<Arch>;
        constexpr int registers = shape::tokens / shape::lanes;
        const std::byte* from = t.w.tile_at(b.row_block, 0) + tile * Layout::tile_bytes;
        const std::int64_t block_stride = t.w.row_tiles() * Layout::tile_bytes;
        const auto* table = reinterpret_cast<const std::byte*>(tables);
        alignas(64) std::uint16_t ahead[2][Tiles * Layout::tile_bytes];
        entry_offsets<Arch, Layout>(from, Tiles * Layout::tile_bytes, ahead[0]);
        for (std::int64_t k = 0; k < b.row_blocks; ++k, from += block_stride) {
            const std::uint16_t* offsets = ahead[k % 2];
            // Made one row block ahead, so that no load waits for its store.
            if (k + 1 < b.row_blocks)
                entry_offsets<Arch, Layout>(from + block_stride, Tiles * Layout::tile_bytes,
                                            ahead[(k + 1) % 2]);
            // What the next step wants of these rows.
            for (int i = 0; i < Tiles; ++i)
                simd::prefetch<Arch>(from + (Tiles + i) * Layout::tile_bytes);
            end.next_block();
            for (int r = 0; r < Layout::tile_rows; ++r) {
                i16 sum[registers];
                TRILOBIT_UNROLL
                for (int v = 0; v < registers; ++v)
                    sum[v] = i16::load_aligned(sums + v * shape::lanes);
                TRILOBIT_UNROLL
                for (int i = 0; i < Tiles; ++i) TRILOBIT_UNROLL
                for (int j = 0; j < shape::row_bytes; ++j) {
                    const auto* entry = reinterpret_cast<const std::int16_t*>(
                        table + 2 * (i * shape::row_bytes + j) * shape::size +
                        offsets[i * Layout::tile_bytes + r * shape::row_bytes + j]);
                    TRILOBIT_UNROLL
                    for (int v = 0; v < registers; ++v)
                        sum[v] += i16::load_aligned(entry + v * shape::lanes);
                }
                end(r, sum, sums);
                sums += shape::tokens;
            }
        }
    }
};

template <class Arch, class Layout, class Act>
struct vector_lookup : vector_lookup_any<Arch, Layout> {};

}  // namespace trilobit::inline TRILOBIT_ABI::kernel

#include "trilobit/core/end.hpp"
