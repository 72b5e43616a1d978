// SPDX-License-Identifier: MIT
// Room formats. Enters: nothing. Leaves: what a format of ordinary floats is, whole or rounded to
// several bits in blocks with scales: plain data and two functions. Each is one header.
//
// The order of the float operations is the format's; nothing may contract them (-ffp-contract=off).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "formats/bytes.hpp"
#include "formats/format.hpp"
#include "support/finite.hpp"

namespace tbx::formats {

enum class stored : std::uint8_t { f32, f16, bf16 };

struct dense_format {
    std::string_view name;
    int cols, bytes;  // of a block; a row is whole ones
    /// Its floats: the values themselves or the scales, which may be NaN or infinite. No others
    /// can be, since integers beside a half are far from overflowing a float.
    stored numbers;
    int count, first;  // how many in a block, one after the other, and at which byte
    void (*decode)(const std::byte* block, float* values) noexcept;
    /// Null where nobody writes it here. A fault of code: a value that is not finite where there
    /// are scales. A fault of scale: a number that the format would make infinite.
    fault (*encode)(const float* values, std::byte* block) noexcept = nullptr;
};

/// A number to be stored as a half; false if that makes an infinity of it.
inline bool half_of(const float& value, std::byte* to) noexcept {
    const std::uint16_t half = trilobit::f32_to_f16(value);
    store_as(to, half);
    return (half & support::f16_exponent) != support::f16_exponent || !support::is_finite(value);
}

}  // namespace tbx::formats
