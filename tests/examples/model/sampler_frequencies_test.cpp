// SPDX-License-Identifier: MIT
// Tests of examples/model/sampler.hpp: what is drawn agrees with each setting's definition, whose
// probabilities are computed here anew, in double and by plain loops. Pearson's chi-square over
// 100,000 draws with a fixed seed: a right sampler fails one case with a probability of 1e-6.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "model/sampler.hpp"

using namespace tbx;

namespace {

constexpr int draws = 100000;
using probabilities = std::vector<double>;

/// Forty tokens, two of them equally likely; the least likely is drawn a few hundred times.
std::vector<float> some_logits() {
    std::vector<float> logits;
    for (int i = 0; i < 40; ++i) logits.push_back(static_cast<float>((i * 17) % 40) * 0.1f - 1.5f);
    logits[3] = logits[4];
    return logits;
}

probabilities softmax(const probabilities& logits, double temperature) {
    const double best = *std::max_element(logits.begin(), logits.end());
    probabilities p;
    for (const double l : logits) p.push_back(std::exp((l - best) / temperature));
    const double total = std::accumulate(p.begin(), p.end(), 0.0);
    for (double& x : p) x /= total;
    return p;
}

/// Every definition, one after another, as the documentation orders them.
probabilities defined(const model::sampling& how, const std::vector<float>& logits,
                      const std::vector<int>& before) {
    probabilities l(logits.begin(), logits.end());
    for (const model::logit_bias& b : how.biases) l[static_cast<std::size_t>(b.id)] += b.added;
    std::vector<bool> met(l.size());
    const std::size_t window =
        how.repeat_window < 0 ? before.size() : static_cast<std::size_t>(how.repeat_window);
    for (std::size_t i = before.size() - std::min(window, before.size()); i < before.size(); ++i)
        met[static_cast<std::size_t>(before[i])] = true;
    for (std::size_t i = 0; i < l.size(); ++i)
        if (met[i])
            l[i] = l[i] > 0 ? l[i] / double{how.repeat_penalty} : l[i] * double{how.repeat_penalty};
    std::vector<std::size_t> order(l.size());
    std::iota(order.begin(), order.end(), 0u);
    std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return l[a] > l[b]; });
    if (how.top_k > 0) order.resize(std::min(order.size(), static_cast<std::size_t>(how.top_k)));
    probabilities kept;
    for (const std::size_t i : order) kept.push_back(l[i]);
    const probabilities at_one = softmax(kept, 1.0);
    std::size_t keep = order.size();
    if (how.top_p < 1) {
        double reached = 0;
        for (keep = 0; keep < order.size() && (keep == 0 || reached < double{how.top_p}); ++keep)
            reached += at_one[keep];
    }
    while (keep > 1 && at_one[keep - 1] < double{how.min_p} * at_one[0]) --keep;
    kept.resize(keep);
    probabilities p(l.size());
    const probabilities at = softmax(kept, double{how.temperature});
    for (std::size_t i = 0; i < keep; ++i) p[order[i]] = at[i];
    return p;
}

/// Wilson and Hilferty: the cube root of chi-square over its degrees of freedom is nearly normal.
/// For six degrees and more its tail at 1e-6 (4.7534 deviations) is right within three per cent.
double chi_square_bound(int degrees) {
    const double v = 2.0 / (9.0 * degrees);
    return degrees * std::pow(1 - v + 4.7534 * std::sqrt(v), 3);
}

struct fit {
    double chi_square = 0;
    int degrees = -1;
    bool impossible = false;  // a token of probability 0 was drawn
};

fit compare(const std::vector<int>& seen, const probabilities& p) {
    fit f;
    for (std::size_t i = 0; i < p.size(); ++i) {
        if (p[i] <= 0) {
            f.impossible = f.impossible || seen[i] > 0;
            continue;
        }
        const double expected = p[i] * draws;
        f.chi_square += (seen[i] - expected) * (seen[i] - expected) / expected;
        ++f.degrees;
    }
    return f;
}

}  // namespace

