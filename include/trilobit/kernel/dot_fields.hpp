// SPDX-License-Identifier: MIT
// Room kernel. Enters: a dot layout. Leaves: how its bits are masked into operands of a dot
// product, and what the masked sums still need to become the product with the weights.
//
// A tile's byte 4r+t holds `fields` codes; field f is columns 4f+t of row r. Masked but not shifted
// it counts 2^(bits f) times too much: one accumulator per field, shifted back exactly at the end.
// The shift is exact because every addend is a multiple of that power of two.
#pragma once

#include "trilobit/version.hpp"

#include "trilobit/layout/all.hpp"

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI::kernel {

/// 16 rows x 4 columns of code = weight + 1, a byte each: what other layouts are decoded into.
struct panel {
    static constexpr int tile_bytes = 64;
};

/// dot(row, x) = sum over planes of plane_weight * (codes . x), less the sum of x where there is one
/// plane, whose codes are one more than the weights, or half of that.
template <class Layout>
struct dot_fields;

template <>
struct dot_fields<layout::ternary_2bit> {
    static constexpr int fields = 4, largest_code = 3, planes = 1;
    static constexpr int plane_weight[] = {1};
};
template <>
struct dot_fields<layout::binary_1bit> {
    static constexpr int fields = 8, largest_code = 1, planes = 1;
    static constexpr int plane_weight[] = {2};
};
template <>
struct dot_fields<layout::ternary_planes> {
    static constexpr int fields = 8, largest_code = 1, planes = 2;
    static constexpr int plane_weight[] = {1, -2};
};
template <>
struct dot_fields<panel> {
    static constexpr int fields = 1, largest_code = 2, planes = 1;
    static constexpr int plane_weight[] = {1};
};

template <class Layout>
concept dot_layout = requires { dot_fields<Layout>::fields; };

}  // namespace trilobit::inline TRILOBIT_ABI::kernel

#include "trilobit/core/end.hpp"
