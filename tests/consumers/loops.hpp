// SPDX-License-Identifier: MIT
// A consumer's own functions for each instruction set.
#pragma once

#include <trilobit/simd/arch.hpp>

#include <string_view>

namespace consumer {

struct loops {
    std::string_view name;
    int register_bytes;
    float (*sum)(const float* x, int count) noexcept;
};

template <class Arch>
struct loops_of {
    static float sum(const float* x, int count) noexcept {
        float total = 0;
        for (int i = 0; i < count; ++i) total += x[i];
        return total;
    }
    static constexpr loops table{Arch::name, trilobit::simd::register_bytes<Arch>, &sum};
};

}  // namespace consumer
