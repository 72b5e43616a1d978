// SPDX-License-Identifier: MIT
// Room train: the functions that C libraries round each in their own way, and random numbers that
// C++ libraries make each in their own way, with the same bits everywhere.
// Enters: numbers or a seed. Leaves: logarithms, whole powers, normal deviates.
#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>
#include <random>

#include "model/elementary.hpp"

namespace tbx::train {

// Of a normal number above zero, within 4 units of the last place. x = 2^e m with m from sqrt(1/2)
// to sqrt(2), and log m = 2 artanh((m - 1) / (m + 1)): the next term of its series is below 1e-17.
inline double natural_log(double x) {
    int e = 0;
    double m = std::frexp(x, &e);
    if (m < std::numbers::sqrt2 / 2) m *= 2, --e;
    const double t = (m - 1) / (m + 1), square = t * t;
    double series = 0;
    for (int n = 21; n >= 3; n -= 2) series = series * square + 1.0 / n;
    const double log_m = 2 * t + 2 * t * (series * square);
    // ln 2 in two parts, of which the first times e is exact.
    return e * 0x1.62e42fee00000p-1 + (e * 0x1.a39ef35793c76p-33 + log_m);
}

// By squaring, n >= 0.
inline double whole_power(double x, std::int64_t n) {
    double result = 1;
    for (; n > 0; n >>= 1, x *= x)
        if (n & 1) result *= x;
    return result;
}

// Deviates of mean 0 and deviation 1, two at a time by Box and Muller.
class normal_deviates {
    std::mt19937_64 random;
    double other = 0;
    bool has_other = false;

    double uniform() { return static_cast<double>((random() >> 11) + 1) * 0x1p-53; }  // (0, 1]

public:
    explicit normal_deviates(std::uint64_t seed) : random(seed) {}

    double operator()() {
        if (has_other) return has_other = false, other;
        const double radius = std::sqrt(-2 * natural_log(uniform()));
        const model::direction d = model::direction_of(2 * std::numbers::pi * uniform());
        other = radius * d.sine;
        has_other = true;
        return radius * d.cosine;
    }
};

}  // namespace tbx::train
