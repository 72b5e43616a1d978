// SPDX-License-Identifier: MIT
// Shared by the programs that compare bits. Leaves: floats made of integers alone, which are the
// same with every compiler and library, and a hash of floats by their bits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

namespace house {

/// FNV-1a of numbers as their bits.
struct hasher {
    std::uint64_t value = 1469598103934665603u;
    void add(std::uint64_t bits) { value = (value ^ bits) * 1099511628211u; }
    void add(std::span<const float> floats) {
        for (const float f : floats) {
            std::uint32_t bits;
            std::memcpy(&bits, &f, sizeof bits);
            add(bits);
        }
    }
    void add(std::span<const std::byte> bytes) {
        for (const std::byte b : bytes) add(std::to_integer<std::uint64_t>(b));
    }
};

/// Floats by their bits: signs and fractions of all kinds, exponents from `low` to below `high`.
inline std::vector<float> floats(std::int64_t count, std::uint32_t seed, std::uint32_t low,
                                 std::uint32_t high) {
    std::vector<float> out(static_cast<std::size_t>(count));
    for (float& f : out) {
        seed = seed * 1664525u + 1013904223u;
        const std::uint32_t mixed = seed ^ seed >> 15;
        const std::uint32_t bits =
            (mixed & 0x807fffffu) | (low + (mixed >> 23 & 0xffu) % (high - low)) << 23;
        std::memcpy(&f, &bits, sizeof f);
    }
    return out;
}

/// Exponents of floats. `usual` is a model; `wide` lets the order of sums show; `tiny` is subnormal
/// or nearly, and flushed to zero where a processor is told to; the inverse of `huge` is subnormal.
struct range {
    std::uint32_t low, high;
};
inline constexpr range usual{118, 129}, wide{90, 164}, tiny{0, 3}, huge{250, 254};

}  // namespace house
