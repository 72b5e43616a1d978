// SPDX-License-Identifier: MIT
// Room examples/model. Enters: a base and an exponent. Leaves: the power; see elementary.hpp. By
// logarithm and exponential of pairs of doubles, which keep some 100 bits.
#include "model/elementary.hpp"

#include <cmath>

namespace tbx::model {
namespace {

/// The exact sum of both; `low` is at most half of the last place of `high`.
struct twofold {
    double high, low = 0;
};

/// Exact where |a| >= |b| (Dekker 1971).
twofold ordered_sum(double a, double b) noexcept {
    const double sum = a + b;
    return {sum, b - (sum - a)};
}

/// Exact (Knuth).
twofold exact_sum(double a, double b) noexcept {
    const double sum = a + b, of_b = sum - a;
    return {sum, (a - (sum - of_b)) + (b - of_b)};
}

/// In halves of 26 bits, whose products are exact (Veltkamp 1968).
twofold halves_of(double a) noexcept {
    const double scaled = a * 0x1.000002p27;
    const double high = scaled - (scaled - a);
    return {high, a - high};
}

/// Exact (Dekker 1971).
twofold exact_product(double a, double b) noexcept {
    const twofold x = halves_of(a), y = halves_of(b);
    const double product = a * b;
    const double rest = x.high * y.high - product;
    return {product, ((rest + x.high * y.low) + x.low * y.high) + x.low * y.low};
}

twofold operator+(twofold a, twofold b) noexcept {
    const twofold sum = exact_sum(a.high, b.high);
    return ordered_sum(sum.high, sum.low + (a.low + b.low));
}

twofold operator*(twofold a, twofold b) noexcept {
    const twofold product = exact_product(a.high, b.high);
    return ordered_sum(product.high, product.low + (a.high * b.low + a.low * b.high));
}

twofold operator/(twofold a, double b) noexcept {
    const double quotient = a.high / b;
    const twofold back = exact_product(quotient, b);
    return ordered_sum(quotient, (((a.high - back.high) - back.low) + a.low) / b);
}

constexpr twofold ln2{0x1.62e42fefa39efp-1, 0x1.abc9e3b39803fp-56};

}  // namespace

double power(float base, double exponent) noexcept {
    // base = m 2^scale, m from sqrt(1/2) to sqrt(2); ln m = 2 (z + z^3 / 3 + z^5 / 5 ..) for
    // z = (m - 1) / (m + 1). z^2 < 0.0295: the next term is below 2^-107 of the sum.
    int scale = 0;
    double m = std::frexp(double{base}, &scale);
    if (m < 0.70710678) m *= 2, --scale;
    const twofold z = twofold{m - 1.0} / (m + 1.0);  // a float leaves both sums exact
    twofold series{0.0};
    for (int k = 43; k >= 1; k -= 2) series = series * z * z + twofold{1.0} / k;
    const twofold logarithm = twofold{2.0} * z * series + ln2 * twofold{static_cast<double>(scale)};

    // e^t = 2^whole e^r, |r| <= ln 2 / 2: after 22 terms of the series less than 2^-109 is left.
    const twofold t = logarithm * twofold{exponent};
    const double whole = std::floor(t.high / ln2.high + 0.5);
    const twofold r = t + ln2 * twofold{-whole};
    twofold sum{1.0};
    for (int k = 22; k >= 1; --k) sum = twofold{1.0} + sum * r / k;
    return std::ldexp(sum.high, static_cast<int>(whole));
}

}  // namespace tbx::model
