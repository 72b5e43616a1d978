// SPDX-License-Identifier: MIT
// Room formats. Enters: the bytes of a matrix in one of the formats. Leaves: its rows, and what a
// packer of them asks first: how coarse its scales are in truth, and which values it takes.
#pragma once

#include <algorithm>
#include <memory>
#include <new>
#include <span>

#include "formats/format.hpp"

namespace tbx::formats {

/// The bytes outlive it. Any threads may read rows at once.
class matrix_rows {
    const format* of_;
    std::span<const std::byte> bytes_;
    shape shape_;

public:
    /// `bytes` has of.bytes(shape) at least, which is not empty.
    matrix_rows(const format& of, std::span<const std::byte> bytes, const shape& its_shape) noexcept
        : of_(&of), bytes_(bytes), shape_(its_shape) {}

    [[nodiscard]] const format& of() const noexcept { return *of_; }
    [[nodiscard]] std::int64_t count() const noexcept { return shape_.rows; }
    [[nodiscard]] std::int64_t cols() const noexcept { return shape_.cols; }
    [[nodiscard]] std::int64_t scales_per_row() const noexcept {
        return of_->scales_per_row(shape_.cols);
    }
    /// Columns of one scale inside a row.
    [[nodiscard]] std::int64_t scale_cols() const noexcept {
        return of_->scales == scale_per::group ? of_->group : std::max<std::int64_t>(cols(), 1);
    }

    fault read(std::int64_t row, std::int8_t* values, float* scales) const noexcept {
        return of_->read(bytes_, shape_, row, values, scales);
    }
    /// read() of rows whose scales are alike but for zeros: those columns become zeros.
    fault read_alike(std::int64_t row, std::int8_t* values, float* scales) const noexcept {
        const fault found = read(row, values, scales);
        if (!has_zero(of_->values)) return found;
        for (std::int64_t g = 0; g < scales_per_row(); ++g)
            if (scales[g] == 0)
                std::fill_n(values + g * scale_cols(),
                            std::min(scale_cols(), cols() - g * scale_cols()), std::int8_t{0});
        return found;
    }
};

/// How few scales say the same as those of some rows. A scale of 0 is left out where the format's
/// values have a 0 of their own, which says it as well.
struct scale_summary {
    scale_per per = scale_per::tensor;  // tensor, row or group
    bool any = false;                   // is there a scale?
    float only = 0;                     // per tensor: the scale

    constexpr void add(float scale, scale_per otherwise) noexcept {
        // NaN differs from itself; reading the rows refuses it.
        if (any && scale != only && per < otherwise) per = otherwise;
        any = true;
        only = scale;
    }
    constexpr void add(const scale_summary& other) noexcept {
        if (other.per > per) per = other.per;
        if (other.any) add(other.only, scale_per::row);
    }
};

/// The scale of a row whose scales are alike but for zeros.
[[nodiscard]] inline float scale_of_row(std::span<const float> scales) noexcept {
    for (const float scale : scales)
        if (scale != 0) return scale;
    return 0;
}

/// Of rows [begin, end). Without memory for a row's scales nothing is promised of them.
[[nodiscard]] inline scale_summary summarise(const matrix_rows& of, std::int64_t begin,
                                             std::int64_t end) noexcept {
    scale_summary found;
    const auto each = static_cast<std::size_t>(of.scales_per_row());
    const std::unique_ptr<float[]> scales(new (std::nothrow) float[each]);
    if (scales == nullptr) found.per = scale_per::group;
    for (std::int64_t r = begin; r < end && found.per != scale_per::group; ++r) {
        (void)of.read(r, nullptr, scales.get());
        scale_summary row;
        for (const float scale : std::span(scales.get(), each))
            if (scale != 0 || !has_zero(of.of().values)) row.add(scale, scale_per::group);
        found.add(row);
    }
    return found;
}

}  // namespace tbx::formats
