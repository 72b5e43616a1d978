// SPDX-License-Identifier: MIT
// Tests of examples/model/sampler.hpp.
#include "model/sampler.hpp"

#include <cmath>
#include <limits>
#include <map>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

using namespace tbx;
using model::sampler;

namespace {

const model::dense_kernels& generic = model::dense_kernels_for("generic");

std::map<int, int> draw_many(model::sampling how, const std::vector<float>& logits, int count) {
    sampler s(generic, how);
    std::map<int, int> seen;
    for (int i = 0; i < count; ++i) ++seen[s.next(logits)];
    return seen;
}

}  // namespace

TEST_CASE("greedy takes the likeliest, the first among equals, and never NaN") {
    const float nan = std::numeric_limits<float>::quiet_NaN();
    const float inf = std::numeric_limits<float>::infinity();
    CHECK(sampler::likeliest(std::vector<float>{1, 3, 2}) == 1);
    CHECK(sampler::likeliest(std::vector<float>{2, 3, 3}) == 1);
    CHECK(sampler::likeliest(std::vector<float>{nan, -5, nan, -4}) == 3);
    CHECK(sampler::likeliest(std::vector<float>{-inf, -inf}) == 0);
    sampler s(generic, {});
    CHECK(s.next(std::vector<float>{0, 0.5f, 0.25f}) == 1);
}

TEST_CASE("the numbers behind a seed are fixed for ever") {
    // SplitMix64's published first outputs for seed 1234567.
    model::random_numbers r(1234567);
    CHECK(r.bits() == 6457827717110365317u);
    CHECK(r.bits() == 3203168211198807973u);
    CHECK(r.bits() == 9817491932198370423u);
    const std::vector<float> logits = {0.1f, 0.7f, -0.3f, 1.2f, 0.4f, -2.0f};
    sampler a(generic, {.temperature = 1.0f, .seed = 42}),
        b(generic, {.temperature = 1.0f, .seed = 42});
    sampler c(generic, {.temperature = 1.0f, .seed = 43});
    std::vector<int> first, second, third;
    for (int i = 0; i < 64; ++i) {
        first.push_back(a.next(logits));
        second.push_back(b.next(logits));
        third.push_back(c.next(logits));
    }
    CHECK(first == second);
    CHECK(first != third);
}

TEST_CASE("draws follow the softmax") {
    const std::vector<float> logits = {0.0f, 1.0f, 2.0f, -1.0f};
    const float temperature = GENERATE(0.5f, 1.0f, 2.0f);
    constexpr int count = 40000;
    const auto seen = draw_many({.temperature = temperature, .seed = 7}, logits, count);
    double total = 0;
    for (const float l : logits) total += std::exp(double{l / temperature});
    for (int i = 0; i < 4; ++i) {
        const double p =
            std::exp(double{logits[static_cast<std::size_t>(i)] / temperature}) / total;
        const auto at = seen.find(i);
        const double got = at == seen.end() ? 0.0 : at->second / double{count};
        CHECK(std::fabs(got - p) < 5 * std::sqrt(p * (1 - p) / count));
    }
}

TEST_CASE("top-k and top-p leave out what they should") {
    // probabilities 0.5, 0.25, 0.15, 0.1 (in another order)
    const std::vector<float> logits = {std::log(0.15f), std::log(0.5f), std::log(0.1f),
                                       std::log(0.25f)};
    const auto ids = [&](model::sampling how) {
        how.temperature = 1.0f;
        std::vector<int> out;
        for (const auto& [id, times] : draw_many(how, logits, 3000)) out.push_back(id);
        return out;
    };
    CHECK(ids({.top_k = 1}) == std::vector{1});
    CHECK(ids({.top_k = 2}) == std::vector{1, 3});
    CHECK(ids({.top_k = 4}) == std::vector{0, 1, 2, 3});
    CHECK(ids({.top_k = 100}) == std::vector{0, 1, 2, 3});
    CHECK(ids({.top_p = 0.0f}) == std::vector{1});
    CHECK(ids({.top_p = 0.49f}) == std::vector{1});
    CHECK(ids({.top_p = 0.7f}) == std::vector{1, 3});
    CHECK(ids({.top_p = 0.85f}) == std::vector{0, 1, 3});
    CHECK(ids({.top_k = 3, .top_p = 0.8f}) == std::vector{1, 3});
}

