// SPDX-License-Identifier: MIT
// Room examples/model. Enters: a base and an exponent, or an angle. Leaves: the power, or cosine
// and sine, the same bits on every machine. C libraries round theirs differently; these are sums,
// products and quotients in one order, which the target's flags keep from being contracted.
#pragma once

#include <bit>
#include <cstdint>

namespace tbx::model {

/// base^exponent for a base from 1 on and an exponent from -1 to 1, within 0.51 of the last place:
/// nearly always what exact arithmetic rounds to. Takes microseconds.
[[nodiscard]] double power(float base, double exponent) noexcept;

/// Angles up to here are reduced without loss: more than positions of any model turn by.
inline constexpr double most_angle = 0x1p27;

struct direction {
    double cosine, sine;
};

/// Of an angle up to most_angle in size; error below 2^-52. No branch, so that a loop of these
/// becomes vector instructions.
[[nodiscard]] inline direction direction_of(double angle) noexcept {
    // pi / 2 in three parts. The first two have 26 bits, 27 has the number of right angles: their
    // products are exact, and so is what is left after each.
    constexpr double first = 0x1.921fb5p+0, second = 0x1.110b46p-26;
    constexpr double third = 0x1.1a62633145c07p-54;
    constexpr double round_to_integer = 0x1.8p52;  // the integer is in the low bits of the sum
    const double sum = angle * 0x1.45f306dc9c883p-1 + round_to_integer;
    const double whole = sum - round_to_integer;
    const double r = ((angle - whole * first) - whole * second) - whole * third;

    // The series of both, |r| <= pi / 4: the next terms are below 5e-17 and 2e-18.
    const double square = r * r;
    double s = -1.0 / 1307674368000.0;  // 15!
    s = s * square + 1.0 / 6227020800.0;
    s = s * square - 1.0 / 39916800.0;
    s = s * square + 1.0 / 362880.0;
    s = s * square - 1.0 / 5040.0;
    s = s * square + 1.0 / 120.0;
    s = s * square - 1.0 / 6.0;
    s = s * square * r + r;
    double c = 1.0 / 20922789888000.0;  // 16!
    c = c * square - 1.0 / 87178291200.0;
    c = c * square + 1.0 / 479001600.0;
    c = c * square - 1.0 / 3628800.0;
    c = c * square + 1.0 / 40320.0;
    c = c * square - 1.0 / 720.0;
    c = c * square + 1.0 / 24.0;
    c = c * square - 0.5;
    c = c * square + 1.0;

    // Each right angle makes the cosine the sine and the sine the cosine with the other sign.
    const auto turns = std::bit_cast<std::uint64_t>(sum);
    const auto sine = std::bit_cast<std::uint64_t>(s), cosine = std::bit_cast<std::uint64_t>(c);
    const std::uint64_t change = (sine ^ cosine) & (0 - (turns & 1u));
    return {std::bit_cast<double>((cosine ^ change) ^ (((turns + 1) & 2u) << 62)),
            std::bit_cast<double>((sine ^ change) ^ ((turns & 2u) << 62))};
}

}  // namespace tbx::model
