// SPDX-License-Identifier: MIT
// Room kernel. Enters: quantised activations. Leaves: the same as panels of a layout's weights meet
// them: in the order that its decoder puts columns in, and as a matrix unit wants them. Made once
// for each token; nothing where rows are right as they are.
#pragma once

#include "trilobit/version.hpp"

#include "trilobit/kernel/panel.hpp"
#include "trilobit/kernel/task.hpp"

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI::kernel {

template <class Arch, class Layout>
struct panel_activations {
    using decoder = panel_decoder<Arch, Layout>;
    using matrix = matrix_unit<Arch>;

    /// Segments start where the decoder's steps do, unless activation groups are finer than tiles.
    static constexpr bool reorders(const packed_shape& w, const activation_shape& x) noexcept {
        return reorders_columns<decoder> && segments_start_on_tiles(w, x);
    }
    /// Words of a panel with so many columns: an order of its own spreads the last ones over a
    /// whole step.
    static constexpr std::int64_t words(const packed_shape& w, const activation_shape& x,
                                        std::int64_t cols) noexcept {
        return ceil_div(reorders(w, x) ? round_up(cols, std::int64_t{decoder::step_cols}) : cols,
                        std::int64_t{4});
    }
    /// Columns of a row in the order of panels: those of each segment in whole steps.
    static constexpr std::int64_t cols(const packed_shape& w, const activation_shape& x) noexcept {
        return reorders(w, x) ? w.segments() * segment_cols(w) : x.cols;
    }
    /// For all tokens in the order of panels; what a matrix unit reads follows.
    static constexpr std::int64_t row_bytes(const packed_shape& w,
                                            const activation_shape& x) noexcept {
        return reorders(w, x) ? x.tokens * row_stride(w, x) : 0;
    }
    static constexpr std::int64_t bytes(const packed_shape& w, const activation_shape& x) noexcept {
        return row_bytes(w, x) + matrix::operand_bytes(x.tokens, cols(w, x));
    }

    static void prepare(const task& t, std::byte* operand, std::int64_t token_begin,
                        std::int64_t token_end) noexcept {
        for (std::int64_t m = token_begin; m < token_end; ++m) {
            if (reorders(t.w, t.x))
                reorder(t, m, reinterpret_cast<std::int8_t*>(operand) + m * row_stride(t.w, t.x));
            if constexpr (matrix::available)
                matrix::store_row(rows(t, operand).token(m), m, cols(t.w, t.x),
                                  operand + row_bytes(t.w, t.x));
        }
    }

    /// Token rows in the order of panels, wherever they are.
    struct activation_rows {
        const std::int8_t* first;
        std::int64_t stride;
        [[nodiscard]] const std::int8_t* token(std::int64_t m) const noexcept {
            return first + m * stride;
        }
    };
    static activation_rows rows(const task& t, const std::byte* operand) noexcept {
        if (!reorders(t.w, t.x)) return {t.x.values, t.x.value_stride()};
        return {reinterpret_cast<const std::int8_t*>(operand), row_stride(t.w, t.x)};
    }
    /// Where a segment begins in a row.
    static std::int64_t first_of(const task& t, const segment& s) noexcept {
        if (!reorders(t.w, t.x)) return s.first;
        return s.weight_segment * segment_cols(t.w) + s.first -
               t.w.segment_first_col(s.weight_segment);
    }
    /// Tiles from column `first` of these rows on, where they can start there, else the rows.
    static auto tiles(const task& t, const std::byte* operand, std::int64_t token,
                      std::int64_t first) noexcept
        requires(matrix::available)
    {
        using activations = typename matrix::activations;
        const activation_rows from = rows(t, operand);
        if (token % matrix::tile_tokens != 0 || first % matrix::tile_cols != 0)
            return activations::rows(from.token(token) + first, from.stride);
        return activations::tiles(operand + row_bytes(t.w, t.x), cols(t.w, t.x), token, first);
    }

private:
    static constexpr std::int64_t segment_cols(const packed_shape& w) noexcept {
        return round_up(std::min(w.scale.segment_cols(w.cols), w.cols),
                        std::int64_t{decoder::step_cols});
    }
    /// A matrix unit reads whole groups of 64 columns.
    static constexpr std::int64_t row_stride(const packed_shape& w,
                                             const activation_shape& x) noexcept {
        return round_up(cols(w, x), std::int64_t{64}) + 64;
    }
    static void reorder(const task& t, std::int64_t m, std::int8_t* to) noexcept {
        if constexpr (reorders_columns<decoder>) {
            constexpr int step = decoder::step_cols;
            const std::int64_t row_end = row_stride(t.w, t.x);
            std::int8_t* const begin = to;
            for (std::int64_t s = 0; s < t.w.segments(); ++s) {
                const std::int8_t* x = t.x.token(m) + t.w.segment_first_col(s);
                std::int64_t left = t.w.segment_width(s);
                for (; left >= step; left -= step, x += step, to += step) decoder::order(x, to);
                if (left == 0) continue;
                std::int8_t last[step] = {};
                std::memcpy(last, x, static_cast<std::size_t>(left));
                decoder::order(last, to);
                to += step;
            }
            std::memset(to, 0, static_cast<std::size_t>(row_end - (to - begin)));
        }
    }
};

}  // namespace trilobit::inline TRILOBIT_ABI::kernel

#include "trilobit/core/end.hpp"
