// SPDX-License-Identifier: MIT
// Room conversion. Enters: what is known of a tensor, and what it shall become. Leaves: how each of
// its weights is written: decided before the first byte is, since a file begins with all sizes.
#pragma once

#include <algorithm>
#include <vector>

#include <trilobit/pack/packed_view.hpp>

#include "conversion/encode.hpp"
#include "conversion/survey.hpp"

namespace tbx::conversion {

enum class way : std::uint8_t { same, dense, levels, image };

/// Of one matrix.
struct matrix_scales {
    float all = 0;         // above 0: of every weight
    bool rounded = false;  // by absmean, with that scale; without one, each run with its own
    float inverse = 0;     // then: 1 / scale, as that rule has it
};

struct encoder::plan {
    const gguf::float_rows* from = nullptr;
    const target* to = nullptr;  // none: the tensor stays as it is
    permission may = {};
    way how = way::same;
    gguf::tensor_type type{};
    std::int64_t bytes = 0;
    // Of few levels, and of images:
    formats::kind kind = formats::kind::ternary;
    std::vector<matrix_scales> each = {};  // of each matrix that the tensor holds
    bool apart = false;  // the scale of the one matrix in a tensor of its own, beside unit ones
    trilobit::packed_shape shape = {};  // of one matrix
    std::int64_t image_bytes = 0;

    /// Columns of one scale in a row of `cols`.
    [[nodiscard]] std::int64_t run(std::int64_t cols, const formats::format* levels) const noexcept;
    /// How the matrix that a row of the tensor belongs to is scaled.
    [[nodiscard]] const matrix_scales& of_row(std::int64_t row) const noexcept {
        return each[static_cast<std::size_t>(row / (from->rows / std::ssize(each)))];
    }
    [[nodiscard]] bool rounded() const noexcept {
        return std::ranges::any_of(each, &matrix_scales::rounded);
    }
};

/// Where llama.cpp looks for a factor of what a matrix makes: "blk.0.attn_q.scale".
[[nodiscard]] std::string scale_name(std::string_view weight);

/// One run of weights -> the nearest trits or signs and the scale, a number of half precision, that
/// lie near them: of the signs the mean size, of the trits the best for those that absmean chooses.
float round_run(std::span<const float> weights, formats::kind kind, std::int8_t* values);

/// One run of weights -> values, and their scale.
float quantise_run(std::span<const float> weights, formats::kind kind, std::int8_t* values);

}  // namespace tbx::conversion
