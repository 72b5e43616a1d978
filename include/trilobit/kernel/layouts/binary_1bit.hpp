// SPDX-License-Identifier: MIT
// Room kernel. Enters: tiles of binary_1bit. Leaves: what kernels know of them: fields to multiply,
// codes of a panel, bits to count, indices of a table. How sums are looked up: binary_lookup.hpp.
#pragma once

#include "trilobit/version.hpp"

#include "trilobit/kernel/dot_step.hpp"
#include "trilobit/kernel/panel.hpp"
#include "trilobit/kernel/popcount_step.hpp"
#include "trilobit/kernel/vector_table.hpp"

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI::kernel {

template <>
struct dot_fields<layout::binary_1bit> {
    using loop = dot_fields;
    static constexpr int fields = 8, largest_code = 1, planes = 1;
    static constexpr int plane_weight[] = {2};
};

/// Words 0..7 of a tile whose bits are `twos` and, where there are any, `ones`.
template <class Arch, bool Ones>
TRILOBIT_INLINE void store_bits(simd::u8<Arch> twos, simd::u8<Arch> ones, std::byte* to) noexcept {
    using namespace simd;
    const u8<Arch> one(std::uint8_t{1}), two(std::uint8_t{2});
    const auto word = [&]<int F>() TRILOBIT_LAMBDA_INLINE {
        u8<Arch> codes = two;
        if constexpr (F == 0)
            codes = codes & shift_left<1, Arch>(twos);
        else
            codes = codes & shift_right<F - 1, Arch>(twos);
        if constexpr (Ones) codes = codes | (shift_right<F, Arch>(ones) & one);
        store<Arch>(codes, to + 64 * F);
    };
    word.template operator()<0>();
    word.template operator()<1>();
    word.template operator()<2>();
    word.template operator()<3>();
    word.template operator()<4>();
    word.template operator()<5>();
    word.template operator()<6>();
    word.template operator()<7>();
}

/// 16 rows x 32 columns: a load, eight shifts, eight masks, eight stores.
template <class Arch>
struct panel_decoder<Arch, layout::binary_1bit> {
    static constexpr double lookups = 0, simple = 5;
    static constexpr int step_cols = 32;
    static void decode(const std::byte* tile, std::int64_t, std::byte* to) noexcept {
        for (int p = 0; p < 64; p += simd::register_bytes<Arch>) {
            const simd::u8<Arch> plus = simd::load<Arch>(tile + p);
            store_bits<Arch, false>(plus, plus, to + p);
        }
    }
};

template <>
struct bit_planes<layout::binary_1bit> {
    static constexpr bool dense = true;
    template <class Arch>
    TRILOBIT_INLINE static void load(const std::byte* tile, simd::u8<Arch> valid,
                                     simd::u8<Arch>& mask, simd::u8<Arch>& sign) noexcept {
        mask = valid;
        sign = simd::load<Arch>(tile);
    }
};

template <>
struct byte_index<layout::binary_1bit> {
    static constexpr int radix = 2, digits = 8, indices = 256, entries = 256;
    static constexpr int entry(int index) noexcept { return index; }
    template <class Arch>
    TRILOBIT_INLINE static simd::u8<Arch> of(simd::u8<Arch> codes) noexcept {
        return codes;
    }
};

}  // namespace trilobit::inline TRILOBIT_ABI::kernel

#include "trilobit/core/end.hpp"
