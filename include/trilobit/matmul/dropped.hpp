// SPDX-License-Identifier: MIT
// Room matmul. Enters: a matrix that was packed without its rows or columns of zeros, quantised
// tokens, the sums of its stored rows. Leaves: the activations of its stored columns, and the sums
// of all rows, to the bit those of the whole matrix.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstring>

#include "trilobit/kernel/task.hpp"

namespace trilobit::detail {

/// Do two matrices of one width store the same columns?
inline bool same_columns(const packed_view& a, const packed_view& b) noexcept {
    return a.dropped_cols == b.dropped_cols &&
           (a.dropped_cols == 0 || a.live_cols == b.live_cols ||
            std::memcmp(a.live_cols, b.live_cols, static_cast<std::size_t>(a.live_col_bytes())) ==
                0);
}

/// What matrix w reads of one token: its stored columns, then zeros as in any activation_view.
inline void gather_columns(const packed_view& w, const std::int8_t* all, std::int64_t stride,
                           std::int8_t* values) noexcept {
    const std::int64_t count = w.stored_cols();
    for (std::int64_t i = 0; i < count; ++i) values[i] = all[w.live_cols[i]];
    std::memset(values + count, 0, static_cast<std::size_t>(stride - count));
}

/// A sink for the stored rows, in front of the sink for all rows. Each stored row brings the dropped
/// ones before it, and the last one also those behind it, so that every row is written once.
struct row_spreader {
    const packed_view& w;
    const activation_view& x;
    sink out;

    [[nodiscard]] sink front() const noexcept { return {&spread, this}; }

private:
    /// What a row of zeros sums to: 0 unless its factor, scale times scale, is infinite. It is not
    /// for scales up to 1; rows with larger scales of their own are never dropped.
    [[nodiscard]] float of_zeros(std::int64_t token) const noexcept {
        float sum = 0.0f;
        const float scale = w.scale_at(0);
        if (w.scale.per == granularity::tensor && std::fabs(scale) > 1.0f)
            for (std::int64_t s = 0; s < x.segments(); ++s)
                sum += 0.0f * (scale * x.scale_of(token, s));
        return sum;
    }

    static void spread(const void* self, const float* sums, std::int64_t token, std::int64_t row,
                       int count) {
        const auto& to = *static_cast<const row_spreader*>(self);
        const std::uint32_t *live = to.w.live_rows + row, *end = live + count;
        std::int64_t at = row == 0 ? 0 : std::int64_t{live[-1]} + 1;
        const std::int64_t last =
            row + count == to.w.stored_rows() ? to.w.rows : std::int64_t{end[-1]} + 1;
        const float zero = to.of_zeros(token);
        constexpr std::int64_t most = 1024;
        float block[most];
        for (std::int64_t n = 0; at < last; at += n) {
            n = std::min(most, last - at);
            std::fill_n(block, n, zero);
            for (; live != end && *live < at + n; ++live) block[*live - at] = *sums++;
            to.out.write(to.out.context, block, token, at, static_cast<int>(n));
        }
    }
};

}  // namespace trilobit::detail
