// SPDX-License-Identifier: MIT
// Room kernel. Enters: tiles of ternary_3of4. Leaves: what kernels know of them: codes of a panel,
// and how sums are looked up in tables of bytes.
//
// A group's index finds the sum of three activations, within 3 * 8 = 24, and its sign turns that
// round. Four groups are added in bytes, then in int16, as those of ternary_base3.
//   avx512vnni, 64 rows x 32 columns: vpandd + vpord + 11 shifts + 8 vpternlogd for the indices,
//     shared by all tokens; for each table 8 vpermb + 6 vpaddb, twice vpaddw + vpsrlw + vpaddw
//     61 for int8: 34 weights each, base 3 has 31
//   ssse3, avx2, a register of rows x 32 columns: 11 shifts + 8 ANDs + 8 ORs, shared by all tokens;
//     for each table 8 vpshufb + 8 vpsignb + 8 vpaddb, the same additions
//     87 for int8, with avx2 12 weights each, base 3 has 7
// From memory at 6 bytes a cycle 38 weights a cycle are wanted. A dot product of what shuffles
// decode would take a mask for each four weights of a row beside it: 21 weights to an instruction.
#pragma once

#include "trilobit/version.hpp"

#include "trilobit/kernel/lookup_step.hpp"
#include "trilobit/kernel/panel.hpp"
#include "trilobit/layout/ternary_3of4.hpp"

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI::kernel {

/// Tables of four groups, sixteen columns, of `Entries` codes each: 16, without signs, or 32.
template <int Entries>
struct entries_of_four : signed_entries<4 * Entries> {
    constexpr entries_of_four() noexcept {
        for (std::size_t i = 0; i < 4 * Entries; ++i)
            for (std::size_t c = 0; c < 4; ++c)
                this->set(i, c, i / Entries * 4 + c,
                          detail::three_of_four_codes.weights[i % Entries][c]);
    }
};
template <int Entries>
inline constexpr entries_of_four<Entries> table_of_four{};

/// What a register of bytes finds in tables of sixteen: an index without the sign, and the sign.
template <class Arch>
struct group_index {
    static constexpr int entries = 16;
    /// What makes sums of groups positive is added to the sum, not to entries, which are turned
    /// round.
    static constexpr bool entries_positive = false;
    simd::u8<Arch> index, sign;

    struct signs {
        simd::u8<Arch> all;
        TRILOBIT_INLINE explicit signs(const std::byte* plane) noexcept
            : all(simd::load<Arch>(plane)) {}
    };
    template <int Group>
    TRILOBIT_INLINE static group_index of(simd::u8<Arch> pair, const signs& s) noexcept {
        using namespace simd;
        if constexpr (Group % 2 != 0) pair = shift_right<4, Arch>(pair);
        u8<Arch> sign = s.all;
        if constexpr (Group > 0) sign = shift_left<Group, Arch>(sign);
        return {pair & u8<Arch>(std::uint8_t{15}), sign_of<Arch>(sign)};
    }
    /// to + what is found in the table of group `group` of those from `tables` on
    TRILOBIT_INLINE simd::u8<Arch> add(simd::u8<Arch> to, const std::uint8_t* tables,
                                       int group) const noexcept {
        return simd::add_signed<Arch>(to, simd::lookup16<Arch>(tables + 16 * group, index), sign);
    }
};

/// In tables of 64, each of two groups: bits 3..0 the index, 4 the sign, 5 is set for the second.
/// Above the sign lies that of the group before, which is made 0 or 1 in the whole plane.
template <class Arch>
    requires(simd::machine<Arch>::table_entries >= 64)
struct group_index<Arch> {
    static constexpr int entries = 32;
    static constexpr bool entries_positive = true;
    simd::u8<Arch> index;

    struct signs {
        simd::u8<Arch> even, odd;
        TRILOBIT_INLINE explicit signs(const std::byte* plane) noexcept {
            const simd::u8<Arch> all = simd::load<Arch>(plane), evens(std::uint8_t{0xaa});
            even = all & evens;
            odd = all | evens;
        }
    };
    template <int Group>
    TRILOBIT_INLINE static group_index of(simd::u8<Arch> pair, const signs& s) noexcept {
        using namespace simd;
        if constexpr (Group % 2 != 0) pair = shift_right<4, Arch>(pair);
        u8<Arch> sign = Group % 2 == 0 ? s.even : s.odd;
        if constexpr (Group < 3) sign = shift_right<3 - Group, Arch>(sign);
        if constexpr (Group > 3) sign = shift_left<Group - 3, Arch>(sign);
        const u8<Arch> half(std::uint8_t{15});
        return {index64<Arch>(sign ^ ((pair ^ sign) & half))};
    }
    TRILOBIT_INLINE simd::u8<Arch> add(simd::u8<Arch> to, const std::uint8_t* tables,
                                       int group) const noexcept {
        return to + simd::lookup64<Arch>(tables + 64 * (group / 2), index);
    }
};

/// f.operator()<0>() .. <3>(): groups whose numbers are constants.
template <class F>
TRILOBIT_INLINE void four_groups(F&& f) noexcept {
    f.template operator()<0>();
    f.template operator()<1>();
    f.template operator()<2>();
    f.template operator()<3>();
}

/// What the weights of a code say in fields of two bits, less one each: the sum of 1, 4, 16 and 64
/// as they choose.
template <class Arch>
struct digits_of_four {
    static constexpr int ones = 0x55;
    alignas(64) std::uint8_t table[64]{};

    constexpr digits_of_four() noexcept {
        using index = group_index<Arch>;
        for (std::size_t i = 0; i < 64; ++i) {
            int sum = index::entries_positive ? ones : 0;
            for (std::size_t c = 0; c < 4; ++c)
                sum += detail::three_of_four_codes.weights[i % index::entries][c] * (1 << (2 * c));
            table[i] = static_cast<std::uint8_t>(sum);
        }
    }
};

/// 64 rows x 32 columns. Four groups' weights, as fields of two bits, are interleaved, so that
/// those of a row lie side by side: the first columns of four groups are a word, and so on.
template <class Arch>
struct panel_decoder<Arch, layout::ternary_3of4> {
    static constexpr double lookups = 0.25, simple = 4;
    static constexpr int step_cols = 32;
    static constexpr digits_of_four<Arch> digits{};

    static void order(const std::int8_t* x, std::int8_t* to) noexcept {
        for (int half = 0; half < 32; half += 16)
            for (int c = 0; c < 4; ++c)
                for (int group = 0; group < 4; ++group)
                    to[half + 4 * c + group] = x[half + 4 * group + c];
    }
    static void decode(const std::byte* tile, std::int64_t, std::byte* to) noexcept {
        for (int p = 0; p < 64; p += simd::register_bytes<Arch>) {
            const typename group_index<Arch>::signs signs(tile + layout::ternary_3of4::sign_bytes +
                                                          p);
            decode_half<0>(tile + p, signs, p, to);
            decode_half<4>(tile + p + 128, signs, p, to + 4 * panel::tile_bytes);
        }
    }

private:
    template <int First>
    TRILOBIT_INLINE static void decode_half(const std::byte* planes,
                                            const typename group_index<Arch>::signs& signs,
                                            int first_row, std::byte* to) noexcept {
        using namespace simd;
        using index = group_index<Arch>;
        const u8<Arch> start(static_cast<std::uint8_t>(index::entries_positive ? 0 : digits.ones));
        u8<Arch> four[4], words[4];
        four_groups([&]<int G>() TRILOBIT_LAMBDA_INLINE {
            const auto at = index::template of<First + G>(load<Arch>(planes + G / 2 * 64), signs);
            four[G] = at.add(start, digits.table, 0);
        });
        interleave4<Arch>(four);
        TRILOBIT_UNROLL
        for (int i = 0; i < 4; ++i) {
            const int row = first_row + i * register_bytes<Arch> / 4;
            std::byte* const at = to + row / 16 * panel_stride<Arch> + row % 16 * 4;
            split_fields<Arch>(four[i], words);
            TRILOBIT_UNROLL
            for (int c = 0; c < 4; ++c) store<Arch>(words[c], at + c * panel::tile_bytes);
        }
    }
};

/// Bounds of the sums in bytes and int16, of groups that are `largest` too large each.
struct bounds_of_four {
    static constexpr int largest = 3 * lookup_bound, in_byte = 4;
    static constexpr int in_int16 = 65535 / (2 * largest * layout::ternary_3of4::groups);  // tiles
    static_assert(2 * largest * in_byte <= 255, "a sum could leave its byte");
    static_assert(largest * layout::ternary_3of4::groups * in_int16 <= 32767,
                  "a sum less what it is too large by overflows");
};

/// Registers of rows against the tables of some tokens. With few registers and several tokens, sums
/// live in the L1 cache, and the indices of four groups serve all tokens.
template <class Arch, int Tables, int Rows, int Tokens>
struct step_of_four : bytes_step<Arch, Tables, Rows, Tokens, 4 * Rows, bounds_of_four::largest,
                                 layout::ternary_3of4::groups> {
    using index = group_index<Arch>;
    using u8 = simd::u8<Arch>;
    using sum = simd::u16<Arch>;
    static constexpr bool by_tokens = !simd::many_registers<Arch> && Tokens > 1;
    static constexpr int kept = 2 * Tables;
    static constexpr int together = 1, fold_every = bounds_of_four::in_int16;
    static constexpr int tile_bytes = layout::ternary_3of4::tile_bytes;
    static constexpr int table_bytes = 8 * index::entries, operand_bytes = Tables * table_bytes;
    static constexpr int lines =
        Tokens <= prefetched_tokens ? ceil_div(Rows * simd::register_bytes<Arch>, 64) : 0;

    template <int>
    TRILOBIT_INLINE static void add(const tile_span& s, const std::int64_t (&token)[Tokens],
                                    const std::byte* tile, const std::byte* x,
                                    sum (&sums)[kept][Rows][Tokens]) noexcept {
        using namespace simd;
        const auto* tables = reinterpret_cast<const std::uint8_t*>(x);
        TRILOBIT_UNROLL
        for (int r = 0; r < Rows; ++r) {
            const std::byte* planes = tile + register_offset<Arch>(s.w, r);
            const typename index::signs signs(planes + layout::ternary_3of4::sign_bytes);
            add_half<0>(planes, signs, r, token, tables, sums);
            add_half<4>(planes + 128, signs, r, token, tables, sums);
            // Sums take the registers that would keep tables for the next one.
            if constexpr (Rows > 1) forget_loads<Arch>(tables);
        }
    }

private:
    static constexpr int start =
        index::entries_positive ? 0 : bounds_of_four::in_byte * bounds_of_four::largest;

    template <int First>
    TRILOBIT_INLINE static void add_half(const std::byte* planes,
                                         const typename index::signs& signs, int r,
                                         const std::int64_t (&token)[Tokens],
                                         const std::uint8_t* tables,
                                         sum (&sums)[kept][Rows][Tokens]) noexcept {
        using namespace simd;
        const u8 none(static_cast<std::uint8_t>(start));
        if constexpr (by_tokens) {
            index at[4];
            four_groups([&]<int G>() TRILOBIT_LAMBDA_INLINE {
                at[G] = index::template of<First + G>(load<Arch>(planes + G / 2 * 64), signs);
            });
            for (int m = 0; m < Tokens; ++m) TRILOBIT_UNROLL
            for (int i = 0; i < Tables; ++i) {
                u8 few = none;
                TRILOBIT_UNROLL
                for (int g = 0; g < 4; ++g) {
                    few = at[g].add(few, tables + token[m] + i * table_bytes, First + g);
                    pin<Arch>(few);
                }
                add_bytes<Arch>(few, sums[i][r][m], sums[Tables + i][r][m]);
            }
        } else {
            u8 few[Tables][Tokens];
            four_groups([&]<int G>() TRILOBIT_LAMBDA_INLINE {
                const auto at =
                    index::template of<First + G>(load<Arch>(planes + G / 2 * 64), signs);
                TRILOBIT_UNROLL
                for (int m = 0; m < Tokens; ++m) TRILOBIT_UNROLL
                for (int i = 0; i < Tables; ++i) {
                    u8& to = few[i][m];
                    to = at.add(G == 0 ? none : to, tables + token[m] + i * table_bytes, First + G);
                    pin<Arch>(to);
                }
            });
            TRILOBIT_UNROLL
            for (int m = 0; m < Tokens; ++m) TRILOBIT_UNROLL
            for (int i = 0; i < Tables; ++i)
                add_bytes<Arch>(few[i][m], sums[i][r][m], sums[Tables + i][r][m]);
        }
    }
};

template <class Arch, int Tables>
    requires(simd::machine<Arch>::table_entries >= 16)
struct lookup_shape<Arch, layout::ternary_3of4, Tables> : shape_of_rows<Arch> {
    using index = group_index<Arch>;
    static constexpr bool many = simd::many_registers<Arch>;
    static constexpr int tile_cols = layout::ternary_3of4::tile_cols;
    static constexpr std::int64_t table_bytes = Tables * 8 * index::entries;
    /// Tokens of one pass, which share the indices, and registers of rows beside them: whole lines,
    /// at least, for one token from memory. Each pair needs two registers of sums for each table.
    static constexpr int most_tokens = !many ? 8 : 8 / Tables;
    static constexpr int rows(int tokens) noexcept {
        return tokens > 1 ? 1 : std::max(2, 64 / simd::register_bytes<Arch>);
    }
    static constexpr int rows_of_register = simd::register_bytes<Arch>;
    /// Of a fifth of a tile.
    static constexpr double lookups = 8.0 / 5 * Tables, dots = 0;
    static constexpr double instructions(double tokens) noexcept {
        return index::entries_positive ? 21 / (5 * tokens) + 4 * Tables
                                       : 27 / (5 * tokens) + 6 * Tables;
    }

    template <int Rows, int Tokens>
    using step = step_of_four<Arch, Tables, Rows, Tokens>;
    TRILOBIT_INLINE static void make_table(const std::int8_t* x, std::uint8_t* to) noexcept {
        constexpr int more = index::entries_positive ? bounds_of_four::largest : 0;
        for (int half = 0; half < 2; ++half)
            table_of_four<index::entries>.template make<Arch>(x + 16 * half, more,
                                                              to + 4 * index::entries * half);
    }
};

}  // namespace trilobit::inline TRILOBIT_ABI::kernel

#include "trilobit/core/end.hpp"
