// SPDX-License-Identifier: MIT
// Room kernel. Enters: tiles of ternary_planes. Leaves: what kernels know of them: two planes of
// fields to multiply, codes of a panel, bits to count.
#pragma once

#include "trilobit/version.hpp"

#include "trilobit/kernel/layouts/binary_1bit.hpp"

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI::kernel {

template <>
struct dot_fields<layout::ternary_planes> {
    using loop = dot_fields;
    static constexpr int fields = 8, largest_code = 1, planes = 2;
    static constexpr int plane_weight[] = {1, -2};
};

/// 16 rows x 32 columns: 2 loads, 16 shifts, 16 masks, 8 stores. weight + 1 is 2 where the mask is
/// set and the sign is not, 1 without a mask.
template <class Arch>
struct panel_decoder<Arch, layout::ternary_planes> {
    static constexpr double lookups = 0, simple = 10;
    static constexpr int step_cols = 32;
    static void decode(const std::byte* tile, std::int64_t, std::byte* to) noexcept {
        using namespace simd;
        for (int p = 0; p < 64; p += register_bytes<Arch>) {
            const u8<Arch> mask = load<Arch>(tile + p);
            const u8<Arch> sign = load<Arch>(tile + layout::ternary_planes::plane_bytes + p);
            store_bits<Arch, true>(mask & ~sign, ~mask, to + p);
        }
    }
};

template <>
struct bit_planes<layout::ternary_planes> {
    static constexpr bool dense = false;
    template <class Arch>
    TRILOBIT_INLINE static void load(const std::byte* tile, simd::u8<Arch>, simd::u8<Arch>& mask,
                                     simd::u8<Arch>& sign) noexcept {
        mask = simd::load<Arch>(tile);
        sign = simd::load<Arch>(tile + layout::ternary_planes::plane_bytes);
    }
};

}  // namespace trilobit::inline TRILOBIT_ABI::kernel

#include "trilobit/core/end.hpp"
