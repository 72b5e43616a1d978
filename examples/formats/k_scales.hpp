// SPDX-License-Identifier: MIT
// Room formats. Enters: the 12 bytes of Q4_K and Q5_K that hold a scale and a minimum of 6 bits for
// each 32 of 256 numbers. Leaves: both of them.
#pragma once

#include "formats/bytes.hpp"

namespace tbx::formats::detail {

struct k_scale {
    float scale, minimum;
};

/// j = 0..7. The first four lie in bits 5..0 of bytes j and j + 4; of the others the low four bits
/// in byte j + 4, and the high two in the bits that the first four left.
inline k_scale k_scale_of(const std::byte* bytes, int j) noexcept {
    const auto at = [&](int i) { return bits_of(bytes[i]); };
    if (j < 4) return {static_cast<float>(at(j) & 63u), static_cast<float>(at(j + 4) & 63u)};
    return {static_cast<float>((at(j + 4) & 15u) | at(j - 4) >> 6 << 4),
            static_cast<float>(at(j + 4) >> 4 | at(j) >> 6 << 4)};
}

}  // namespace tbx::formats::detail
