// SPDX-License-Identifier: MIT
// Room conversion. Enters: what is known of a tensor, and what it shall become. Leaves: how each of
// its weights is written: decided before the first byte is, since a file begins with all sizes.
#pragma once

#include <trilobit/pack/packed_view.hpp>

#include "conversion/encode.hpp"
#include "conversion/survey.hpp"

namespace tbx::conversion {

enum class way : std::uint8_t { same, dense, levels, image };

struct encoder::plan {
    const gguf::float_rows* from = nullptr;
    const target* to = nullptr;  // none: the tensor stays as it is
    permission may = {};
    way how = way::same;
    gguf::tensor_type type{};
    std::int64_t bytes = 0;
    // Of few levels, and of images:
    formats::kind kind = formats::kind::ternary;
    float tensor_scale = 0;  // above 0: of every weight
    bool rounded = false;    // by absmean, with that scale; without one, each run with its own
    float inverse = 0;       // then: 1 / scale, as that rule has it
    float apart = 0;         // above 0: the scale in a tensor of its own, beside unit scales
    trilobit::packed_shape shape = {};

    /// Columns of one scale in a row of `cols`.
    [[nodiscard]] std::int64_t run(std::int64_t cols, const formats::format* levels) const noexcept;
};

/// Where llama.cpp looks for a factor of what a matrix makes: "blk.0.attn_q.scale".
[[nodiscard]] std::string scale_name(std::string_view weight);

/// One run of weights -> the nearest trits or signs and the scale, a number of half precision, that
/// lie near them: of the signs the mean size, of the trits the best for those that absmean chooses.
float round_run(std::span<const float> weights, formats::kind kind, std::int8_t* values);

/// One run of weights -> values, and their scale.
float quantise_run(std::span<const float> weights, formats::kind kind, std::int8_t* values);

}  // namespace tbx::conversion
