// SPDX-License-Identifier: MIT
// Room formats. Enters: scales as a format stores them. Leaves: floats, and whether they are
// finite; and the other way round, refusing what would become another number.
#pragma once

#include <cmath>

#include "formats/bytes.hpp"
#include "formats/format.hpp"
#include "support/finite.hpp"

namespace tbx::formats {

/// False: NaN or infinite.
inline bool read_half(const std::byte* from, float& scale) noexcept {
    const auto half = load_as<std::uint16_t>(from);
    scale = trilobit::f16_to_f32(half);
    return (half & support::f16_exponent) != support::f16_exponent;
}

/// Halves that are not normal have few bits left. Activations are kept to a 254th: as close must
/// the scale of their weights come, or a promise of losing nothing would be broken in silence.
inline bool write_half(float scale, std::byte* to) noexcept {
    const std::uint16_t half = trilobit::f32_to_f16(scale);
    store_as(to, half);
    const float stored = trilobit::f16_to_f32(half);
    return support::is_finite(stored) && std::fabs(stored - scale) <= std::fabs(scale) / 254;
}

inline bool read_float(const std::byte* from, float& scale) noexcept {
    scale = load_as<float>(from);
    return support::is_finite(scale);
}

inline bool write_float(float scale, std::byte* to) noexcept {
    store_as(to, scale);
    return support::is_finite(scale);
}

/// Are all values the kind's? Without a branch, so that it vectorises.
template <kind Kind>
bool all_held(const std::int8_t* values, std::int64_t count) noexcept {
    constexpr int step = step_of(Kind), span = step * (levels_of(Kind) - 1);
    std::uint8_t strange = 0;
    for (std::int64_t i = 0; i < count; ++i) {
        const auto above = static_cast<std::uint8_t>(values[i] - lowest_of(Kind));
        strange |= static_cast<std::uint8_t>((above > span) | (above & (step - 1)));
    }
    return strange == 0;
}

constexpr fault first_fault(bool codes_sound, bool scales_sound) noexcept {
    return !scales_sound ? fault::scale : codes_sound ? fault::none : fault::code;
}

}  // namespace tbx::formats
