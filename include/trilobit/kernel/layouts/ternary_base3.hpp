// SPDX-License-Identifier: MIT
// Room kernel. Enters: tiles of ternary_base3. Leaves: what kernels know of them: codes of a panel,
// indices of tables of vectors, and how sums are looked up in tables of bytes.
//
// A byte stands for five weights and is two indices: the sum of what both find is that of the
// tile's five activations as the weights choose, within 5 * 8 = 40. A few tiles are added in bytes,
// three of such sums: 120 <= 127. These are added as int16, int32 comes every few hundred tiles.
//   avx512vnni, 64 rows x 5 columns: vpsrlw, shared by all tokens; for each table 2 vpermb and
//     2 vpaddb, and vpaddw + vpsrlw + vpaddw every three tiles, less one vpaddb
//   ssse3, avx2, a register of rows: 9 to find the indices, shared by all tokens; for each table
//     3 vpshufb + 3 vpaddb, the same additions
#pragma once

#include "trilobit/version.hpp"

#include "trilobit/kernel/lookup_step.hpp"
#include "trilobit/kernel/panel.hpp"
#include "trilobit/kernel/vector_table.hpp"
#include "trilobit/simd/base3.hpp"

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI::kernel {

/// 64 rows x 20 columns: the bytes of four tiles are interleaved, so that those of a row lie side
/// by side, and then decoded: the first digits of all four are a word, and so on.
template <class Arch>
struct panel_decoder<Arch, layout::ternary_base3> {
    static constexpr bool table64 = simd::machine<Arch>::table_entries >= 64;
    static constexpr double lookups = table64 ? 0.6 : 1;
    static constexpr double simple = table64 ? 3.5 : 5;
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

template <>
struct byte_index<layout::ternary_base3> {
    static constexpr int radix = 3, digits = 5, indices = 243, entries = 256;
    static constexpr int entry(int index) noexcept {
        return detail::base3.byte_of[static_cast<std::size_t>(index)];
    }
    template <class Arch>
    TRILOBIT_INLINE static simd::u8<Arch> of(simd::u8<Arch> codes) noexcept {
        return codes;
    }
};

/// Bounds of the sums in bytes and int16, of bytes that are `largest` too large each.
struct base3_bounds {
    static constexpr int largest = 5 * lookup_bound;
    static constexpr int in_byte = 255 / (2 * largest);
    static constexpr int in_int16 = 65535 / (2 * largest) / in_byte * in_byte;
    static_assert(in_byte >= 1 && 2 * largest * in_byte <= 255, "a sum could leave its byte");
    static_assert(largest * in_int16 <= 32767, "a sum less what it is too large by overflows");
};

/// Registers of rows against the tables of some tokens. With few registers and several tokens, sums
/// live in the L1 cache, and the indices of a few tiles serve all tokens.
template <class Arch, int Tables, int Rows, int Tokens>
struct base3_step : bytes_step<Arch, Tables, Rows, Tokens, 4 * Rows, base3_bounds::largest, 1> {
    using bounds = base3_bounds;
    using base3 = simd::base3_op<Arch>;
    using u8 = simd::u8<Arch>;
    using sum = simd::u16<Arch>;
    static constexpr bool by_tokens = !simd::many_registers<Arch> && Tokens > 1;
    static constexpr int kept = 2 * Tables;
    static constexpr int together = by_tokens ? std::min(3, bounds::in_byte) : bounds::in_byte;
    static constexpr int tile_bytes = 64, operand_bytes = Tables * base3::table_bytes;
    static constexpr int fold_every = bounds::in_int16 / together * together;
    static constexpr int lines =
        Tokens <= prefetched_tokens ? ceil_div(Rows * simd::register_bytes<Arch>, 64) : 0;

    template <int Tiles>
    TRILOBIT_INLINE static void add(const tile_span& s, const std::int64_t (&token)[Tokens],
                                    const std::byte* tile, const std::byte* x,
                                    sum (&sums)[kept][Rows][Tokens]) noexcept {
        const auto* table = reinterpret_cast<const std::uint8_t*>(x);
        if constexpr (by_tokens)
            add_by_tokens<Tiles>(s, token, tile, table, sums);
        else
            add_by_tiles<Tiles>(s, token, tile, table, sums);
    }

private:
    template <int Tiles>
    TRILOBIT_INLINE static void add_by_tiles(const tile_span& s,
                                             const std::int64_t (&token)[Tokens],
                                             const std::byte* tile, const std::uint8_t* table,
                                             sum (&sums)[kept][Rows][Tokens]) noexcept {
        using namespace simd;
        u8 few[Tables][Rows][Tokens];
        TRILOBIT_UNROLL
        for (int i = 0; i < Tables; ++i) TRILOBIT_UNROLL
        for (int r = 0; r < Rows; ++r) TRILOBIT_UNROLL
        for (int m = 0; m < Tokens; ++m) few[i][r][m] = u8(std::uint8_t{0});
        TRILOBIT_UNROLL
        for (int n = 0; n < Tiles; ++n) {
            TRILOBIT_UNROLL
            for (int r = 0; r < Rows; ++r) {
                u8 codes = load<Arch>(tile + register_offset<Arch>(s.w, r));
                // Loaded once: a second load of a line on its way from memory waits too.
                pin<Arch>(codes);
                const typename base3::indices at(codes);
                TRILOBIT_UNROLL
                for (int m = 0; m < Tokens; ++m) TRILOBIT_UNROLL
                for (int i = 0; i < Tables; ++i) {
                    few[i][r][m] += base3::sum(table + token[m] + i * base3::table_bytes, at);
                    pin<Arch>(few[i][r][m]);
                }
                // Sums are up to 24 of the 32 registers, or 12 of the 16, where clang stores them
                // to keep tables for the second register of rows.
                if constexpr (Rows > 1 && (many_registers<Arch> || TRILOBIT_IS_CLANG))
                    forget_loads<Arch>(table);
            }
            tile += tile_bytes;
            table += operand_bytes;
        }
        TRILOBIT_UNROLL
        for (int r = 0; r < Rows; ++r) TRILOBIT_UNROLL
        for (int m = 0; m < Tokens; ++m) TRILOBIT_UNROLL
        for (int i = 0; i < Tables; ++i)
            add_bytes<Arch>(few[i][r][m], sums[i][r][m], sums[Tables + i][r][m]);
    }

    template <int Tiles>
    TRILOBIT_INLINE static void add_by_tokens(const tile_span& s,
                                              const std::int64_t (&token)[Tokens],
                                              const std::byte* tile, const std::uint8_t* table,
                                              sum (&sums)[kept][Rows][Tokens]) noexcept {
        using namespace simd;
        typename base3::indices at[Tiles][Rows];
        TRILOBIT_UNROLL
        for (int n = 0; n < Tiles; ++n) TRILOBIT_UNROLL
        for (int r = 0; r < Rows; ++r)
            at[n][r] = typename base3::indices(
                load<Arch>(tile + n * tile_bytes + register_offset<Arch>(s.w, r)));
        for (int m = 0; m < Tokens; ++m) TRILOBIT_UNROLL
        for (int i = 0; i < Tables; ++i) {
            u8 few[Rows];
            TRILOBIT_UNROLL
            for (int n = 0; n < Tiles; ++n) TRILOBIT_UNROLL
            for (int r = 0; r < Rows; ++r) {
                const u8 one = base3::sum(
                    table + token[m] + n * operand_bytes + i * base3::table_bytes, at[n][r]);
                few[r] = n == 0 ? one : few[r] + one;
                pin<Arch>(few[r]);
            }
            TRILOBIT_UNROLL
            for (int r = 0; r < Rows; ++r)
                add_bytes<Arch>(few[r], sums[i][r][m], sums[Tables + i][r][m]);
        }
    }
};

template <class Arch, int Tables>
    requires(simd::machine<Arch>::table_entries >= 16)
struct lookup_shape<Arch, layout::ternary_base3, Tables> : shape_of_rows<Arch> {
    using base3 = simd::base3_op<Arch>;
    static constexpr bool many = simd::many_registers<Arch>;
    static constexpr bool table64 = simd::machine<Arch>::table_entries >= 64;
    static constexpr int tile_cols = 5;
    static constexpr std::int64_t table_bytes = Tables * base3::table_bytes;
    /// Tokens of one pass, which share the indices, and registers of rows that one load of a table
    /// serves. Each pair needs three registers of sums for each table.
    static constexpr int most_tokens = !many ? 8 : Tables == 2 ? 2 : 4;
    static constexpr int rows(int tokens) noexcept {
        return many ? std::min(4, (table64 ? 8 : 4) / (tokens * Tables)) : 2;
    }
    static constexpr int rows_of_register = simd::register_bytes<Arch>;
    static constexpr double lookups = Tables * (table64 ? 2 : 3), dots = 0;
    static constexpr double instructions(double tokens) noexcept {
        return (table64 ? 1 : 9) / tokens + 2 * lookups +
               Tables * (table64 ? 2.0 : 3.0) / base3_bounds::in_byte;
    }

    template <int Rows, int Tokens>
    using step = base3_step<Arch, Tables, Rows, Tokens>;
    TRILOBIT_INLINE static void make_table(const std::int8_t* x, std::uint8_t* to) noexcept {
        base3::make_table(x, base3_bounds::largest, to);
    }
};

}  // namespace trilobit::inline TRILOBIT_ABI::kernel

#include "trilobit/core/end.hpp"
