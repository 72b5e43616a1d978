// SPDX-License-Identifier: MIT
// Room kernel. Enters: tiles of binary_1bit, tables of their columns' activations. Leaves: exact
// sums by looking them up, where an instruction finds bytes in sixteen.
//
// The tables are those of lookup_binary.hpp: four of sixteen for the lower halves of a row's four
// bytes, four for the upper ones. So that a register has one of the four bytes, rows are taken
// apart while they are loaded: each 16 bytes of a register are a row block. A few sums are added in
// bytes, each too large by as much as makes it positive, and these in int16 as in lookup_base3.hpp.
//   avx2, 32 rows x 32 columns: 4 vinserti128 + 12 shuffles + 12 to split bytes, shared by all
//     tokens; for each table 8 vpshufb + 5 vpaddb, 3 times vpaddw + vpsrlw + vpaddw
#pragma once

#include "trilobit/version.hpp"

#include "trilobit/core/arithmetic.hpp"
#include "trilobit/kernel/lookup_binary.hpp"
#include "trilobit/kernel/lookup_sums.hpp"

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI::kernel {

template <class Arch, class Act>
    requires(has_ssse3<Arch> && !has_avx512bw<Arch>)
struct lookup_tiles<Arch, layout::binary_1bit, Act> : layout::binary_1bit {
    static constexpr int tables = lookup_parts<Act>;
    static constexpr std::int64_t table_bytes = tables * 128;
    /// Largest |entry|; how many, each so much too large, fit a byte; and tiles whose sums fit 16
    /// bits.
    static constexpr int largest = 4 * lookup_bound<Act>;
    static constexpr int adds = std::min(8, 255 / (2 * largest));
    static constexpr int int16_tiles = 65535 / (2 * largest * 8);
    static_assert(adds >= 1 && 2 * largest * adds <= 255, "a sum could leave its byte");
    static_assert(largest * 8 * int16_tiles <= 32767,
                  "a sum without what it is too large by overflows");
    static constexpr int at_once = 1;

    static constexpr int most_tokens = 8;
    static constexpr int most_blocks(int) noexcept {
        return simd::register_bytes<Arch> / tile_rows;
    }
    /// Tables of several tokens between which row blocks change, of the L2 cache.
    static constexpr int strip_bytes = 128 << 10;
    /// What it takes for a register of weights and each of `tokens` that share them.
    static constexpr bool fast = true;
    static constexpr double lookups = 2 * tables;
    static constexpr double dots = 0;
    static constexpr double instructions(double tokens) noexcept {
        return 7 / tokens + (13 + 3.0 * ceil_div(8, adds)) / 4 * tables;
    }

    TRILOBIT_INLINE static void make_table(const std::int8_t* x, std::uint8_t* to) noexcept {
        make_binary_table<Arch>(x, largest, to);
    }

    /// acc = (span's first ? 0 : acc) + some tiles of Blocks row blocks against the tables of a few
    /// tokens, each made by `maker` when it is first wanted.
    template <int Blocks, int Tokens, class Maker>
    TRILOBIT_INLINE static void sum(lookup_span s, std::int64_t block, std::int32_t* acc,
                                    std::int64_t acc_stride, Maker& maker) noexcept {
        s.tiles += block * s.block_stride;
        each_part<lookup_tiles>(s, int16_tiles, [&](const lookup_span& part) {
            sum_in_int16<Blocks, Tokens>(part, acc + block * tile_rows, acc_stride, maker);
        });
    }

private:
    template <int Blocks, int Tokens, class Maker>
    TRILOBIT_NOINLINE static void sum_in_int16(const lookup_span& s, std::int32_t* acc,
                                               std::int64_t acc_stride, Maker& maker) noexcept {
        using namespace simd;
        // Where a register has more blocks than there are, it takes the same one again.
        const std::int64_t stride = Blocks == 1 ? 0 : s.block_stride;
        u16<Arch> pairs[Tokens][tables], odd[Tokens][tables];
        for (int m = 0; m < Tokens; ++m)
            for (int i = 0; i < tables; ++i) pairs[m][i] = odd[m][i] = u16<Arch>(std::uint16_t{0});
        const std::byte* tile = s.tiles;
        const std::uint8_t* table = s.table;
        const std::int64_t skip = (Blocks - 1) * s.block_stride + s.skip;
        const std::byte* const row_end = tile + s.left * tile_bytes;
        const u8<Arch> half(std::uint8_t{15});
        for (std::int64_t k = 0; k < s.count; ++k, tile += tile_bytes, table += table_bytes) {
            maker.template make<1>();
            const std::int64_t ahead = lookup_ahead(lookup_prefetch, tile, row_end, skip);
            if (Tokens == 1) TRILOBIT_UNROLL
            for (int b = 0; b < Blocks; ++b) prefetch<Arch>(tile + b * stride + ahead);
            u8<Arch> at[8];
            load_every_fourth<Arch>(tile, stride, at);
            TRILOBIT_UNROLL
            for (int t = 0; t < 4; ++t) {
                at[4 + t] = shift_right<4, Arch>(at[t]) & half;
                at[t] = at[t] & half;
            }
            const std::uint8_t* of = table;
            for (int m = 0; m < Tokens; ++m, of += s.token_stride) TRILOBIT_UNROLL
            for (int i = 0; i < tables; ++i) {
                u8<Arch> few(std::uint8_t{0});
                TRILOBIT_UNROLL
                for (int n = 0; n < 8; ++n) {
                    const u8<Arch> one = lookup16_op<Arch>::call(of + i * 128 + n * 16, at[n]);
                    few = n % adds == 0 ? one : few + one;
                    pin<Arch>(few);
                    if (n % adds == adds - 1 || n == 7)
                        add_bytes<Arch>(few, pairs[m][i], odd[m][i]);
                }
            }
        }
        for (int m = 0; m < Tokens; ++m) {
            i32<Arch> all[4];
            TRILOBIT_UNROLL
            for (i32<Arch>& r : all) r = i32<Arch>(0);
            TRILOBIT_UNROLL
            for (int i = 0; i < tables; ++i)
                add_to_int32<Arch>(pairs[m][i], odd[m][i],
                                   static_cast<std::int16_t>(8 * largest * s.count),
                                   i == 0 ? 1 : 16, all);
            interleave4<Arch>(all);
            // Of one block where a register has room for two, the first half.
            constexpr int registers = Blocks * tile_rows / lanes<Arch>;
            i32<Arch> rows[registers];
            std::int32_t* const to = acc + m * acc_stride;
            TRILOBIT_UNROLL
            for (int j = 0; j < registers; ++j) {
                std::int32_t* const before = to + j * lanes<Arch>;
                rows[j] = s.first ? all[j] : all[j] + i32<Arch>::load_aligned(before);
                if (!s.last) rows[j].store_aligned(before);
            }
            if (s.last) finish<Arch>(s, rows, to);
        }
    }
};

}  // namespace trilobit::inline TRILOBIT_ABI::kernel

#include "trilobit/core/end.hpp"