TEST_CASE("min-p leaves out what is less likely than a part of the likeliest") {
    // probabilities 0.5, 0.25, 0.15, 0.1: of the likeliest these are 1, 0.5, 0.3 and 0.2
    const std::vector<float> logits = {std::log(0.15f), std::log(0.5f), std::log(0.1f),
                                       std::log(0.25f)};
    const auto ids = [&](model::sampling how) {
        std::vector<int> out;
        for (const auto& [id, times] : draw_many(how, logits, 3000)) out.push_back(id);
        return out;
    };
    // Before the temperature, which would make the four 1, 0.71, 0.55 and 0.45, or 1, 0.25, ...
    const float t = GENERATE(0.5f, 1.0f, 2.0f);
    CHECK(ids({.temperature = t, .min_p = 0.19f}) == std::vector{0, 1, 2, 3});
    CHECK(ids({.temperature = t, .min_p = 0.21f}) == std::vector{0, 1, 3});
    CHECK(ids({.temperature = t, .min_p = 0.31f}) == std::vector{1, 3});
    CHECK(ids({.temperature = t, .min_p = 0.51f}) == std::vector{1});
    CHECK(ids({.temperature = t, .min_p = 1.0f}) == std::vector{1});
    CHECK(ids({.temperature = t, .top_k = 3, .min_p = 0.19f}) == std::vector{0, 1, 3});
    CHECK(ids({.temperature = t, .top_p = 0.7f, .min_p = 0.21f}) == std::vector{1, 3});
    CHECK(ids({.temperature = t, .top_p = 0.85f, .min_p = 0.31f}) == std::vector{1, 3});
    CHECK(ids({.temperature = t, .top_p = 0.7f}) == std::vector{1, 3});
}

TEST_CASE("what is left after min-p is drawn at the temperature") {
    const std::vector<float> logits = {std::log(0.5f), std::log(0.3f), std::log(0.02f)};
    constexpr int count = 40000;
    auto seen = draw_many({.temperature = 2.0f, .min_p = 0.1f, .seed = 3}, logits, count);
    CHECK(seen.size() == 2);
    // sqrt(0.5) / (sqrt(0.5) + sqrt(0.3))
    const double p = 0.5635083;
    CHECK(std::fabs(seen[0] / double{count} - p) < 5 * std::sqrt(p * (1 - p) / count));
}

TEST_CASE("the penalty divides positive logits and multiplies others, once for each token") {
    const std::vector<float> logits = {2.0f, -1.0f, 0.5f, 0.0f};
    const auto greedy = [&](float penalty, int window, const std::vector<int>& before) {
        sampler s(generic, {.repeat_penalty = penalty, .repeat_window = window});
        for (const int id : before) s.accept(id);
        return s.next(logits);
    };
    CHECK(greedy(1.0f, 64, {0, 0}) == 0);
    CHECK(greedy(3.0f, 64, {0}) == 0);     // 0.67 against 0.5
    CHECK(greedy(3.0f, 64, {0, 0}) == 0);  // the same, not 0.22
    CHECK(greedy(5.0f, 64, {0}) == 2);     // 0.4 against 0.5
    CHECK(greedy(5.0f, 64, {0, 2}) == 0);  // 0.4 against 0.1
    CHECK(greedy(5.0f, 64, {99, -1, 1}) == 0);
    CHECK(greedy(0.1f, 64, {2}) == 2);  // a reward: 5 against 2
    const std::vector<float> negative = {-1.0f, -1.5f};
    sampler s(generic, {.repeat_penalty = 2.0f});
    CHECK(s.next(negative) == 0);
    s.accept(0);
    CHECK(s.next(negative) == 1);  // -2 against -1.5; divided it would be -0.5
}

TEST_CASE("the window of the penalty holds the latest tokens") {
    const std::vector<float> logits = {2.0f, 1.9f, 1.8f};
    const auto after = [&](int window, const std::vector<int>& before) {
        sampler s(generic, {.repeat_penalty = 1.5f, .repeat_window = window});
        for (const int id : before) s.accept(id);
        return s.next(logits);
    };
    CHECK(after(0, {0, 1}) == 0);
    CHECK(after(1, {0, 1}) == 0);
    CHECK(after(1, {1, 0}) == 1);
    CHECK(after(2, {0, 1}) == 2);
    CHECK(after(2, {0, 1, 2}) == 0);
    CHECK(after(2, {0, 1, 2, 0}) == 1);
    CHECK(after(-1, {0, 1, 2, 2, 2, 2}) == 0);  // all three, so the order is as it was
    CHECK(after(-1, {0, 1, 1, 1, 1, 1}) == 2);
}

TEST_CASE("a penalty needs every logit, since it may change which are the likeliest") {
    CHECK(model::sampling{}.tokens_needed() == 1);
    CHECK(model::sampling{.temperature = 1.0f, .top_k = 9}.tokens_needed() == 9);
    CHECK(model::sampling{.top_k = 9, .repeat_penalty = 1.1f}.tokens_needed() == 0);
    CHECK(model::sampling{.repeat_penalty = 1.1f, .repeat_window = 0}.tokens_needed() == 1);
}

TEST_CASE("equal logits are cut by id, and useless ones do no harm") {
    std::vector<float> equal(100, 1.0f);
    for (const auto& [id, times] : draw_many({.temperature = 1.0f, .top_k = 3}, equal, 500))
        CHECK(id < 3);
    const float nan = std::numeric_limits<float>::quiet_NaN();
    const float inf = std::numeric_limits<float>::infinity();
    CHECK(draw_many({.temperature = 1.0f}, {nan, nan}, 5).size() == 1);
    const auto seen = draw_many({.temperature = 1.0f}, {-inf, 0.0f, -inf}, 50);
    CHECK(seen == std::map<int, int>{{1, 50}});
}
