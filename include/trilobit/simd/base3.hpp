// SPDX-License-Identifier: MIT
// Room simd. Enters: registers of bytes of ternary_base3. Leaves: for each the sum of those of five
// activations that its weights choose, or the five weights themselves. Both are linear in the
// weights, so both are sums of a lookup by the low part of a byte and one by its high part; see the
// layout.
#pragma once

#include "trilobit/version.hpp"

#include "trilobit/core/endian.hpp"
#include "trilobit/layout/ternary_base3.hpp"
#include "trilobit/simd/ops.hpp"

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI::simd {

/// Weights that the entries of the tables of sixteen stand for: low[15..0], so that the byte 255,
/// which adds low[15], is an index of zero; low[16..31], high.
struct base3_parts {
    static constexpr std::size_t place_of_low(std::size_t a) noexcept {
        return a < 16 ? 15 - a : a;
    }
    alignas(64) std::uint8_t weight[5][64]{};  // by column and entry, 0xff being -1
    alignas(64) std::uint8_t is_high[64]{};    // 0xff there
    /// Two bits for each of the columns 0..3, those of high one more than the weight; column 4.
    alignas(64) std::uint8_t four[48]{}, fifth[32]{};

    constexpr base3_parts() noexcept {
        for (std::size_t i = 0; i < 48; ++i) {
            const auto& part =
                i < 32 ? detail::base3.low[place_of_low(i)] : detail::base3.high[i - 32];
            int digits = i < 32 ? 0 : 0x55;
            is_high[i] = i < 32 ? 0 : 0xff;
            for (std::size_t c = 0; c < 5; ++c) {
                weight[c][i] = static_cast<std::uint8_t>(part[c]);
                if (c < 4) digits += part[c] * (1 << (2 * c));
            }
            four[i] = static_cast<std::uint8_t>(digits);
            if (i < 32) fifth[i] = static_cast<std::uint8_t>(part[4]);
        }
    }
};
inline constexpr base3_parts base3_tables{};

/// Here with lookups in tables of sixteen, which SSSE3 and AVX2 have an instruction for.
template <class Arch>
struct base3_op {
    static constexpr int table_bytes = 64;

    /// Where a byte finds its parts. Bit 7 is set for the one of low's halves that it is not in,
    /// but the byte 255 is in both.
    struct indices {
        u8<Arch> first, second, high;

        indices() = default;
        TRILOBIT_INLINE explicit indices(u8<Arch> codes) noexcept {
            const auto all = [](int v) { return u8<Arch>(static_cast<std::uint8_t>(v)); };
            const u8<Arch> low = codes & all(31);
            first = zero_where_equal<Arch>(all(15) - low, codes, all(255));
            second = low - all(16);
            // As int8, which instructions compare.
            const auto is_high = bitwise_cast<std::int8_t>(low) > std::int8_t{27};
            const u8<Arch> even = shift_right<4, Arch>(codes) & all(14);
            high = bitwise_cast<std::uint8_t>(incr_if(bitwise_cast<std::int8_t>(even), is_high));
        }
    };

    /// Of the activations x[0..4], so that every sum comes out `more` than it is: as a byte,
    /// whatever its parts are. Eight bytes at x are readable.
    TRILOBIT_INLINE static void make_table(const std::int8_t* x, int more,
                                           std::uint8_t* table) noexcept {
        for (int i = 0; i < table_bytes; i += register_bytes<Arch>) {
            u8<Arch> sum = u8<Arch>(static_cast<std::uint8_t>(more)) &
                           u8<Arch>::load_aligned(base3_tables.is_high + i);
            for (int c = 0; c < 5; ++c) {
                const u8<Arch> value(static_cast<std::uint8_t>(x[c]));
                sum = add_signed<Arch>(sum, value,
                                       u8<Arch>::load_aligned(base3_tables.weight[c] + i));
            }
            sum.store_aligned(table + i);
        }
    }
    TRILOBIT_INLINE static u8<Arch> sum(const std::uint8_t* table, const indices& at) noexcept {
        return lookup16<Arch>(table, at.first) + lookup16<Arch>(table + 16, at.second) +
               lookup16<Arch>(table + 32, at.high);
    }
    TRILOBIT_INLINE static void digits(u8<Arch> codes, u8<Arch>* out) noexcept {
        const indices at(codes);
        const std::uint8_t* const fifth = base3_tables.fifth;
        split_fields<Arch>(sum(base3_tables.four, at), out);
        out[4] = lookup16<Arch>(fifth, at.first) + lookup16<Arch>(fifth + 16, at.second) +
                 u8<Arch>(std::uint8_t{1});
    }
};

/// The same parts in tables of 64, by bits 5..0 and 7..2 of a byte. Of activations they are made of
/// dot products of four columns: the sums that entries consist of, in 32-bit lanes.
struct base3_parts64 {
    struct sums {
        alignas(64) std::uint8_t weight[64]{};  // (sum, column), 0xff being -1
        alignas(64) std::int32_t start[16]{};   // what activations that are 8 too large add, less
        std::size_t count = 1;                  // the first is zero

        /// Of the low byte of this sum's lane.
        constexpr std::uint8_t place(std::array<int, 4> w) noexcept {
            std::size_t i = 0;
            const auto is = [&] {
                for (std::size_t c = 0; c < 4; ++c)
                    if (weight[4 * i + c] != static_cast<std::uint8_t>(w[c])) return false;
                return true;
            };
            while (i < count && !is()) ++i;
            for (std::size_t c = 0; i == count && c < 4; ++c) {
                weight[4 * i + c] = static_cast<std::uint8_t>(w[c]);
                start[i] -= 8 * w[c];
            }
            count = i == count ? count + 1 : count;
            return static_cast<std::uint8_t>(4 * i + (little_endian ? 0 : 3));
        }
    } of_low, of_high;                                  // columns 1..4, columns 0..3
    alignas(64) std::uint8_t low[2][64]{}, high[64]{};  // entries of low are sums of two
    alignas(64) std::uint8_t four_low[64]{}, four_high[64]{}, fifth[64]{};

    constexpr base3_parts64() noexcept {
        const base3_parts& p = base3_tables;
        for (std::size_t i = 0; i < 64; ++i) {
            const std::size_t a = i % 32;
            std::array<int, 4> w{};
            for (std::size_t c = 0; c < 4; ++c)
                w[c] = detail::base3.low[a][c + 1] + (i == 63 ? detail::base3.low[15][c + 1] : 0);
            const bool alone = a == 27 || i == 63;
            low[0][i] = of_low.place(alone ? w : std::array<int, 4>{0, w[1], 0, 0});
            low[1][i] = of_low.place(alone ? std::array<int, 4>{} : std::array{0, 0, w[2], w[3]});
            const std::size_t at = p.place_of_low(a), more = p.place_of_low(15);
            four_low[i] = static_cast<std::uint8_t>(p.four[at] + (i == 63 ? p.four[more] : 0));
            fifth[i] = static_cast<std::uint8_t>(p.fifth[at] + (i == 63 ? p.fifth[more] : 0) + 1);

            const std::size_t b = i / 8 * 2 + (i % 8 == 7);
            const auto& h = detail::base3.high[b];
            high[i] = of_high.place({h[0], h[1], h[2], h[3]});
            four_high[i] = p.four[32 + b];
        }
    }
};
inline constexpr base3_parts64 base3_tables64{};
static_assert(base3_tables64.of_low.count <= 16 && base3_tables64.of_high.count <= 16);

/// With lookups in tables of 64: one for each part.
template <class Arch>
    requires(machine<Arch>::table_entries >= 64)
struct base3_op<Arch> {
    static constexpr int table_bytes = 128;

    struct indices {
        u8<Arch> low, high;
        indices() = default;
        TRILOBIT_INLINE explicit indices(u8<Arch> codes) noexcept
            : low(index64<Arch>(codes)), high(index64<Arch>(shift_right<2, Arch>(codes))) {}
    };

    TRILOBIT_INLINE static void make_table(const std::int8_t* x, int more,
                                           std::uint8_t* table) noexcept {
        const base3_parts64& p = base3_tables64;
        alignas(64) std::uint8_t low[64], high[64];
        sums(x + 1, p.of_low, 0, low);
        sums(x, p.of_high, more, high);
        for (int i = 0; i < 64; i += register_bytes<Arch>) {
            const auto at = [i](const std::uint8_t* places) TRILOBIT_LAMBDA_INLINE {
                return u8<Arch>::load_aligned(places + i);
            };
            (lookup64<Arch>(low, at(p.low[0])) + lookup64<Arch>(low, at(p.low[1])))
                .store_aligned(table + i);
            lookup64<Arch>(high, at(p.high)).store_aligned(table + 64 + i);
        }
    }
    TRILOBIT_INLINE static u8<Arch> sum(const std::uint8_t* table, const indices& at) noexcept {
        return lookup64<Arch>(table, at.low) + lookup64<Arch>(table + 64, at.high);
    }
    TRILOBIT_INLINE static void digits(u8<Arch> codes, u8<Arch>* out) noexcept {
        const base3_parts64& p = base3_tables64;
        const indices at(codes);
        split_fields<Arch>(
            lookup64<Arch>(p.four_low, at.low) + lookup64<Arch>(p.four_high, at.high), out);
        out[4] = lookup64<Arch>(p.fifth, at.low);
    }

private:
    /// `more` and the sums of four activations within -8..8, an int32 each.
    TRILOBIT_INLINE static void sums(const std::int8_t* x, const base3_parts64::sums& of, int more,
                                     std::uint8_t* to) noexcept {
        const u8<Arch> four = broadcast4<Arch>(x) + u8<Arch>(std::uint8_t{8});
        for (int i = 0; i < 64; i += register_bytes<Arch>) {
            const auto weight = u8<Arch>::load_aligned(of.weight + i);
            const auto start = i32<Arch>::load_aligned(of.start + i / 4) + i32<Arch>(more);
            bitwise_cast<std::uint8_t>(dot4<Arch>(start, four, weight)).store_aligned(to + i);
        }
    }
};

}  // namespace trilobit::inline TRILOBIT_ABI::simd

#include "trilobit/core/end.hpp"
