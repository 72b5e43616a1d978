// SPDX-License-Identifier: MIT
// Room kernel. Enters: tiles of quaternary_2bit and its sisters. Leaves: what kernels know of them:
// the loops of ternary_2bit, whose sums of codes become sums of weights by the kind's lowest value,
// and by two where levels lie two apart.
#pragma once

#include "trilobit/version.hpp"

#include "trilobit/kernel/layouts/ternary_2bit.hpp"

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI::kernel {

template <int DoubledZero>
struct dot_fields<layout::four_levels<DoubledZero>> : dot_fields<layout::ternary_2bit> {
    static constexpr int step = quaternary<DoubledZero>::step, plane_weight[] = {step};
    static_assert(step * largest_code == value_span<quaternary<DoubledZero>>,
                  "dot bounds its sums by what the values span");
};

template <class Arch, int DoubledZero>
struct panel_decoder<Arch, layout::four_levels<DoubledZero>>
    : decoder_of_four<Arch, quaternary<DoubledZero>::step> {};

}  // namespace trilobit::inline TRILOBIT_ABI::kernel

#include "trilobit/core/end.hpp"
