// SPDX-License-Identifier: MIT
// Room support. Enters: floats in memory. Leaves: whether one of them is NaN or infinity. Bits are
// looked at: with -ffast-math a compiler takes std::isfinite for always true and removes it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace tbx::support {

/// The exponent bits of the formats; all of them set means NaN or infinity.
inline constexpr std::uint16_t f16_exponent = 0x7c00u;
inline constexpr std::uint16_t bf16_exponent = 0x7f80u;
inline constexpr std::uint32_t f32_exponent = 0x7f800000u;
inline constexpr std::uint64_t f64_exponent = 0x7ff0000000000000u;

/// Are `count` numbers finite that lie `Stride` bytes apart, from `first` on? One pass without a
/// branch, which compilers turn into vector instructions.
template <auto Exponent, std::size_t Stride>
[[nodiscard]] bool finite_numbers(const void* first, std::int64_t count) noexcept {
    using word = decltype(Exponent);
    const auto* at = static_cast<const std::byte*>(first);
    word bad = 0;
    for (std::int64_t i = 0; i < count; ++i, at += Stride) {
        word bits;
        std::memcpy(&bits, at, sizeof bits);
        bad = static_cast<word>(bad | static_cast<word>((bits & Exponent) == Exponent));
    }
    return bad == 0;
}

/// By reference: a float that is passed as such may be assumed to be finite.
[[nodiscard]] inline bool is_finite(const float& value) noexcept {
    return finite_numbers<f32_exponent, sizeof(float)>(&value, 1);
}
[[nodiscard]] inline bool is_finite(const double& value) noexcept {
    return finite_numbers<f64_exponent, sizeof(double)>(&value, 1);
}
[[nodiscard]] inline bool all_finite(std::span<const float> values) noexcept {
    return finite_numbers<f32_exponent, sizeof(float)>(values.data(), std::ssize(values));
}

}  // namespace tbx::support
