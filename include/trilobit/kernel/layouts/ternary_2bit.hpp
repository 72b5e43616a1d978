// SPDX-License-Identifier: MIT
// Room kernel. Enters: tiles of ternary_2bit. Leaves: what kernels know of them: fields to
// multiply, codes of a panel, indices of a table.
#pragma once

#include "trilobit/version.hpp"

#include "trilobit/kernel/dot_step.hpp"
#include "trilobit/kernel/panel.hpp"
#include "trilobit/kernel/vector_table.hpp"

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI::kernel {

template <>
struct dot_fields<layout::ternary_2bit> {
    using loop = dot_fields;
    static constexpr int fields = 4, largest_code = 3, planes = 1;
    static constexpr int plane_weight[] = {1};
};

/// 16 rows x 16 columns: a load, three shifts, four masks, four stores. Codes count `Step` times, 1
/// or 2, which is one shift more.
template <class Arch, int Step>
struct decoder_of_four {
    static constexpr double lookups = 0, simple = 5;
    static constexpr int step_cols = 16;
    static void decode(const std::byte* tile, std::int64_t, std::byte* to) noexcept {
        using namespace simd;
        constexpr int up = Step - 1;
        const u8<Arch> low(std::uint8_t{3 * Step});
        for (int p = 0; p < 64; p += register_bytes<Arch>) {
            const u8<Arch> codes = load<Arch>(tile + p);
            if constexpr (Step == 1)
                store<Arch>(codes & low, to + p);
            else
                store<Arch>(shift_left<up, Arch>(codes) & low, to + p);
            store<Arch>(shift_right<2 - up, Arch>(codes) & low, to + p + 64);
            store<Arch>(shift_right<4 - up, Arch>(codes) & low, to + p + 128);
            store<Arch>(shift_right<6 - up, Arch>(codes) & low, to + p + 192);
        }
    }
};

template <class Arch>
struct panel_decoder<Arch, layout::ternary_2bit> : decoder_of_four<Arch, 1> {};

template <>
struct byte_index<layout::ternary_2bit> {
    static constexpr int radix = 3, digits = 4, indices = 81, entries = 81;
    static constexpr int entry(int index) noexcept { return index; }
    /// Digits to the base 4 become digits to the base 3, in pairs and then the pairs.
    template <class Arch>
    TRILOBIT_INLINE static simd::u8<Arch> of(simd::u8<Arch> codes) noexcept {
        using namespace simd;
        const u8<Arch> odd(std::uint8_t{0x33}), pair(std::uint8_t{0x0f}), last(std::uint8_t{80});
        const u8<Arch> pairs = codes - (shift_right<2, Arch>(codes) & odd);
        const u8<Arch> high = shift_right<4, Arch>(pairs) & pair;
        return simd::min(pairs - shift_left<3, Arch>(high) + high, last);
    }
};

}  // namespace trilobit::inline TRILOBIT_ABI::kernel

#include "trilobit/core/end.hpp"
