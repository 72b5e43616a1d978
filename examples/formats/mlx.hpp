// SPDX-License-Identifier: MIT
// Room formats. MLX's affine quantisation with 1 and 2 bits: uint32 words of [M, K bits / 32],
// codes low first (low_first.hpp), and two more tensors of [M, K / group]: w = scale * q + bias.
// The bias must be a zero point times the scale: then the values are integers again.
#pragma once

#include "formats/low_first.hpp"

namespace tbx::formats {

inline constexpr format mlx_1bit = low_first_format<1, kind::binary, 32>("MLX_1BIT");
inline constexpr format mlx_2bit = low_first_format<2, kind::quaternary, 16>("MLX_2BIT");
inline constexpr format mlx_2bit_low =
    low_first_format<2, kind::quaternary_low, 16>("MLX_2BIT_LOW");
inline constexpr format mlx_2bit_odd =
    low_first_format<2, kind::quaternary_odd, 16>("MLX_2BIT_ODD");

/// What one group is: its values' kind and what they are multiplied by.
struct mlx_level {
    kind values;
    float scale;
};

/// Empty: no zero point of 1/2 (1 bit) or 1, 3/2 or 2 (2 bits) makes this bias of that scale, or a
/// number is not finite. A scale of 0 is of every kind that a 0 bias leaves.
[[nodiscard]] inline std::optional<mlx_level> mlx_level_of(float scale, float bias,
                                                           int bits) noexcept {
    if (!support::is_finite(scale) || !support::is_finite(bias)) return std::nullopt;
    if (bits == 1) {
        if (bias != -0.5f * scale) return std::nullopt;
        return mlx_level{kind::binary, 0.5f * scale};
    }
    if (bits != 2) return std::nullopt;
    if (bias == -scale) return mlx_level{kind::quaternary, scale};
    if (bias == -2 * scale) return mlx_level{kind::quaternary_low, scale};
    if (bias == -1.5f * scale) return mlx_level{kind::quaternary_odd, 0.5f * scale};
    return std::nullopt;
}

/// The one kind of all groups, whose scales are left in `scales`; empty where they differ or a
/// group is none. Groups of zeros have every kind.
[[nodiscard]] inline std::optional<kind> mlx_kind(std::span<float> scales,
                                                  std::span<const float> biases,
                                                  int bits) noexcept {
    if (biases.size() != scales.size()) return std::nullopt;
    std::optional<kind> common;
    for (std::size_t i = 0; i < scales.size(); ++i) {
        const auto level = mlx_level_of(scales[i], biases[i], bits);
        if (!level) return std::nullopt;
        if (scales[i] == 0) continue;
        if (common && *common != level->values) return std::nullopt;
        common = level->values;
        scales[i] = level->scale;
    }
    return common ? *common : bits == 1 ? kind::binary : kind::quaternary;
}

/// The format of codes with this kind.
[[nodiscard]] constexpr const format& mlx_format(kind of) noexcept {
    switch (of) {
        case kind::binary:
            return mlx_1bit;
        case kind::quaternary_low:
            return mlx_2bit_low;
        case kind::quaternary_odd:
            return mlx_2bit_odd;
        default:
            return mlx_2bit;
    }
}

}  // namespace tbx::formats
