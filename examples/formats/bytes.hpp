// SPDX-License-Identifier: MIT
// Room formats. Enters: bytes of a file, at any alignment, little-endian. Leaves: the numbers in
// them, and the other way round.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "trilobit/core/endian.hpp"
#include "trilobit/core/float16.hpp"

namespace tbx::formats {

template <class T>
[[nodiscard]] T load_as(const std::byte* from) noexcept {
    trilobit::little<T> value;
    std::memcpy(&value, from, sizeof value);
    return value;
}

template <class T>
void store_as(std::byte* to, T value) noexcept {
    const trilobit::little<T> bytes = value;
    std::memcpy(to, &bytes, sizeof bytes);
}

[[nodiscard]] inline float load_f16(const std::byte* from) noexcept {
    return trilobit::f16_to_f32(load_as<std::uint16_t>(from));
}

[[nodiscard]] inline unsigned bits_of(std::byte b) noexcept { return std::to_integer<unsigned>(b); }

}  // namespace tbx::formats
