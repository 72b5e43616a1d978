// SPDX-License-Identifier: MIT
// Room kernel. Enters: any layout, through its own decode. Leaves: exact sums on any machine, with
// any grouping. Nothing is faster than it is simple: this is the floor that new layouts stand on.
#pragma once

#include "trilobit/version.hpp"

#include "trilobit/kernel/drive.hpp"

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI::kernel {

/// All kinds of activations are bytes here: one body serves the four.
template <class Arch, class Layout>
struct generic_any : driven<generic_any<Arch, Layout>, Arch, Layout> {
    static constexpr kernel_id id = kernel_id::generic;
    static constexpr bool available = true;
    /// Cycles for 64 multiply-adds, roughly; the automatic choice takes the cheapest that fits.
    static constexpr double cost(const packed_shape&, std::int64_t /*tokens*/) noexcept {
        return 100;
    }

    static bool accepts(const packed_shape&, const activation_shape&) noexcept { return true; }
    static std::int64_t operand_bytes(const packed_shape&, const activation_shape&) noexcept {
        return 0;
    }
    static void prepare(const task&, std::int64_t, std::int64_t) noexcept {}

    static void sum_segment(const task& t, std::int64_t, const segment& s, const block& b,
                            std::int32_t* acc) noexcept {
        constexpr int rows = Layout::tile_rows, cols = Layout::tile_cols;
        std::int8_t values[rows * cols];
        const std::int64_t stride = b.row_blocks * rows;
        std::memset(acc, 0, sizeof(std::int32_t) * static_cast<std::size_t>(b.tokens * stride));
        const std::int64_t origin = t.w.segment_first_col(s.weight_segment);
        const std::int64_t last = s.first + s.width;
        for (std::int64_t i = 0; i < b.row_blocks; ++i) {
            const std::byte* tiles = t.w.tile_at(b.row_block + i, s.weight_segment);
            for (std::int64_t tile = (s.first - origin) / cols; origin + tile * cols < last;
                 ++tile) {
                Layout::decode(tiles + tile * Layout::tile_bytes, values);
                const std::int64_t first_col = origin + tile * cols;
                const auto begin = static_cast<int>(std::max<std::int64_t>(s.first - first_col, 0));
                const auto end = static_cast<int>(std::min<std::int64_t>(last - first_col, cols));
                for (int m = 0; m < b.tokens; ++m) {
                    const std::int8_t* x = t.x.token(b.token + m) + first_col;
                    std::int32_t* to = acc + m * stride + i * rows;
                    for (int r = 0; r < rows; ++r) {
                        std::int32_t sum = to[r];
                        for (int c = begin; c < end; ++c)
                            sum += std::int32_t{values[r * cols + c]} * x[c];
                        to[r] = sum;
                    }
                }
            }
        }
    }
};

template <class Arch, class Layout, class Act>
struct generic : generic_any<Arch, Layout> {};

}  // namespace trilobit::inline TRILOBIT_ABI::kernel

#include "trilobit/core/end.hpp"
