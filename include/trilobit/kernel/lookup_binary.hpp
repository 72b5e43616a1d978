// SPDX-License-Identifier: MIT
// Room kernel. Enters: tiles of binary_1bit, tables of their columns' activations. Leaves: exact
// sums by looking them up.
//
// Half a byte stands for four weights, and which of a row's four bytes it is in, for four of
// sixteen columns. So four tables of sixteen sums lie in one of 64, and an index is half a byte
// beside the number of its byte. Each sum is within 4 * 8 = 32, and a dot product adds those of a
// row's four bytes to its int32, sixteenfold if they are of the upper halves of activations.
//   avx512vnni, 16 rows x 32 columns: 2 vpternlogd + vpsrlw, shared by all tokens; for each table
//     2 vpermb + 2 vpdpbusd, where 8 vpandd + 8 vpdpbusd would multiply
#pragma once

#include "trilobit/version.hpp"

#include "trilobit/kernel/lookup_tiles.hpp"

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI::kernel {

/// By activation f, column 4 f + t, and entry 16 t + n: the place of the activation, and 0xff where
/// bit f of n, the weight, is -1; how many of those there are. What is not x - 1 is -x.
struct binary_entries {
    alignas(64) std::uint8_t place[4][64]{}, negative[4][64]{}, negatives[64]{};

    constexpr binary_entries() noexcept {
        for (std::size_t i = 0; i < 64; ++i)
            for (std::size_t f = 0; f < 4; ++f) {
                const bool minus = (i >> f & 1) == 0;
                place[f][i] = static_cast<std::uint8_t>(4 * f + i / 16);
                negative[f][i] = minus ? 0xff : 0;
                negatives[i] = static_cast<std::uint8_t>(negatives[i] + (minus ? 1 : 0));
            }
    }
};
inline constexpr binary_entries binary_table{};

/// Of x[0..31], 16-byte aligned, for the lower and the upper halves of bytes, one after the other:
/// so that every sum comes out `more` than it is.
template <class Arch>
TRILOBIT_INLINE void make_binary_table(const std::int8_t* x, int more, std::uint8_t* to) noexcept {
    using namespace simd;
    for (int half = 0; half < 2; ++half, x += 16, to += 64)
        for (int i = 0; i < 64; i += register_bytes<Arch>) {
            auto sum = u8<Arch>::load_aligned(binary_table.negatives + i) +
                       u8<Arch>(static_cast<std::uint8_t>(more));
            for (int f = 0; f < 4; ++f) {
                const auto place = u8<Arch>::load_aligned(binary_table.place[f] + i);
                sum += lookup16_op<Arch>::call(reinterpret_cast<const std::uint8_t*>(x), place) ^
                       u8<Arch>::load_aligned(binary_table.negative[f] + i);
            }
            sum.store_aligned(to + i);
        }
}

template <class Arch, class Act>
struct lookup_tiles<Arch, layout::binary_1bit, Act> : layout::binary_1bit {
    static constexpr int tables = lookup_parts<Act>;
    /// Of the lower and the upper halves of bytes, one after the other.
    static constexpr std::int64_t table_bytes = tables * 128;
    static_assert(4 * lookup_bound<Act> <= 127, "a sum could leave its byte");
    static constexpr int at_once = 1;

    /// Is there an instruction for it?
    static constexpr bool fast = has_avx512vnni<Arch>;
    /// Tokens that share indices, and row blocks that share tables: with a register of sums for
    /// each pair, up to sixteen. What is spelt out byte by byte is not worth spelling out for each
    /// pair.
    static constexpr int most_tokens = fast ? 8 : 1;
    static constexpr int most_blocks(int tokens) noexcept {
        return fast ? std::min(4, 16 / tokens) : 1;
    }
    /// Tables of several tokens, of the L1 cache.
    static constexpr int strip_bytes = 24 << 10;
    /// What it takes for a register of weights and each of `tokens` that share them.
    static constexpr double lookups = 2 * tables;
    static constexpr double dots = 2 * tables;
    static constexpr double instructions(double tokens) noexcept {
        return 3 / tokens + lookups + dots;
    }

    TRILOBIT_INLINE static void make_table(const std::int8_t* x, std::uint8_t* to) noexcept {
        make_binary_table<Arch>(x, 0, to);
    }

    /// acc = (span's first ? 0 : acc) + some tiles of Blocks row blocks against the tables of a few
    /// tokens, each made by `maker` when it is first wanted.
    template <int Blocks, int Tokens, class Maker>
    static void sum(const lookup_span& s, std::int64_t block, std::int32_t* acc,
                    std::int64_t acc_stride, Maker& maker) noexcept {
        tables_are_made made;
        for (int p = 0; p < tile_bytes; p += simd::register_bytes<Arch>) {
            const std::byte* const tile = s.tiles + block * s.block_stride + p;
            std::int32_t* const to = acc + block * tile_rows + p / 4;
            if (p == 0)
                sum_register<Blocks, Tokens>(s, tile, to, acc_stride, maker);
            else
                sum_register<Blocks, Tokens>(s, tile, to, acc_stride, made);
        }
    }

private:
    template <int Blocks, int Tokens, class Maker>
    TRILOBIT_NOINLINE static void sum_register(const lookup_span& s, const std::byte* tile,
                                               std::int32_t* acc, std::int64_t acc_stride,
                                               Maker& maker) noexcept {
        using namespace simd;
        static constexpr std::uint8_t numbers[] = {0x00, 0x10, 0x20, 0x30};
        const u8<Arch> half(std::uint8_t{15}), number = broadcast4<Arch>(numbers);
        const u8<Arch> weight[2] = {u8<Arch>(std::uint8_t{1}), u8<Arch>(std::uint8_t{16})};
        i32<Arch> sums[Blocks][Tokens];
        TRILOBIT_UNROLL
        for (int b = 0; b < Blocks; ++b) TRILOBIT_UNROLL
        for (int m = 0; m < Tokens; ++m) {
            sums[b][m] = i32<Arch>(0);
            if (!s.first)
                sums[b][m] = i32<Arch>::load_aligned(acc + b * tile_rows + m * acc_stride);
        }
        std::int64_t token[Tokens];
        token_offsets(s.token_stride, token);
        const std::uint8_t* table = s.table;
        const std::int64_t skip = (Blocks - 1) * s.block_stride + s.skip;
        const std::byte* const row_end = tile + s.left * tile_bytes;
        for (std::int64_t k = 0; k < s.count; ++k, tile += tile_bytes, table += table_bytes) {
            const std::int64_t ahead = lookup_ahead(lookup_prefetch, tile, row_end, skip);
            maker.template make<1>();
            TRILOBIT_UNROLL
            for (int b = 0; b < Blocks; ++b) {
                const std::byte* from = tile + b * s.block_stride;
                u8<Arch> codes = load<Arch>(from);
                // Loaded once: a second load of a line that is on its way from memory waits too.
                pin<Arch>(codes);
                if constexpr (Tokens == 1) prefetch<Arch>(from + ahead);
                const u8<Arch> at[2] = {(codes & half) | number,
                                        (shift_right<4, Arch>(codes) & half) | number};
                TRILOBIT_UNROLL
                for (int m = 0; m < Tokens; ++m) TRILOBIT_UNROLL
                for (int i = 0; i < 2 * tables; ++i) {
                    const std::uint8_t* of = table + token[m] + i * 64;
                    sums[b][m] =
                        dot4<Arch>(sums[b][m], weight[i / 2], lookup64<Arch>(of, at[i % 2]));
                    pin<Arch>(sums[b][m]);
                }
                // Sums are up to 16 of the 32 registers.
                if constexpr (Blocks > 1) forget_loads<Arch>(table);
            }
        }
        TRILOBIT_UNROLL
        for (int b = 0; b < Blocks; ++b) TRILOBIT_UNROLL
        for (int m = 0; m < Tokens; ++m) {
            const i32<Arch> rows[] = {sums[b][m]};
            finish<Arch>(s, rows, acc + b * tile_rows + m * acc_stride);
        }
    }
};

}  // namespace trilobit::inline TRILOBIT_ABI::kernel

#include "trilobit/core/end.hpp"