TEST_CASE("each setting of a sampler, and all together, draw as they are defined") {
    constexpr float never = -std::numeric_limits<float>::infinity();
    const auto how = GENERATE(values<model::sampling>({
        {.temperature = 1.0f},
        {.temperature = 0.6f, .seed = 2},
        {.temperature = 1.7f, .seed = 3},
        {.temperature = 1.0f, .top_k = 12, .seed = 4},
        {.temperature = 0.8f, .top_p = 0.7f, .seed = 5},
        {.temperature = 1.3f, .min_p = 0.2f, .seed = 6},
        {.temperature = 1.0f, .repeat_penalty = 1.8f, .repeat_window = -1, .seed = 7},
        {.temperature = 1.0f, .repeat_penalty = 1.8f, .repeat_window = 3, .seed = 8},
        {.temperature = 0.9f, .repeat_penalty = 0.7f, .seed = 9},
        {.temperature = 1.0f, .seed = 10, .biases = {{5, 2.5f}, {6, -0.75f}, {7, never}}},
        {.temperature = 1.0f, .seed = 11, .biases = {{5, 1.0f}, {5, 0.5f}}},
        {.temperature = 1.2f,
         .top_k = 30,
         .top_p = 0.95f,
         .min_p = 0.05f,
         .repeat_penalty = 1.3f,
         .repeat_window = 4,
         .seed = 12,
         .biases = {{0, 3.0f}, {39, never}}},
    }));
    const std::vector<float> logits = some_logits();
    const std::vector<int> before = {1, 30, 30, 8, 0, 39, 17, 30};
    const probabilities p = defined(how, logits, before);
    REQUIRE(*std::min_element(p.begin(), p.end()) >= 0);

    model::sampler s(model::dense_kernels_for("generic"), how);
    s.look_back_at(before);
    std::vector<int> seen(logits.size());
    for (int i = 0; i < draws; ++i) ++seen[static_cast<std::size_t>(s.next(logits))];
    const fit f = compare(seen, p);
    CAPTURE(how.seed, f.chi_square, f.degrees);
    CHECK_FALSE(f.impossible);
    REQUIRE(f.degrees >= 6);
    CHECK(f.chi_square < chi_square_bound(f.degrees));

    // The same counts against a definition that is a tenth off are refused: the test can fail.
    model::sampling off = how;
    off.temperature *= 1.1f;
    CHECK(compare(seen, defined(off, logits, before)).chi_square > chi_square_bound(f.degrees));
}

TEST_CASE("a bias decides without a temperature too, and may forbid every token") {
    constexpr float never = -std::numeric_limits<float>::infinity();
    const std::vector<float> logits = {1.0f, 3.0f, 2.0f};
    const auto greedy = [&](std::vector<model::logit_bias> biases) {
        model::sampling how;
        how.biases = std::move(biases);
        model::sampler s(model::dense_kernels_for("generic"), how);
        return s.next(logits);
    };
    CHECK(greedy({}) == 1);
    CHECK(greedy({{1, never}}) == 2);
    CHECK(greedy({{0, 2.5f}}) == 0);
    CHECK(greedy({{0, 1.5f}, {0, 1.0f}}) == 0);
    CHECK(greedy({{99, 5.0f}, {-1, 5.0f}}) == 1);
    CHECK(greedy({{0, never}, {1, never}, {2, never}}) == 0);
    CHECK(model::sampling{.biases = {{1, 1.0f}}}.tokens_needed() == 0);
    for (const model::sampling& how :
         {model::sampling{.temperature = 1.0f}, model::sampling{.temperature = 1.0f, .top_k = 2},
          model::sampling{.temperature = 1.0f, .top_p = 0.5f, .min_p = 0.1f}}) {
        model::sampling none = how;
        none.biases = {{0, never}, {1, never}, {2, never}};
        model::sampler s(model::dense_kernels_for("generic"), none);
        const std::int32_t id = s.next(logits);
        CHECK((id >= 0 && id < 3));
    }
}
