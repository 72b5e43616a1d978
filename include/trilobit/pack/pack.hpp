// SPDX-License-Identifier: MIT
// Room pack. Enters: float weights, or values already quantised, or a function that makes rows on
// demand. Leaves: a packed matrix; the threads are the caller's executor, progress goes to a
// callback, and one row block per thread is all the memory beside the result (which is made anew
// when it can do without some of its rows or columns).
// What packing is, and when it pays: docs/packing.md.
#pragma once

#include "trilobit/version.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>
#include <functional>
#include <type_traits>

#include "trilobit/pack/drop_zeros.hpp"
#include "trilobit/weights/quantize.hpp"

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI {

struct pack_options {
    scale_spec scale;  ///< ignored for input that brings its own scales
    /// Called with the fraction done, from one thread at a time, rising to exactly 1.
    std::function<void(double)> progress;
    drop_zeros drop = drop_zeros::rows;
};

namespace detail {

/// The first failure of any thread wins; the others stop at their next row block.
class shared_status {
    std::atomic<int> claimed{0};  // of an int: RISC-V exchanges bytes in a library of its own
    std::atomic<bool> set{false};
    status problem;

public:
    [[nodiscard]] bool ok() const noexcept { return !set.load(std::memory_order_acquire); }
    void fail(const status& s) noexcept {
        if (claimed.exchange(true)) return;
        problem = s;
        set.store(true, std::memory_order_release);
    }
    [[nodiscard]] status get() const noexcept { return ok() ? status{} : problem; }
};

/// Calls back at most a thousand times, whichever threads finish rows.
class progress_meter {
    const std::function<void(double)>& callback;
    std::int64_t total;
    std::atomic<std::int64_t> done{0};
    std::atomic_flag speaking;
    double shown = 0;

public:
    progress_meter(const std::function<void(double)>& f, std::int64_t units)
        : callback(f), total(units) {}
    void add(std::int64_t units) {
        const std::int64_t now = done.fetch_add(units) + units;
        if (!callback || now == total || speaking.test_and_set(std::memory_order_acquire)) return;
        const double fraction = static_cast<double>(now) / static_cast<double>(total);
        if (fraction >= shown + 0.001) callback(shown = fraction);
        speaking.clear(std::memory_order_release);
    }
    void finish() const {
        if (callback) callback(1.0);
    }
};

/// Encodes one row block. `values` is row-major (L::tile_rows, cols); rows past the matrix hold
/// padding already.
template <weight_layout L>
void encode_row_block(const packed_shape& shape, const std::int8_t* values, std::byte* tiles) {
    std::int8_t tile[std::size_t{L::tile_rows} * L::tile_cols];
    for (std::int64_t s = 0; s < shape.segments(); ++s) {
        const std::int64_t first = shape.segment_first_col(s);
        const std::int64_t last = first + shape.segment_width(s);
        for (std::int64_t col = first; col < last; col += L::tile_cols, tiles += L::tile_bytes) {
            const auto width =
                static_cast<std::size_t>(std::min<std::int64_t>(L::tile_cols, last - col));
            for (int r = 0; r < L::tile_rows; ++r) {
                std::int8_t* row = tile + r * L::tile_cols;
                std::memcpy(row, values + r * shape.cols + col, width);
                std::memset(row + width, L::kind::padding, L::tile_cols - width);
            }
            L::encode(tile, tiles);
        }
    }
}

inline bool storable(float scale, scale_type type) noexcept {
    return is_finite(type == scale_type::f32 ? scale : f16_to_f32(f32_to_f16(scale)));
}

inline void store_scale(std::byte* scales, scale_type type, std::int64_t i, float scale) noexcept {
    if (type == scale_type::f32) {
        const little<float> stored = scale;
        std::memcpy(scales + 4 * i, &stored, 4);
    } else {
        const little<std::uint16_t> stored = f32_to_f16(scale);
        std::memcpy(scales + 2 * i, &stored, 2);
    }
}

}  // namespace detail

/// Packs rows made on demand: `source(row, values, scales)` fills `cols` int8 values and one float
/// per segment of the row (with per-tensor scales only row 0's counts) and returns a status. It is
/// called once for each row, from any of the executor's threads.
template <weight_layout L, class Source, executor Executor>
packed_matrix<L> pack_rows(std::int64_t rows, std::int64_t cols, const scale_spec& scale,
                           Source&& source, const pack_options& options, Executor& run) {
    packed_matrix<L> out{any_packed_matrix({L::id, tile_shape::of<L>(), rows, cols, scale})};
    if (!out.status().ok()) return out;
    const packed_shape& shape = out.view();
    const std::int64_t segments = shape.segments();
    detail::shared_status problem;
    detail::progress_meter meter(options.progress, shape.row_blocks());
    detail::live_marks live_rows(options.drop == drop_zeros::nothing ? 0 : rows);
    detail::live_marks live_cols(options.drop == drop_zeros::rows_and_columns ? cols : 0);
    if (live_rows.failed() || live_cols.failed())
        return packed_matrix<L>{any_packed_matrix(
            {errc::out_of_memory, "There is not enough memory to look for rows of zeros."})};

    run(0, shape.row_blocks(), 1, [&](std::int64_t begin, std::int64_t end) {
        const auto value_bytes =
            static_cast<std::size_t>(L::tile_rows * std::max<std::int64_t>(cols, 1));
        aligned_buffer scratch(value_bytes +
                               static_cast<std::size_t>(segments + 1) * sizeof(float) + 64);
        if (scratch.data() == nullptr)
            return problem.fail(
                {errc::out_of_memory, "There is not enough memory to pack a row block."});
        auto* values = reinterpret_cast<std::int8_t*>(scratch.data());
        auto* row_scales = reinterpret_cast<float*>(
            scratch.data() + round_up(static_cast<std::int64_t>(value_bytes), 64));
        for (std::int64_t block = begin; block < end && problem.ok(); ++block) {
            std::memset(values, L::kind::padding, value_bytes);
            for (int r = 0; r < L::tile_rows && block * L::tile_rows + r < rows; ++r) {
                const std::int64_t row = block * L::tile_rows + r;
                std::int8_t* row_values = values + r * cols;
                std::fill_n(row_scales, segments + 1, 0.0f);
                if (const status s = source(row, row_values, row_scales); !s.ok())
                    return problem.fail(s);
                bool inside = true, live = false;
                for (std::int64_t c = 0; c < cols; ++c) {
                    inside &= L::kind::holds(row_values[c]);
                    live |= row_values[c] != 0;
                }
                if (!inside)
                    return problem.fail(
                        {errc::bad_value,
                         "A quantised weight lies outside the values of the layout."});
                const bool per_tensor = scale.per == granularity::tensor;
                for (std::int64_t s = 0; s < (per_tensor ? row == 0 : segments); ++s) {
                    if (!detail::storable(row_scales[s], scale.type))
                        return problem.fail(
                            {errc::bad_value,
                             "A weight scale is NaN, infinite or too large for its storage type."});
                    const std::int64_t at =
                        per_tensor ? 0 : (block * segments + s) * L::tile_rows + r;
                    detail::store_scale(out.mutable_scales(), scale.type, at, row_scales[s]);
                    // Times a huge activation such a scale is infinite, and zero times that no
                    // zero.
                    live |= !per_tensor && std::fabs(row_scales[s]) > 1.0f;
                }
                if (live && live_rows.size() != 0) live_rows.keep(row);
                for (std::int64_t c = 0; c < live_cols.size(); ++c)
                    if (!live_cols.live(c) && row_values[c] != 0) live_cols.keep(c);
            }
            detail::encode_row_block<L>(
                shape, values, out.mutable_tiles() + block * shape.row_tiles() * L::tile_bytes);
            meter.add(1);
        }
    });
    if (!problem.ok()) return packed_matrix<L>{any_packed_matrix(problem.get())};
    out = detail::without_zeros(std::move(out), live_rows, live_cols, run);
    if (!out.status().ok()) return out;
    out.seal();
    meter.finish();
    return out;
}

/// Float weights (rows, cols) -> packed, by `Rule`: absmean for ternary layouts, the sign around
/// the mean for binary ones. NaN and infinite weights are refused. Weights that are quantised
/// already keep their sizes where each tensor, row or group of `options.scale` has one; a matrix
/// whose rows or groups differ has to be packed with a scale for each, or is rounded as any other.
template <weight_layout L,
          class Rule = std::conditional_t<std::is_same_v<typename L::kind, ternary>, absmean,
                                          sign_around_mean>,
          executor Executor = const serial>
packed_matrix<L> pack(std::type_identity_t<matrix_view<const float>> weights,
                      const pack_options& options = {}, Executor& run = serial{}) {
    static_assert(std::is_same_v<typename Rule::kind, typename L::kind>,
                  "This rule makes values that the layout does not hold.");
    const auto fail = [](const status& s) { return packed_matrix<L>{any_packed_matrix(s)}; };
    if (const status s = check_view(weights); !s.ok()) return fail(s);
    const packed_shape shape{L::id, tile_shape::of<L>(), weights.rows, weights.cols, options.scale};
    if (const status s = check_packed_shape(shape); !s.ok()) return fail(s);
    unit_sums tensor;
    if (options.scale.per == granularity::tensor) {
        aligned_buffer sums(static_cast<std::size_t>(weights.rows) * sizeof(unit_sums));
        if (weights.rows > 0 && sums.data() == nullptr)
            return fail(
                {errc::out_of_memory, "There is not enough memory for the sums of the rows."});
        tensor = sum_matrix(weights, reinterpret_cast<unit_sums*>(sums.data()), run);
    }
    return pack_rows<L>(
        weights.rows, weights.cols, options.scale,
        [&](std::int64_t row, std::int8_t* values, float* scales) {
            return quantize_row<Rule>(weights.row(row), weights.cols, options.scale, tensor, values,
                                      scales);
        },
        options, run);
}

/// Values that are already -1, 0, +1 -> packed; values outside the layout's set are refused.
template <weight_layout L, executor Executor = const serial>
packed_matrix<L> pack(const quantized_view& weights, const pack_options& options = {},
                      Executor& run = serial{}) {
    const auto fail = [](const status& s) { return packed_matrix<L>{any_packed_matrix(s)}; };
    if (const status s = check_view(weights.values); !s.ok()) return fail(s);
    if (const status s = check_scale_spec(weights.scale); !s.ok()) return fail(s);
    const std::int64_t cols = weights.values.cols;
    if (weights.scales == nullptr && weights.scale.count(weights.values.rows, cols) > 0)
        return fail({errc::bad_shape, "Quantised weights came without scales."});
    const bool per_tensor = weights.scale.per == granularity::tensor;
    const std::int64_t segments = weights.scale.segments(cols);
    return pack_rows<L>(
        weights.values.rows, cols, weights.scale,
        [&](std::int64_t row, std::int8_t* values, float* scales) {
            std::copy_n(weights.values.row(row), cols, values);
            std::copy_n(weights.scales + (per_tensor ? 0 : row * segments), segments, scales);
            return status{};
        },
        options, run);
}

/// The layout chosen when running: any of the functions above, by id.
template <class Weights, executor Executor = const serial>
any_packed_matrix pack(layout_id layout, const Weights& weights, const pack_options& options = {},
                       Executor& run = serial{}) {
    any_packed_matrix out({errc::unsupported, "This is not a layout of the library."});
    visit_layout(layout, [&]<class L>() { out = pack<L>(weights, options, run); });
    return out;
}

template <class Source, executor Executor>
any_packed_matrix pack_rows(layout_id layout, std::int64_t rows, std::int64_t cols,
                            const scale_spec& scale, Source&& source, const pack_options& options,
                            Executor& run) {
    any_packed_matrix out({errc::unsupported, "This is not a layout of the library."});
    visit_layout(layout,
                 [&]<class L>() { out = pack_rows<L>(rows, cols, scale, source, options, run); });
    return out;
}

}  // namespace trilobit::inline TRILOBIT_ABI

#include "trilobit/core/end.hpp"
