// SPDX-License-Identifier: MIT
// Room kernel. Enters: tiles of ternary_base3, tables of their columns' activations. Leaves: exact
// sums by looking them up.
//
// A byte stands for five weights and is two indices: the sum of what both find is that of the
// tile's five activations as the weights choose, within 5 * 8 = 40. A few tiles are added in bytes,
// three of such sums: 120 <= 127. These are added as int16, see lookup_sums.hpp, and int32 comes
// every few hundred tiles.
//   avx512vnni, 64 rows x 5 columns: vpsrlw, shared by all tokens; for each table 2 vpermb and
//     2 vpaddb, and vpaddw + vpsrlw + vpaddw every three tiles, less one vpaddb
//   ssse3, avx2, a register of rows: 9 to find the indices, shared by all tokens; for each table
//     3 vpshufb + 3 vpaddb, the same additions
#pragma once

#include "trilobit/version.hpp"

#include "trilobit/kernel/lookup_sums.hpp"
#include "trilobit/kernel/lookup_tiles.hpp"
#include "trilobit/simd/base3.hpp"

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI::kernel {

template <class Arch, class Act>
struct lookup_tiles<Arch, layout::ternary_base3, Act> : layout::ternary_base3 {
    using Layout = layout::ternary_base3;
    using base3 = simd::base3_op<Arch>;
    static constexpr int tables = lookup_parts<Act>;
    static constexpr std::int64_t table_bytes = tables * base3::table_bytes;
    /// Largest |sum| of a tile; how many sums, each so much too large, fit a byte; and how many 16
    /// bits.
    static constexpr int largest = 5 * lookup_bound<Act>;
    static constexpr int at_once = 255 / (2 * largest);
    static constexpr std::int64_t int16_tiles = 65535 / (2 * largest) / at_once * at_once;
    static_assert(at_once >= 1 && 2 * largest * at_once <= 255, "a sum could leave its byte");
    static_assert(largest * int16_tiles <= 32767,
                  "a sum without what it is too large by overflows");

    /// Is there an instruction?
    static constexpr bool fast = has_ssse3<Arch>, vbmi = has_avx512vnni<Arch>;
    /// Tokens of one pass, which share the indices. Each needs three registers of sums for each
    /// table: sixteen registers hold one token's, so with more tokens the sums live in the L1
    /// cache. One token where no instruction looks up: nothing is gained by more.
    static constexpr bool few_registers = !has_avx512bw<Arch>;
    static constexpr int most_tokens = !fast ? 1 : few_registers ? 8 : tables == 2 ? 2 : 4;
    /// Row blocks, or registers of a row block, that one load of a table serves.
    static constexpr int most_blocks(int tokens) noexcept {
        return few_registers ? 1 : std::min(4, 8 / (tokens * tables));
    }
    static constexpr int together = fast && few_registers ? 2 : 1;
    /// Tables of several tokens between which row blocks change: of the L1 cache, or, where loads
    /// are not what a loop waits for, of the L2 cache, so that sums change less often.
    static constexpr int strip_bytes = few_registers ? 128 << 10 : 24 << 10;
    /// What it takes for a register of weights and each of `tokens` that share them.
    static constexpr double lookups = tables * (vbmi ? 2 : 3);
    static constexpr double dots = 0;
    static constexpr double instructions(double tokens) noexcept {
        return (vbmi ? 1 : 9) / tokens + 2 * lookups + tables * (vbmi ? 2.0 : 3.0) / at_once;
    }

    TRILOBIT_INLINE static void make_table(const std::int8_t* x, std::uint8_t* to) noexcept {
        base3::make_table(x, largest, to);
    }

    /// acc = (span's first ? 0 : acc) + some tiles of Blocks row blocks against the tables of a few
    /// tokens, each made by `maker` when it is first wanted. Between calls the sums of rows 4i, 4i
    /// + 1, .. lie apart, as four registers; the last call puts them in order.
    template <int Blocks, int Tokens, class Maker>
    TRILOBIT_INLINE static void sum(lookup_span s, std::int64_t block, std::int32_t* acc,
                                    std::int64_t acc_stride, Maker& maker) noexcept {
        s.tiles += block * s.block_stride;
        acc += block * Layout::tile_rows;
        constexpr int step = together * simd::register_bytes<Arch>;
        for (int p = 0; p < Layout::tile_rows; p += step, s.tiles += step, acc += step)
            each_part<lookup_tiles>(s, int16_tiles, [&](const lookup_span& part) {
                tables_are_made made;
                if constexpr (few_registers && Tokens > 1)
                    sum_of_tokens<Tokens>(part, acc, acc_stride);
                else if (p == 0)
                    sum_in_int16<Blocks, Tokens>(part, acc, acc_stride, maker);
                else
                    sum_in_int16<Blocks, Tokens>(part, acc, acc_stride, made);
            });
    }

private:
    using words = simd::u16<Arch>;

    /// The same for `together` registers of rows of each block, and at most int16_tiles tiles.
    /// Alone: with the loops around it GCC kept sums in memory, which took a sixth longer.
    template <int Blocks, int Tokens, class Maker>
    TRILOBIT_NOINLINE static void sum_in_int16(const lookup_span& s, std::int32_t* acc,
                                               std::int64_t acc_stride, Maker& maker) noexcept {
        using namespace simd;
        constexpr int registers = Blocks * together;
        words pairs[registers][Tokens][tables], odd[registers][Tokens][tables];
        TRILOBIT_UNROLL
        for (int r = 0; r < registers; ++r) TRILOBIT_UNROLL
        for (int m = 0; m < Tokens; ++m) TRILOBIT_UNROLL
        for (int i = 0; i < tables; ++i) pairs[r][m][i] = odd[r][m][i] = words(std::uint16_t{0});
        const std::byte* tile = s.tiles;
        const std::uint8_t* table = s.table;
        const std::int64_t skip = (Blocks - 1) * s.block_stride + s.skip;
        const std::byte* const row_end = tile + s.left * Layout::tile_bytes;
        const auto few_tiles = [&]<int Adds>() TRILOBIT_LAMBDA_INLINE {
            maker.template make<Adds>();
            u8<Arch> few[registers][Tokens][tables];
            TRILOBIT_UNROLL
            for (int r = 0; r < registers; ++r) TRILOBIT_UNROLL
            for (int m = 0; m < Tokens; ++m) TRILOBIT_UNROLL
            for (int i = 0; i < tables; ++i) few[r][m][i] = u8<Arch>(std::uint8_t{0});
            const std::int64_t ahead = lookup_ahead(lookup_prefetch, tile, row_end, skip);
            const auto one_tile = [&]() TRILOBIT_LAMBDA_INLINE {
                TRILOBIT_UNROLL
                for (int r = 0; r < registers; ++r) {
                    const std::byte* from =
                        tile + r / together * s.block_stride + r % together * register_bytes<Arch>;
                    u8<Arch> codes = load<Arch>(from);
                    // Loaded once: a second load of a line that is on its way from memory waits
                    // too.
                    pin<Arch>(codes);
                    const typename base3::indices at(codes);
                    if (Tokens == 1 && r % together == 0) prefetch<Arch>(from + ahead);
                    TRILOBIT_UNROLL
                    for (int m = 0; m < Tokens; ++m) TRILOBIT_UNROLL
                    for (int i = 0; i < tables; ++i) {
                        few[r][m][i] +=
                            base3::sum(table + m * s.token_stride + i * base3::table_bytes, at);
                        pin<Arch>(few[r][m][i]);
                    }
                    // Sums are up to 24 of the 32 registers, or 12 of the 16, where clang stores
                    // them to keep tables for the second register of rows.
                    if constexpr (Blocks > 1 || (few_registers && TRILOBIT_IS_CLANG))
                        forget_loads<Arch>(table);
                }
                tile += Layout::tile_bytes;
                table += table_bytes;
            };
            if constexpr (Adds <= 3) TRILOBIT_UNROLL
            for (int n = 0; n < Adds; ++n) one_tile();
            else for (int n = 0; n < Adds; ++n) one_tile();
            TRILOBIT_UNROLL
            for (int r = 0; r < registers; ++r) TRILOBIT_UNROLL
            for (int m = 0; m < Tokens; ++m) TRILOBIT_UNROLL
            for (int i = 0; i < tables; ++i)
                add_bytes<Arch>(few[r][m][i], pairs[r][m][i], odd[r][m][i]);
        };
        std::int64_t left = s.count;
        for (; left >= at_once; left -= at_once) few_tiles.template operator()<at_once>();
        for (; left > 0; --left) few_tiles.template operator()<1>();
        TRILOBIT_UNROLL
        for (int r = 0; r < registers; ++r) TRILOBIT_UNROLL
        for (int m = 0; m < Tokens; ++m)
            store(s, pairs[r][m], odd[r][m],
                  acc + r / together * Layout::tile_rows + r % together * register_bytes<Arch> +
                      m * acc_stride);
    }

    /// Likewise with few registers, for one block: indices of a few tiles, then all tokens that
    /// share them.
    template <int Tokens>
    TRILOBIT_NOINLINE static void sum_of_tokens(const lookup_span& s, std::int32_t* acc,
                                                std::int64_t acc_stride) noexcept {
        using namespace simd;
        words pairs[Tokens][together][tables], odd[Tokens][together][tables];
        for (int m = 0; m < Tokens; ++m)
            for (int r = 0; r < together; ++r)
                for (int i = 0; i < tables; ++i)
                    pairs[m][r][i] = odd[m][r][i] = words(std::uint16_t{0});
        const std::byte* tile = s.tiles;
        const std::uint8_t* table = s.table;
        const auto few_tiles = [&]<int Adds>() TRILOBIT_LAMBDA_INLINE {
            typename base3::indices at[Adds][together];
            TRILOBIT_UNROLL
            for (int n = 0; n < Adds; ++n) TRILOBIT_UNROLL
            for (int r = 0; r < together; ++r)
                at[n][r] = typename base3::indices(
                    load<Arch>(tile + n * Layout::tile_bytes + r * register_bytes<Arch>));
            const std::uint8_t* of = table;
            for (int m = 0; m < Tokens; ++m, of += s.token_stride) TRILOBIT_UNROLL
            for (int i = 0; i < tables; ++i) {
                u8<Arch> few[together];
                TRILOBIT_UNROLL
                for (int n = 0; n < Adds; ++n) TRILOBIT_UNROLL
                for (int r = 0; r < together; ++r) {
                    const u8<Arch> one =
                        base3::sum(of + n * table_bytes + i * base3::table_bytes, at[n][r]);
                    few[r] = n == 0 ? one : few[r] + one;
                    pin<Arch>(few[r]);
                }
                TRILOBIT_UNROLL
                for (int r = 0; r < together; ++r)
                    add_bytes<Arch>(few[r], pairs[m][r][i], odd[m][r][i]);
            }
            tile += Adds * Layout::tile_bytes;
            table += Adds * table_bytes;
        };
        constexpr int adds = std::min(3, at_once);
        std::int64_t left = s.count;
        for (; left >= adds; left -= adds) few_tiles.template operator()<adds>();
        for (; left > 0; --left) few_tiles.template operator()<1>();
        for (int m = 0; m < Tokens; ++m)
            for (int r = 0; r < together; ++r)
                store(s, pairs[m][r], odd[m][r], acc + r * register_bytes<Arch> + m * acc_stride);
    }

    /// to = (span's first ? 0 : to) + the sums of a register of rows, which are too large by as
    /// much as each table made them.
    TRILOBIT_INLINE static void store(const lookup_span& s, const words (&pairs)[tables],
                                      const words (&odd)[tables], std::int32_t* to) noexcept {
        using namespace simd;
        constexpr int step = lanes<Arch>;
        i32<Arch> rows[4];
        TRILOBIT_UNROLL
        for (int j = 0; j < 4; ++j)
            rows[j] = s.first ? i32<Arch>(0) : i32<Arch>::load_aligned(to + j * step);
        TRILOBIT_UNROLL
        for (int i = 0; i < tables; ++i)
            add_to_int32<Arch>(pairs[i], odd[i], static_cast<std::int16_t>(largest * s.count),
                               i == 0 ? 1 : 16, rows);
        if (s.last) {
            interleave4<Arch>(rows);
            finish<Arch>(s, rows, to);
        } else {
            TRILOBIT_UNROLL
            for (int j = 0; j < 4; ++j) rows[j].store_aligned(to + j * step);
        }
    }
};

}  // namespace trilobit::inline TRILOBIT_ABI::kernel

#include "trilobit/core/end.hpp"
