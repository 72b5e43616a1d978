// SPDX-License-Identifier: MIT
// Room tests/examples/train: the rules of weights and activations, and that the library's kernels
// compute with them what training does.
// Enters: random rows, models of every pair of rules. Leaves: a failure for any other integer,
// or any bit of a logit.
#include <catch2/catch_approx.hpp>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <cmath>
#include <random>
#include <vector>

#include "scratch.hpp"
#include "train/model.hpp"
#include "train/trainer.hpp"

using namespace tbx::train;

namespace {

std::vector<double> random_row(int n, unsigned seed) {
    std::mt19937 random(seed);
    std::normal_distribution<double> normal;
    std::vector<double> x(static_cast<std::size_t>(n));
    for (double& v : x) v = normal(random);
    return x;
}

}  // namespace

TEST_CASE("activations become the integers that their rule says") {
    const int n = GENERATE(1, 2, 37, 256);
    const auto size = static_cast<std::size_t>(n);
    for (unsigned seed = 0; seed < 8; ++seed) {
        std::vector<double> x = random_row(n, seed), q(size);
        x[size / 2] = 0;
        double mean = 0, largest = 0;
        for (const double v : x) mean += std::abs(v) / n, largest = std::max(largest, std::abs(v));
        CAPTURE(n, seed, mean);

        const double s4 = round_row(input_rule::int4, x.data(), q.data(), n);
        // The library works in float.
        CHECK(s4 == Catch::Approx((mean + 1e-5) / std::sqrt(7.0)).epsilon(1e-6));
        for (std::size_t i = 0; i < size; ++i)
            CHECK(std::abs(q[i] - std::clamp(x[i] / s4, -8.0, 7.0)) < 0.5 + 1e-5);

        const double s1 = round_row(input_rule::sign, x.data(), q.data(), n);
        CHECK(s1 == Catch::Approx(mean + 1e-5).epsilon(1e-6));
        for (std::size_t i = 0; i < size; ++i) CHECK(q[i] == (x[i] >= 0 ? 1 : -1));

        const double s8 = round_row(input_rule::int8, x.data(), q.data(), n);
        CHECK(s8 == Catch::Approx(std::max(largest, 1e-5) / 127));
        for (std::size_t i = 0; i < size; ++i) CHECK(std::abs(q[i] - x[i] / s8) < 0.5 + 1e-9);
        std::vector<double> half(size);
        const double sh = round_row(input_rule::larger_half, x.data(), half.data(), n);
        CHECK((n == 1 || sh == s8));
        std::vector<double> sizes;
        for (const double v : x) sizes.push_back(std::abs(v));
        std::sort(sizes.begin(), sizes.end(), std::greater<>());
        for (std::size_t i = 0; i < size; ++i)
            CHECK(half[i] == (n > 1 && std::abs(x[i]) >= sizes[size / 2 - 1] ? q[i] : 0.0));
    }
}

TEST_CASE("of equally large activations the first stay") {
    const std::vector<double> x = {1, -1, 3, 1, 1, 1, -1};
    std::vector<double> kept(x.size());
    keep_larger_half(x.data(), kept.data(), 7);
    CHECK((kept == std::vector<double>{1, -1, 3, 0, 0, 0, 0}));
}

TEST_CASE("binary weights are the signs around the mean") {
    std::mt19937 random(5);
    std::normal_distribution<float> normal(0.3f);
    std::vector<float> w(500);
    for (float& v : w) v = normal(random);
    std::vector<std::int8_t> signs(w.size());
    const float scale = round_weights(rounding::sign_around_mean, w, signs);
    double mean = 0, size = 0;
    for (const float v : w) mean += double{v} / 500, size += std::abs(double{v}) / 500;
    CHECK(scale == Catch::Approx(size).epsilon(1e-3));  // a half
    for (std::size_t i = 0; i < w.size(); ++i) CHECK(signs[i] == (double{w[i]} > mean ? 1 : -1));
}

TEST_CASE("the library's kernels compute every bit that training does") {
    model_config c = scratch::tiny();
    c.layers = 2;
    c.weights = GENERATE(weight_rule::ternary, weight_rule::binary);
    c.activations = GENERATE(activation_rule::int8, activation_rule::a4_8, activation_rule::sign);
    CAPTURE(c.weights, c.activations);
    const train_state s = fresh_state(c, 4);
    transformer<portable_backend> trained(c);
    transformer<library_backend> packed(c);
    trained.load(s.parameters);
    packed.load(s.parameters);
    const std::vector<int> tokens = {1, 5, 3, 16, 7, 2, 2, 11, 0, 4};
    const auto a = trained.forward(tokens, 2, 5), b = packed.forward(tokens, 2, 5);
    CHECK(std::ranges::equal(a, b));
    CHECK(std::ranges::any_of(a, [](float x) { return x != 0; }));
}

TEST_CASE("every pair of rules learns") {
    model_config c = scratch::tiny();
    c.weights = GENERATE(weight_rule::ternary, weight_rule::binary);
    c.activations = GENERATE(activation_rule::int8, activation_rule::a4_8, activation_rule::sign);
    CAPTURE(c.weights, c.activations);
    std::vector<std::uint16_t> tokens;
    for (unsigned i = 0; i < 500; ++i) tokens.push_back(static_cast<std::uint16_t>(i % 5 + 3));
    train_options o;
    o.steps = 30;
    o.batch = o.part = 4;
    o.optimiser.warm_up = 5;
    trainer<portable_backend> work(c, o, tokens);
    train_state s = fresh_state(c, o.seed);
    const double first = work.step(s).nll;
    double last = 0;
    while (s.step < o.steps) last = work.step(s).nll;
    CHECK(last < 0.5 * first);
}
