// SPDX-License-Identifier: MIT
// Room kernel. Enters: tiles of binary_1bit, tables of their columns' activations. Leaves: how sums
// are looked up: in tables of 64 entries, or of 16.
//
// Half a byte stands for four weights, and which of a row's four bytes it is in, for four of
// sixteen columns. So four tables of sixteen sums lie in one of 64, and an index is half a byte
// beside the number of its byte. Each sum is within 4 * 8 = 32, and a dot product adds those of a
// row's four bytes to its int32, sixteenfold if they are of the upper halves of activations.
//   avx512vnni, 16 rows x 32 columns: 2 vpternlogd + vpsrlw, shared by all tokens; for each table
//     2 vpermb + 2 vpdpbusd, where 8 vpandd + 8 vpdpbusd would multiply
// With tables of sixteen a register must hold one of the four bytes: rows are taken apart while
// they are loaded, each 16 bytes of a register being a row block. Sums wait in bytes and int16.
//   avx2, 32 rows x 32 columns: 4 vinserti128 + 12 shuffles + 12 to split bytes, shared by all
//     tokens; for each table 8 vpshufb + 5 vpaddb, 3 times vpaddw + vpsrlw + vpaddw
#pragma once

#include "trilobit/version.hpp"

#include "trilobit/kernel/lookup_step.hpp"
#include "trilobit/layout/all.hpp"

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI::kernel {

/// Entry 16 t + n of half a byte's tables: activation f, column 4 f + t, counts -1 where bit f of n
/// is 0.
struct binary_entries : signed_entries<64> {
    constexpr binary_entries() noexcept {
        for (std::size_t i = 0; i < 64; ++i)
            for (std::size_t f = 0; f < 4; ++f)
                set(i, f, 4 * f + i / 16, (i >> f & 1) != 0 ? 1 : -1);
    }
};
inline constexpr binary_entries binary_table{};

/// Of x[0..31], 16-byte aligned, for the lower and the upper halves of bytes, one after the other:
/// so that every sum comes out `more` than it is.
template <class Arch>
TRILOBIT_INLINE void make_binary_table(const std::int8_t* x, int more, std::uint8_t* to) noexcept {
    for (int half = 0; half < 2; ++half)
        binary_table.make<Arch>(x + 16 * half, more, to + 64 * half);
}

template <class Arch, int Tables, int Rows, int Tokens>
struct binary_step64 {
    using sum = simd::i32<Arch>;
    static constexpr int rows = Rows, columns = Tokens, tokens = Tokens, registers = Rows;
    static constexpr int kept = 1, together = 1, fold_every = 0;
    static constexpr int tile_bytes = 64, operand_bytes = Tables * 128;
    static constexpr int lines =
        Tokens <= prefetched_tokens ? ceil_div(Rows * simd::register_bytes<Arch>, 64) : 0;
    static_assert(4 * lookup_bound <= 127, "a sum could leave its byte");

    template <int>
    TRILOBIT_INLINE static void add(const tile_span& s, const std::int64_t (&token)[Tokens],
                                    const std::byte* tile, const std::byte* x,
                                    sum (&sums)[1][Rows][Tokens]) noexcept {
        using namespace simd;
        static constexpr std::uint8_t numbers[] = {0x00, 0x10, 0x20, 0x30};
        const u8<Arch> half(std::uint8_t{15}), number = broadcast4<Arch>(numbers);
        const u8<Arch> weight[2] = {u8<Arch>(std::uint8_t{1}), u8<Arch>(std::uint8_t{16})};
        const auto* table = reinterpret_cast<const std::uint8_t*>(x);
        TRILOBIT_UNROLL
        for (int r = 0; r < Rows; ++r) {
            u8<Arch> codes = load<Arch>(tile + register_offset<Arch>(s.w, r));
            // Loaded once: a second load of a line on its way from memory waits too.
            pin<Arch>(codes);
            const u8<Arch> at[2] = {index64<Arch>((codes & half) | number),
                                    index64<Arch>((shift_right<4, Arch>(codes) & half) | number)};
            TRILOBIT_UNROLL
            for (int m = 0; m < Tokens; ++m) TRILOBIT_UNROLL
            for (int i = 0; i < 2 * Tables; ++i) {
                const auto found = lookup64<Arch>(table + token[m] + i * 64, at[i % 2]);
                sums[0][r][m] = dot4<Arch>(sums[0][r][m], weight[i / 2], found);
                pin<Arch>(sums[0][r][m]);
            }
            // Sums are up to 16 of the 32 registers.
            if constexpr (Rows > 1) forget_loads<Arch>(table);
            TRILOBIT_UNROLL
            for (int m = 0; m < Tokens; ++m) load_after<Arch>(table, sums[0][r][m]);
        }
    }
    TRILOBIT_INLINE static void total(const sum (&sums)[1][Rows][Tokens],
                                      sum (&totals)[Rows][Tokens]) noexcept {
        TRILOBIT_UNROLL
        for (int r = 0; r < Rows; ++r) TRILOBIT_UNROLL
        for (int m = 0; m < Tokens; ++m) totals[r][m] = sums[0][r][m];
    }
};

template <class Arch, int Tables>
    requires(simd::machine<Arch>::table_entries >= 64 && simd::exact_dot4<Arch>)
struct lookup_shape<Arch, layout::binary_1bit, Tables> : shape_of_rows<Arch> {
    static constexpr int tile_cols = 32;
    static constexpr std::int64_t table_bytes = Tables * 128;
    /// Tokens that share indices, and rows that share tables: a register of sums for each pair.
    static constexpr int most_tokens = 8;
    static constexpr int rows(int tokens) noexcept { return std::min(4, 16 / tokens); }
    static constexpr double lookups = 2 * Tables, dots = 2 * Tables;
    static constexpr double instructions(double tokens) noexcept {
        return 3 / tokens + lookups + dots;
    }

    template <int Rows, int Tokens>
    using step = binary_step64<Arch, Tables, Rows, Tokens>;
    TRILOBIT_INLINE static void make_table(const std::int8_t* x, std::uint8_t* to) noexcept {
        make_binary_table<Arch>(x, 0, to);
    }
};

/// Largest |entry|, and how many, each so much too large, fit a byte.
struct binary_bounds {
    static constexpr int largest = 4 * lookup_bound;
    static constexpr int in_byte = std::min(8, 255 / (2 * largest));
    static constexpr int in_int16 = 65535 / (2 * largest * 8);  // tiles, of eight entries each
    static_assert(in_byte >= 1 && 2 * largest * in_byte <= 255, "a sum could leave its byte");
    static_assert(largest * 8 * in_int16 <= 32767, "a sum less what it is too large by overflows");
};

/// A register of as many row blocks as it has 16 bytes; `Rows` of them exist.
template <class Arch, int Tables, int Rows, int Tokens>
struct binary_step16 : bytes_step<Arch, Tables, 1, Tokens, Rows * 16 / simd::lanes<Arch>,
                                  binary_bounds::largest, 8> {
    using sum = simd::u16<Arch>;
    static constexpr int kept = 2 * Tables;
    static constexpr int in_byte = binary_bounds::in_byte;
    static constexpr int together = 1, fold_every = binary_bounds::in_int16;
    static constexpr int tile_bytes = 64, operand_bytes = Tables * 128;
    static constexpr int lines = Tokens <= prefetched_tokens ? Rows : 0;

    template <int>
    TRILOBIT_INLINE static void add(const tile_span& s, const std::int64_t (&token)[Tokens],
                                    const std::byte* tile, const std::byte* x,
                                    sum (&sums)[kept][1][Tokens]) noexcept {
        using namespace simd;
        const u8<Arch> half(std::uint8_t{15});
        u8<Arch> at[8];
        // Where a register has more blocks than there are, it takes the same one again.
        load_every_fourth<Arch>(tile, Rows == 1 ? 0 : s.w.block_stride, at);
        TRILOBIT_UNROLL
        for (int t = 0; t < 4; ++t) {
            at[4 + t] = shift_right<4, Arch>(at[t]) & half;
            at[t] = at[t] & half;
        }
        const auto* table = reinterpret_cast<const std::uint8_t*>(x);
        for (int m = 0; m < Tokens; ++m) TRILOBIT_UNROLL
        for (int i = 0; i < Tables; ++i) {
            u8<Arch> few(std::uint8_t{0});
            TRILOBIT_UNROLL
            for (int n = 0; n < 8; ++n) {
                const u8<Arch> one = lookup16<Arch>(table + token[m] + i * 128 + n * 16, at[n]);
                few = n % in_byte == 0 ? one : few + one;
                pin<Arch>(few);
                if (n % in_byte == in_byte - 1 || n == 7)
                    add_bytes<Arch>(few, sums[i][0][m], sums[Tables + i][0][m]);
            }
        }
    }
};

template <class Arch, int Tables>
    requires(simd::machine<Arch>::table_entries == 16 && simd::register_bytes<Arch> <= 32)
struct lookup_shape<Arch, layout::binary_1bit, Tables> : shape_of_rows<Arch> {
    static constexpr int tile_cols = 32;
    static constexpr std::int64_t table_bytes = Tables * 128;
    static constexpr int most_tokens = 8;
    static constexpr int rows(int) noexcept { return simd::register_bytes<Arch> / 16; }
    static constexpr int rows_of_register = 16, registers = 1;  // a row block is a register here
    static constexpr double lookups = 2 * Tables, dots = 0;
    static constexpr double instructions(double tokens) noexcept {
        constexpr int adds = binary_bounds::in_byte;
        return 7 / tokens + (13 + 3.0 * ceil_div(8, adds)) / 4 * Tables;
    }

    template <int Rows, int Tokens>
    using step = binary_step16<Arch, Tables, Rows, Tokens>;
    TRILOBIT_INLINE static std::int64_t offset(const weights_span& w, int r) noexcept {
        return r * w.block_stride;
    }
    TRILOBIT_INLINE static void make_table(const std::int8_t* x, std::uint8_t* to) noexcept {
        make_binary_table<Arch>(x, binary_bounds::largest, to);
    }
};

}  // namespace trilobit::inline TRILOBIT_ABI::kernel

#include "trilobit/core/end.hpp"
