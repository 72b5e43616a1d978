// SPDX-License-Identifier: MIT
// Room train: sums of rows in one order, whatever the compiler and the width of its registers.
// Enters: rows of float or double. Leaves: their sum, or the sum of products.
//
// Element i goes to one of a few lanes by its place, ascending; the lanes are added as a tree.
// Products are rounded first: the target is compiled with -ffp-contract=off.
#pragma once

#include <cstddef>

namespace tbx::train {

template <class Real>
class lane_sums {
    static constexpr int bytes = 16, registers = 4;  // of SSE2: wider ones hold several
    static constexpr int size = bytes / static_cast<int>(sizeof(Real));
    typedef Real vector __attribute__((vector_size(bytes)));
    vector lane[registers] = {};

    static vector load(const Real* from) {
        vector v;
        __builtin_memcpy(&v, from, sizeof v);
        return v;
    }

public:
    static constexpr int count = registers * size;

    template <class... Rows>
    void add(std::ptrdiff_t at, const Rows*... rows) {
        for (int r = 0; r < registers; ++r) lane[r] += (load(rows + at + r * size) * ...);
    }
    // Of the last elements, fewer than `count`.
    template <class... Rows>
    void add_some(std::ptrdiff_t at, int some, const Rows*... rows) {
        for (int i = 0; i < some; ++i) lane[i / size][i % size] += (rows[at + i] * ...);
    }
    [[nodiscard]] Real total() const {
        const vector all = (lane[0] + lane[2]) + (lane[1] + lane[3]);
        if constexpr (size == 4)
            return (all[0] + all[2]) + (all[1] + all[3]);
        else
            return all[0] + all[1];
    }
};

// The sum of a[i] * b[i] * ..., of one row the sum of a[i].
template <class Real, class... Rows>
Real sum_of(std::ptrdiff_t n, const Real* a, const Rows*... more) {
    lane_sums<Real> sums;
    const std::ptrdiff_t whole = n / lane_sums<Real>::count * lane_sums<Real>::count;
    for (std::ptrdiff_t i = 0; i < whole; i += lane_sums<Real>::count) sums.add(i, a, more...);
    sums.add_some(whole, static_cast<int>(n - whole), a, more...);
    return sums.total();
}

}  // namespace tbx::train
