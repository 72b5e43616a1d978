// SPDX-License-Identifier: MIT
// Room train: the rules by which weights and activations are rounded, in training as in running.
// Enters: float weights of a matrix, or one token's activations. Leaves: small integers, a scale.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "train/config.hpp"
#include "trilobit/activation/quantize.hpp"
#include "trilobit/core/float16.hpp"
#include "trilobit/weights/quantize.hpp"

namespace tbx::train {

// Weights

enum class rounding { none, absmean, sign_around_mean, exact_ternary, exact_binary };

inline rounding rounding_of(const model_config& c, slot_kind kind) {
    if (!c.quantised || kind != slot_kind::linear) return rounding::none;
    if (c.weights == weight_rule::binary)
        return c.already_rounded ? rounding::exact_binary : rounding::sign_around_mean;
    return c.already_rounded ? rounding::exact_ternary : rounding::absmean;
}

// The library's rules, with the scale rounded to half precision as files store it. The exact ones
// are for weights that are a scale times the levels already: it is their largest size.
inline float round_weights(rounding rule, std::span<const float> w, std::span<std::int8_t> levels) {
    float scale = 0.0f;
    if (rule == rounding::exact_ternary || rule == rounding::exact_binary) {
        for (const float x : w) scale = std::max(scale, std::abs(x));
        const bool zero = rule == rounding::exact_ternary;
        for (std::size_t i = 0; i < w.size(); ++i)
            levels[i] = static_cast<std::int8_t>(w[i] > 0.0f ? 1 : w[i] == 0.0f && zero ? 0 : -1);
        return scale;
    }
    const auto n = static_cast<std::int64_t>(w.size());
    const auto apply =
        rule == rounding::absmean ? trilobit::ternarize_absmean : trilobit::binarize_sign;
    const trilobit::status s =
        apply(trilobit::matrix_view<const float>(w.data(), 1, n), trilobit::scale_spec::tensor(),
              trilobit::matrix_view<std::int8_t>(levels.data(), 1, n), &scale);
    if (!s.ok()) throw std::runtime_error(std::string("weights: ") + s.text);
    return trilobit::f16_to_f32(trilobit::f32_to_f16(scale));
}

// Activations

// Inputs of linear layers, by what reads them.
enum class input_of { qkv, output, gate_up, down };

// `larger_half`: int8 of the half of a token's activations that are largest, zeros for the others.
enum class input_rule { none, int8, int4, larger_half, sign };

inline input_rule rule_of(const model_config& c, input_of what) {
    if (!c.quantised) return input_rule::none;
    switch (c.activations) {
        case activation_rule::int8:
            return input_rule::int8;
        case activation_rule::sign:
            return input_rule::sign;
        case activation_rule::a4_8:
            break;
    }
    switch (what) {
        case input_of::qkv:
        case input_of::gate_up:
            return input_rule::int4;
        case input_of::output:
            return input_rule::larger_half;
        case input_of::down:
            break;
    }
    return input_rule::int8;
}

// Which of the library's kinds the integers are of.
inline trilobit::activation_id kind_of(input_rule rule) {
    return rule == input_rule::int4   ? trilobit::activation_id::int4
           : rule == input_rule::sign ? trilobit::activation_id::sign
                                      : trilobit::activation_id::int8;
}

inline float half_even(float v) { return (v + 12582912.0f) - 12582912.0f; }  // |v| < 2^22
inline double half_even(double v) { return std::nearbyint(v); }

// Per-token absmax int8; the integers are written as reals. Returns what undoes the scaling.
template <class Real>
Real round_by_largest(const Real* x, Real* q, int n) {
    Real largest = Real(1e-5);
#pragma omp simd reduction(max : largest)
    for (int i = 0; i < n; ++i) {
        const Real size = std::abs(x[i]);
        largest = size > largest ? size : largest;
    }
    const Real s = Real(127) / largest;
    for (int i = 0; i < n; ++i) q[i] = half_even(x[i] * s);
    return Real(1) / s;
}

// Of each token the n / 2 largest sizes stay, of equal ones the first.
template <class Real>
void keep_larger_half(const Real* x, Real* to, int n) {
    thread_local std::vector<Real> sizes;
    sizes.resize(static_cast<std::size_t>(n));
    for (int i = 0; i < n; ++i) sizes[static_cast<std::size_t>(i)] = std::abs(x[i]);
    const auto kept = static_cast<std::ptrdiff_t>(n / 2);
    const auto middle = sizes.begin() + kept;
    std::nth_element(sizes.begin(), middle, sizes.end(), std::greater<>());
    const Real edge = n > 1 ? *std::min_element(sizes.begin(), middle) : Real(0);
    auto of_edge = kept - std::count_if(sizes.begin(), middle, [&](Real s) { return s > edge; });
    for (int i = 0; i < n; ++i) {
        const Real size = std::abs(x[i]);
        const bool stays = kept > 0 && (size > edge || (size == edge && of_edge-- > 0));
        to[i] = stays ? x[i] : Real(0);
    }
}

// By the library's own quantiser; what it refuses becomes NaN, which the loss then is.
template <class Act, class Real>
Real round_as_library(const Real* x, Real* q, int n) {
    struct trainer_loops;  // the library's loops as they are compiled here
    thread_local std::vector<float> plain;
    thread_local std::vector<std::int8_t> codes;
    const trilobit::activation_shape shape{Act::id, 1, n, 0};
    plain.resize(static_cast<std::size_t>(n));
    codes.resize(static_cast<std::size_t>(shape.value_stride()));
    for (int i = 0; i < n; ++i) plain[static_cast<std::size_t>(i)] = static_cast<float>(x[i]);
    float scale = 0;
    if (!trilobit::quantize_token<Act, trainer_loops>(shape, 0, plain.data(), codes.data(), &scale)
             .ok())
        scale = std::numeric_limits<float>::quiet_NaN();
    for (int i = 0; i < n; ++i) q[i] = static_cast<Real>(codes[static_cast<std::size_t>(i)]);
    return static_cast<Real>(scale);
}

// q, which is not x, gets the integers of one token as reals; returns the scale, x ~ q * scale.
template <class Real>
Real round_row(input_rule rule, const Real* x, Real* q, int n) {
    switch (rule) {
        case input_rule::none:
        case input_rule::int8:
            break;
        case input_rule::int4:
            return round_as_library<trilobit::activation::int4>(x, q, n);
        case input_rule::sign:
            return round_as_library<trilobit::activation::sign>(x, q, n);
        case input_rule::larger_half:
            keep_larger_half(x, q, n);
            return round_by_largest(q, q, n);
    }
    return round_by_largest(x, q, n);
}

}  // namespace tbx::train
