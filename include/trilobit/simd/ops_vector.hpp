// SPDX-License-Identifier: MIT
// Room simd. Enters: registers of the compiler's vector types. Leaves: the primitives that need
// nothing but constant shuffles of them, for every machine that has such registers.
#pragma once

#include "trilobit/version.hpp"

#include "trilobit/simd/primitives.hpp"

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI::simd {

#if defined(__GNUC__)

template <on_vectors Arch>
struct interleave4_op<Arch> {
    TRILOBIT_INLINE static void call(u8<Arch>* v) noexcept {
        const auto pairs = [](u8<Arch> a)
                               TRILOBIT_LAMBDA_INLINE { return bitwise_cast<std::uint16_t>(a); };
        const auto ab_low = pairs(zip_lo(v[0], v[1])), ab_high = pairs(zip_hi(v[0], v[1]));
        const auto cd_low = pairs(zip_lo(v[2], v[3])), cd_high = pairs(zip_hi(v[2], v[3]));
        v[0] = bitwise_cast<std::uint8_t>(zip_lo(ab_low, cd_low));
        v[1] = bitwise_cast<std::uint8_t>(zip_hi(ab_low, cd_low));
        v[2] = bitwise_cast<std::uint8_t>(zip_lo(ab_high, cd_high));
        v[3] = bitwise_cast<std::uint8_t>(zip_hi(ab_high, cd_high));
    }
};

// The first half of the registers with the second, twice.
template <on_vectors Arch>
struct interleave4_i32_op<Arch> {
    TRILOBIT_INLINE static void call(i32<Arch>* v) noexcept {
        const auto ac_low = zip_lo(v[0], v[2]), ac_high = zip_hi(v[0], v[2]);
        const auto bd_low = zip_lo(v[1], v[3]), bd_high = zip_hi(v[1], v[3]);
        v[0] = zip_lo(ac_low, bd_low);
        v[1] = zip_hi(ac_low, bd_low);
        v[2] = zip_lo(ac_high, bd_high);
        v[3] = zip_hi(ac_high, bd_high);
    }
};

template <on_vectors Arch>
struct load_every_fourth_op<Arch> {
    TRILOBIT_INLINE static void call(const std::byte* from, std::int64_t stride,
                                     u8<Arch>* v) noexcept {
        u8<Arch> line[4];
        TRILOBIT_UNROLL
        for (int j = 0; j < 4; ++j) TRILOBIT_UNROLL
        for (int l = 0; l < register_bytes<Arch>; l += 16)
            std::memcpy(reinterpret_cast<std::byte*>(&line[j].data) + l,
                        from + l / 16 * stride + 16 * j, 16);
        const auto even = [](u8<Arch> a, u8<Arch> b) TRILOBIT_LAMBDA_INLINE {
            return shuffle<every_second_of_16<0>>(a, b);
        };
        const auto odd = [](u8<Arch> a, u8<Arch> b) TRILOBIT_LAMBDA_INLINE {
            return shuffle<every_second_of_16<1>>(a, b);
        };
        const auto even_low = even(line[0], line[1]), even_high = even(line[2], line[3]);
        const auto odd_low = odd(line[0], line[1]), odd_high = odd(line[2], line[3]);
        v[0] = even(even_low, even_high);
        v[1] = even(odd_low, odd_high);
        v[2] = odd(even_low, even_high);
        v[3] = odd(odd_low, odd_high);
    }
};

template <on_vectors Arch>
struct transpose8_op<Arch> {
    TRILOBIT_INLINE static void call(const std::int16_t* from, std::int64_t from_stride,
                                     std::int16_t* to, std::int64_t to_stride) noexcept {
        using row = vec<std::int16_t, 16>;
        row rows[8];
        TRILOBIT_UNROLL
        for (int i = 0; i < 8; ++i) rows[i] = row::load_aligned(from + i * from_stride);
        transpose(rows, rows + 8);
        TRILOBIT_UNROLL
        for (int i = 0; i < 8; ++i) rows[i].store_aligned(to + i * to_stride);
    }
};

#endif

}  // namespace trilobit::inline TRILOBIT_ABI::simd

#include "trilobit/core/end.hpp"
