// SPDX-License-Identifier: MIT
// Room matmul. Enters: a matrix that was packed without its rows or columns of zeros, quantised
// tokens, the sums of its stored rows. Leaves: the activations of its stored columns, and the sums
// of all rows, to the bit those of the whole matrix.
#pragma once

#include "trilobit/version.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "trilobit/kernel/task.hpp"

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI::detail {

/// Do two matrices of one width store the same columns?
inline bool same_columns(const packed_view& a, const packed_view& b) noexcept {
    return a.dropped_cols == b.dropped_cols &&
           (a.dropped_cols == 0 || a.col_places == b.col_places ||
            std::memcmp(a.col_places, b.col_places, static_cast<std::size_t>(4 * a.dropped_cols)) ==
                0);
}

/// One token as matrix w reads it: its stored columns, then zeros as in any activation_view.
inline void gather_columns(const packed_view& w, const std::int8_t* all, std::int64_t stride,
                           std::int8_t* values) noexcept {
    const moved_lines moved = w.moved_cols();
    std::memcpy(values, all, static_cast<std::size_t>(moved.stored));
    // A column of zeros shares the place of the next, which overwrites it, or lies in the padding.
    for (std::int64_t i = 0; i < moved.count; ++i) values[moved.places[i]] = all[moved.stored + i];
    std::memset(values + moved.stored, 0, static_cast<std::size_t>(stride - moved.stored));
}

/// A sink for stored rows in front of the sink for all rows: moved ones are written where they
/// belong, zeros where they came from. One serves one thread: it remembers whom it moved last,
/// because a kernel writes the same rows of many tokens.
class row_spreader {
    const packed_view& w;
    const activation_view& x;
    kernel::sink out;
    moved_lines moved;
    std::int64_t row_begin = -1, row_end = -1;  // stored rows
    std::int64_t first = 0, last = 0;           // the moved ones among them

    /// What a row of zeros sums to: 0, unless its factor, scale times scale, is infinite. It is not
    /// for scales up to 1; rows with larger scales of their own are never dropped.
    [[nodiscard]] float sum_of_zeros(std::int64_t token) const noexcept {
        float sum = 0.0f;
        if (w.scale.per == granularity::tensor && std::fabs(w.scale_at(0)) > 1.0f)
            for (std::int64_t s = 0; s < x.segments(); ++s)
                sum += hidden(hidden(0.0f) * hidden(w.scale_at(0) * x.scale_of(token, s)));
        return sum;
    }

    /// Every moved row falls to one call; those behind the last place, all zeros, to the last call.
    void find(std::int64_t begin, std::int64_t end) noexcept {
        if (begin == row_begin && end == row_end) return;
        const auto at = [&](std::int64_t row) {
            return std::lower_bound(moved.places, moved.places + moved.count, row) - moved.places;
        };
        first = at(row_begin = begin);
        last = at(row_end = end);
    }

    void write(const float* values, std::int64_t token, std::int64_t i, std::int64_t n) const {
        out.write(out.context, values, token, moved.stored + i, static_cast<int>(n));
    }

    static void spread(const void* self, const float* sums, std::int64_t token, std::int64_t row,
                       int count) {
        auto& to = *static_cast<row_spreader*>(const_cast<void*>(self));
        auto* own = const_cast<float*>(sums);  // the kernel's block, which it does not read again
        to.find(row, row + count);
        const float zero = to.sum_of_zeros(token);
        constexpr std::int64_t most = 256;
        float block[most];
        if (row + count == to.moved.stored)
            for (std::int64_t i = to.last, n; i < to.moved.count; i += n) {
                n = std::min(most, to.moved.count - i);
                std::fill_n(block, n, zero);
                to.write(block, token, i, n);
            }
        // From the last on: a row of zeros shares the place of the next, who left it a zero.
        for (std::int64_t end = to.last, n; end > to.first; end -= n) {
            n = std::min(most, end - to.first);
            for (std::int64_t k = n - 1; k >= 0; --k)
                block[k] = std::exchange(own[to.moved.places[end - n + k] - row], zero);
            to.write(block, token, end - n, n);
        }
        to.out.write(to.out.context, own, token, row, count);
    }

public:
    row_spreader(const packed_view& weights, const activation_view& tokens,
                 const kernel::sink& all) noexcept
        : w(weights), x(tokens), out(all), moved(weights.moved_rows()) {}
    [[nodiscard]] kernel::sink front() noexcept { return {&spread, this}; }
};

}  // namespace trilobit::inline TRILOBIT_ABI::detail

#include "trilobit/core/end.hpp"
