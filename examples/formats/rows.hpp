// SPDX-License-Identifier: MIT
// Room formats. Enters: the bytes of a matrix in one of the formats. Leaves: its rows, and what a
// packer of them asks first: how coarse its scales are in truth, and which values it takes.
#pragma once

#include <algorithm>
#include <optional>
#include <span>
#include <vector>

#include "formats/format.hpp"

namespace tbx::formats {

/// The bytes outlive it. Any threads may read rows at once.
class rows {
    const format* of_;
    std::span<const std::byte> bytes_;
    shape shape_;

public:
    /// `bytes` has of.bytes(shape) at least, which is not empty.
    rows(const format& of, std::span<const std::byte> bytes, const shape& its_shape) noexcept
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
    /// read() where all weights share `scale`: columns whose own scale is 0 become zeros.
    fault read_alike(std::int64_t row, std::int8_t* values, float* scales) const noexcept {
        const fault found = read(row, values, scales);
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

/// Of rows [begin, end).
[[nodiscard]] inline scale_summary summarise(const rows& of, std::int64_t begin, std::int64_t end) {
    scale_summary all;
    std::vector<float> scales(static_cast<std::size_t>(of.scales_per_row()));
    for (std::int64_t r = begin; r < end && all.per != scale_per::group; ++r) {
        (void)of.read(r, nullptr, scales.data());
        scale_summary row;
        for (const float scale : scales)
            if (scale != 0 || !has_zero(of.of().values)) row.add(scale, scale_per::group);
        all.add(row);
    }
    return all;
}

}  // namespace tbx::formats
