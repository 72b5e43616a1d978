// SPDX-License-Identifier: MIT
// Shared by the simd tests. Enters: the back ends compiled in. Leaves: those this processor runs,
// one after the other, and aligned memory to call them with.
#pragma once

#include <catch2/catch_test_macros.hpp>

#include "primitives.hpp"
#include "trilobit/dispatch/cpu.hpp"
#include "trilobit/dispatch/per_arch.hpp"
#include "trilobit/testing/random.hpp"

namespace simd_test {

template <class Arch>
struct of_arch;

inline auto runnable() { return trilobit::dispatch::per_arch<primitives, of_arch>::available(); }

/// The largest register, aligned.
template <class T>
struct lanes {
    static constexpr int size = 64 / static_cast<int>(sizeof(T));
    alignas(64) T at[64 / sizeof(T)] = {};
    T& operator[](int i) { return at[i]; }
    T operator[](int i) const { return at[i]; }
};

/// Bytes with the extremes over-represented.
inline std::uint8_t extreme_byte(trilobit::testing::generator& r) {
    constexpr std::uint8_t extremes[] = {0x00, 0x01, 0x7f, 0x80, 0x81, 0xff};
    return r.between(0, 1) == 0 ? extremes[r.between(0, 5)]
                                : static_cast<std::uint8_t>(r.between(0, 255));
}

}  // namespace simd_test
