// SPDX-License-Identifier: MIT
// Room core. Enters: IEEE half or bfloat16 bits, or a float. Leaves: the other one. Portable and
// constexpr, rounding to nearest even; every value that both types hold passes through unchanged.
#pragma once

#include "trilobit/version.hpp"

#include <bit>
#include <cstdint>

#include "trilobit/core/config.hpp"

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI {

TRILOBIT_INLINE constexpr float f16_to_f32(std::uint16_t half) noexcept {
    const std::uint32_t sign = std::uint32_t{half & 0x8000u} << 16;
    const std::uint32_t exponent = (half >> 10) & 0x1fu;
    const std::uint32_t fraction = half & 0x3ffu;
    if (exponent == 0x1f) return std::bit_cast<float>(sign | 0x7f800000u | (fraction << 13));
    if (exponent != 0)
        return std::bit_cast<float>(sign | ((exponent + 112) << 23) | (fraction << 13));
    // Subnormal: the fraction counts units of 2^-24.
    const float magnitude = static_cast<float>(fraction) * 0x1p-24f;
    return std::bit_cast<float>(sign | std::bit_cast<std::uint32_t>(magnitude));
}

constexpr std::uint16_t f32_to_f16(float value) noexcept {
    const auto bits = std::bit_cast<std::uint32_t>(value);
    const auto sign = static_cast<std::uint16_t>((bits >> 16) & 0x8000u);
    const std::uint32_t magnitude = bits & 0x7fffffffu;
    if (magnitude > 0x7f800000u) return static_cast<std::uint16_t>(sign | 0x7e00u);  // NaN
    // 65520 is the midpoint between the largest half and 2^16, and ties go to even, which is 2^16.
    if (magnitude >= 0x477ff000u) return static_cast<std::uint16_t>(sign | 0x7c00u);
    if (magnitude < 0x38800000u) {
        // Below 2^-14 in units of 2^-24. Integers, which no compiler's flag and no mode of the
        // processor rounds otherwise. Half a unit, the least of exponent 102, goes to even, which
        // is 0.
        const std::uint32_t exponent = magnitude >> 23;
        if (exponent < 102) return sign;
        const std::uint32_t shift = 126 - exponent, whole = (magnitude & 0x7fffffu) | 0x800000u;
        const std::uint32_t odd = (whole >> shift) & 1u;
        return static_cast<std::uint16_t>(sign |
                                          ((whole + (1u << (shift - 1)) - 1u + odd) >> shift));
    }
    const std::uint32_t rebased = magnitude - (112u << 23);
    const std::uint32_t rounded = rebased + 0xfffu + ((rebased >> 13) & 1u);
    return static_cast<std::uint16_t>(sign | (rounded >> 13));
}

constexpr float bf16_to_f32(std::uint16_t brain) noexcept {
    return std::bit_cast<float>(std::uint32_t{brain} << 16);
}

constexpr std::uint16_t f32_to_bf16(float value) noexcept {
    const auto bits = std::bit_cast<std::uint32_t>(value);
    if ((bits & 0x7fffffffu) > 0x7f800000u) return static_cast<std::uint16_t>((bits >> 16) | 0x40u);
    return static_cast<std::uint16_t>((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}

}  // namespace trilobit::inline TRILOBIT_ABI

#include "trilobit/core/end.hpp"
