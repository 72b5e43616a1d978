// SPDX-License-Identifier: MIT
// Room formats. Enters: the kind of a format's values. Leaves: the library's layout that holds it:
// what is ternary lies as asked.
#pragma once

#include "formats/format.hpp"
#include "trilobit/layout/concept.hpp"

namespace tbx::formats {

[[nodiscard]] constexpr trilobit::layout_id layout_of(kind values,
                                                      trilobit::layout_id ternary) noexcept {
    switch (values) {
        case kind::binary:
            return trilobit::layout_id::binary_1bit;
        case kind::quaternary:
            return trilobit::layout_id::quaternary_2bit;
        case kind::quaternary_low:
            return trilobit::layout_id::quaternary_2bit_low;
        case kind::quaternary_odd:
            return trilobit::layout_id::quaternary_2bit_odd;
        default:
            return ternary;
    }
}

}  // namespace tbx::formats
