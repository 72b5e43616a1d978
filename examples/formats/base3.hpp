// SPDX-License-Identifier: MIT
// Room formats. Enters: bytes of five trits, each byte a fraction of 256 that is one of 243.
// Leaves: the trits. Multiplying by 3 moves the first trit above the point, then the next.
#pragma once

#include <cstdint>

#include "formats/bytes.hpp"

namespace tbx::formats {

/// `Width` bytes; byte m holds trits `n * Width + m` of the output, n = 0 first (most significant).
/// With `Trits` of 4 the fifth, the least, is not there.
template <int Width, int Trits>
void read_base3(const std::byte* from, std::int8_t* values) noexcept {
    std::uint16_t fraction[Width];
    for (int m = 0; m < Width; ++m) fraction[m] = static_cast<std::uint16_t>(bits_of(from[m]));
    for (int n = 0; n < Trits; ++n)
        for (int m = 0; m < Width; ++m) {
            const auto x = static_cast<std::uint16_t>(3 * fraction[m]);
            values[n * Width + m] = static_cast<std::int8_t>((x >> 8) - 1);
            fraction[m] = x & 0xffu;
        }
}

/// Of 243 parts as many of 256, rounded up, so that truncating multiplications give back each trit.
constexpr std::byte base3_byte(unsigned value) noexcept {
    return static_cast<std::byte>((value * 256 + 242) / 243);
}

template <int Width, int Trits>
void write_base3(const std::int8_t* values, std::byte* to) noexcept {
    for (int m = 0; m < Width; ++m) {
        unsigned value = 0;
        for (int n = 0; n < 5; ++n)
            value = 3 * value + (n < Trits ? static_cast<unsigned>(values[n * Width + m] + 1) : 0u);
        to[m] = base3_byte(value);
    }
}

}  // namespace tbx::formats
