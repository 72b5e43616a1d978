// SPDX-License-Identifier: MIT
// Room weights. Enters: float weights. Leaves: their values where they are four at most, and the
// scale that makes them those of a kind.
#pragma once

#include "trilobit/version.hpp"

#include <algorithm>
#include <cstdint>

#include "trilobit/core/floats.hpp"
#include "trilobit/weights/kind.hpp"

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI {

/// The values that weights take, while they are four at most: those of a matrix that is quantised
/// already. Weights of training take more at once.
struct few_values {
    float value[4] = {};  // after the last: the first again
    int count = 0;
    bool more = false;

    constexpr void add(float weight) noexcept {
        for (int i = 0; i < count; ++i)
            if (value[i] == weight) return;
        more |= count == 4;
        if (more) return;
        if (count == 0) std::fill_n(value, 4, weight);
        value[count++] = weight;
    }
    constexpr few_values& operator+=(const few_values& other) noexcept {
        more |= other.more;
        for (int i = 0; i < other.count; ++i) add(other.value[i]);
        return *this;
    }
    /// The s > 0 that makes every value s times one of the kind's, or 0. The least size but zero is
    /// s itself: each kind has 1 or -1.
    template <class Kind>
    [[nodiscard]] constexpr float unit() const noexcept {
        if (more) return 0;
        float s = 0;
        for (int i = 0; i < count; ++i) {
            const float size = value[i] < 0 ? -value[i] : value[i];
            if (size != 0 && (s == 0 || size < s)) s = size;
        }
        for (int i = 0; i < count; ++i) {
            bool held = false;
            for (int v = Kind::lowest; v <= Kind::highest; ++v)
                held |= Kind::holds(static_cast<std::int8_t>(v)) &&
                        value[i] == rounded(static_cast<float>(v) * s);
            if (!held) return 0;
        }
        return s;
    }
    /// Is there one, or is every value zero?
    template <class Kind>
    [[nodiscard]] constexpr bool fit() const noexcept {
        const bool zero = count == 0 || (count == 1 && value[0] == 0);
        return zero ? Kind::holds(0) : unit<Kind>() != 0;
    }
};

/// Reads on only while values are few.
inline few_values values_of(const float* weights, std::int64_t count) noexcept {
    few_values found;
    constexpr std::int64_t block = 64;  // without a branch, so that it vectorises
    for (std::int64_t i = 0; i < count && !found.more; i += block) {
        const std::int64_t end = count - i < block ? count : i + block;
        if (i == 0) found.add(weights[0]);
        const float a = found.value[0], b = found.value[1], c = found.value[2], d = found.value[3];
        bool known = true;
        for (std::int64_t k = i; k < end; ++k) {
            const float w = weights[k];
            known &= (w == a) | (w == b) | (w == c) | (w == d);
        }
        if (!known)
            for (std::int64_t k = i; k < end; ++k) found.add(weights[k]);
    }
    return found;
}

}  // namespace trilobit::inline TRILOBIT_ABI

#include "trilobit/core/end.hpp"
