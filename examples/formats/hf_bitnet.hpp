// SPDX-License-Identifier: MIT
// Room formats. Ternary weights in Hugging Face's packed safetensors ("bitnet"): uint8 of
// [ceil(M/4), K], 2 bits a weight. The rows of the matrix are cut into four quarters of ceil(M/4):
//
//   byte rK + c   bits 7 6        5 4        3 2       1 0        code = weight + 1
//                 row 3M/4 + r    M/2 + r    M/4 + r   r          column c
//
// Codes of rows past the last are 0. The scale is another tensor of one number, "weight_scale"; it
// is multiplied by or divided by, as the model's configuration says (hf_scale()).
#pragma once

#include "formats/bits.hpp"
#include "formats/format.hpp"
#include "formats/scales.hpp"

namespace tbx::formats {

namespace detail {

struct hf_rows {
    static std::optional<std::int64_t> bytes(const shape& s) noexcept {
        if (s.rows < 0) return std::nullopt;
        return whole_blocks(trilobit::ceil_div(s.rows, 4), s.cols, 1, 1);
    }
    static fault read(std::span<const std::byte> tensor, const shape& s, std::int64_t row,
                      std::int8_t* values, float*) noexcept {
        if (values == nullptr) return fault::none;
        const std::int64_t quarter = trilobit::ceil_div(s.rows, 4);
        const auto threes = read_field(tensor.data() + row % quarter * s.cols, s.cols,
                                       static_cast<int>(row / quarter) * 2, values);
        return first_fault(threes == 0, true);
    }
    static fault write(std::span<std::byte> tensor, const shape& s, std::int64_t row,
                       const std::int8_t* values, const float*) noexcept {
        if (!all_held<kind::ternary>(values, s.cols)) return fault::code;
        const std::int64_t quarter = trilobit::ceil_div(s.rows, 4);
        std::byte* at = tensor.data() + row % quarter * s.cols;
        for (std::int64_t c = 0; c < s.cols; ++c)
            write_field(at[c], static_cast<int>(row / quarter) * 2, values[c]);
        return fault::none;
    }
};

}  // namespace detail

inline constexpr format hf_bitnet{"HF_BITNET",
                                  kind::ternary,
                                  scale_per::apart,
                                  0,
                                  &detail::hf_rows::bytes,
                                  &detail::hf_rows::read,
                                  &detail::hf_rows::write};

/// What a weight is multiplied by. `multiplies`: linear_class "autobitlinear" with
/// quantization_mode "offline" (microsoft/bitnet-b1.58-2B-4T); every other file of this kind stores
/// 1 / scale, also where the configuration names no class. Empty for a scale that is none.
[[nodiscard]] inline std::optional<float> hf_scale(float weight_scale, bool multiplies) noexcept {
    const float scale = multiplies ? weight_scale : 1.0f / weight_scale;
    if (!support::is_finite(weight_scale) || !support::is_finite(scale)) return std::nullopt;
    return scale;
}

}  // namespace tbx::formats
