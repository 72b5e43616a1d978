// SPDX-License-Identifier: MIT
// Room pack. Enters: a matrix of floats, of quantised values, or a function that makes rows.
// Leaves: any of them as the packer reads it: segments of rows, their scales, ranges of values.
//
// A source has open(row, segment, to, scale), which finds a segment of a row and its scale, and
// read(segment, first, count, values), any number of times for any range of the segment's columns.
#pragma once

#include "trilobit/version.hpp"

#include <algorithm>
#include <cstring>

#include "trilobit/core/aligned_buffer.hpp"
#include "trilobit/pack/packed_view.hpp"
#include "trilobit/weights/quantize.hpp"

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI::detail {

/// Floats, quantised by `Rule` while they are read. Each is read twice: for the scale of its
/// segment, and for its value.
template <class Rule>
class float_rows {
    matrix_view<const float> weights;
    scale_spec spec;
    unit_sums tensor;

public:
    struct segment {
        const float* weights = nullptr;
        unit_sums sums;
    };

    /// `whole` holds the sums of the matrix, which matter to per-tensor scales alone.
    float_rows(matrix_view<const float> matrix, const scale_spec& scale, const unit_sums& whole)
        : weights(matrix), spec(scale), tensor(whole) {}

    status open(std::int64_t row, std::int64_t s, segment& to, float& scale) const noexcept {
        const standard_floats standard;
        const std::int64_t width = spec.segment_cols(weights.cols), first = s * width;
        to.weights = weights.row(row) + first;
        to.sums = spec.per == granularity::tensor
                      ? tensor
                      : sums_for<Rule>(to.weights, std::min(width, weights.cols - first));
        if (!to.sums.finite()) return weights_not_finite;
        scale = Rule::scale(to.sums);
        return {};
    }
    void read(const segment& from, std::int64_t first, std::int64_t count,
              std::int8_t* values) const noexcept {
        const standard_floats standard;
        Rule::apply(from.weights + first, count, from.sums, values);
    }
};

/// Values that are quantised already.
class value_rows {
    quantized_view weights;
    std::int64_t width, segments;  // columns of a segment, segments of a row

public:
    struct segment {
        const std::int8_t* values = nullptr;
    };

    explicit value_rows(const quantized_view& matrix)
        : weights(matrix),
          width(matrix.scale.segment_cols(matrix.values.cols)),
          segments(matrix.scale.segments(matrix.values.cols)) {}

    /// Values between one row's and the next row's.
    [[nodiscard]] std::int64_t stride() const noexcept { return weights.values.stride; }

    status open(std::int64_t row, std::int64_t s, segment& to, float& scale) const noexcept {
        to.values = weights.values.row(row) + s * width;
        const bool per_tensor = weights.scale.per == granularity::tensor;
        scale = weights.scales[per_tensor ? 0 : row * segments + s];
        return {};
    }
    void read(const segment& from, std::int64_t first, std::int64_t count,
              std::int8_t* values) const noexcept {
        std::copy_n(from.values + first, count, values);
    }
};

/// Rows that a function makes whole: those of one row block are kept until it is packed.
template <class Source>
class made_rows {
    std::int64_t cols, tile_rows;
    std::int64_t width, segments;  // columns of a segment, segments of a row
    Source& source;
    aligned_buffer value_memory, scale_memory;

    [[nodiscard]] std::int8_t* values_of(std::int64_t row) noexcept {
        return reinterpret_cast<std::int8_t*>(value_memory.data()) + row % tile_rows * stride();
    }
    [[nodiscard]] float* scales_of(std::int64_t row) noexcept {
        return reinterpret_cast<float*>(scale_memory.data()) + row % tile_rows * segments;
    }

public:
    using segment = value_rows::segment;

    made_rows(const packed_shape& of, Source& maker) noexcept
        : cols(of.cols),
          tile_rows(of.tile.rows),
          width(of.segment_width(0)),
          segments(of.segments()),
          source(maker),
          value_memory(static_cast<std::size_t>(of.tile.rows * stride())),
          scale_memory(static_cast<std::size_t>(of.tile.rows * segments) * sizeof(float)) {
        // A source leaves scales out where the tensor has one.
        if (scale_memory.data() != nullptr)
            std::memset(scale_memory.data(), 0, scale_memory.size());
    }

    /// An odd number of cache lines: a column of a row block is in as many sets of the L1 cache.
    [[nodiscard]] std::int64_t stride() const noexcept { return round_up(cols, 64) | 64; }

    status open(std::int64_t row, std::int64_t s, segment& to, float& scale) {
        if (value_memory.data() == nullptr || scale_memory.data() == nullptr)
            return {errc::out_of_memory, "There is not enough memory to pack a row block."};
        if (s == 0)
            if (const status made = source(row, values_of(row), scales_of(row)); !made.ok())
                return made;
        to.values = values_of(row) + s * width;
        scale = scales_of(row)[s];
        return {};
    }
    void read(const segment& from, std::int64_t first, std::int64_t count,
              std::int8_t* values) const noexcept {
        std::copy_n(from.values + first, count, values);
    }
};

}  // namespace trilobit::inline TRILOBIT_ABI::detail

#include "trilobit/core/end.hpp"
