// SPDX-License-Identifier: MIT
// Room layout. Enters: the layouts. Leaves: the one list of them; tests, benchmarks, the packer's
// run-time choice and the kernel tables are all generated from it.
#pragma once

#include "trilobit/version.hpp"

#include <string_view>

#include "trilobit/layout/binary_1bit.hpp"
#include "trilobit/layout/quaternary_2bit.hpp"
#include "trilobit/layout/ternary_2bit.hpp"
#include "trilobit/layout/ternary_3of4.hpp"
#include "trilobit/layout/ternary_base3.hpp"
#include "trilobit/layout/ternary_planes.hpp"

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI {

template <class... Types>
struct type_list {
    static constexpr int size = sizeof...(Types);
};

using layouts = type_list<layout::ternary_2bit, layout::ternary_base3, layout::ternary_planes,
                          layout::binary_1bit, layout::quaternary_2bit, layout::quaternary_2bit_low,
                          layout::quaternary_2bit_odd, layout::ternary_3of4>;

/// Calls f.template operator()<T>() for each type until one call returns true; was there one?
template <class... Types, class F>
constexpr bool any_type(type_list<Types...>, F&& f) {
    return (f.template operator()<Types>() || ...);
}

/// Calls f.template operator()<L>() for the listed layout of this id; false when there is none.
template <class F>
constexpr bool visit_layout(layout_id id, F&& f) {
    return any_type(layouts{}, [&]<class L>() {
        if (L::id != id) return false;
        f.template operator()<L>();
        return true;
    });
}

/// The name of a listed layout, or "unknown".
constexpr std::string_view layout_name(layout_id id) {
    std::string_view name = "unknown";
    visit_layout(id, [&]<class L>() { name = L::name; });
    return name;
}

}  // namespace trilobit::inline TRILOBIT_ABI

#include "trilobit/core/end.hpp"
