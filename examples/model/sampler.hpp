// SPDX-License-Identifier: MIT
// Room examples/model. Enters: logits. Leaves: the next token, the same on every machine for the
// same seed: the random numbers, the exponential and the order of every sum are our own.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "model/dense_kernels.hpp"
#include "model/outlook.hpp"

namespace tbx::model {

/// SplitMix64 (Steele, Lea, Flood 2014): any seed is a good one.
class random_numbers {
    std::uint64_t counter;

public:
    explicit random_numbers(std::uint64_t seed) : counter(seed) {}
    std::uint64_t bits() noexcept {
        std::uint64_t z = counter += 0x9e3779b97f4a7c15u;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
        return z ^ (z >> 31);
    }
    /// In [0, 1), 24 bits: every value is a float.
    float uniform() noexcept { return static_cast<float>(bits() >> 40) * 0x1p-24f; }
};

struct sampling {
    float temperature = 0.0f;  // 0: always the likeliest token
    int top_k = 0;             // only the k likeliest; 0: all
    float top_p = 1.0f;        // only the likeliest that together reach this probability
    std::uint64_t seed = 0;

    /// How many of the likeliest tokens decide; 0: all.
    [[nodiscard]] std::int64_t tokens_needed() const noexcept {
        return temperature > 0.0f ? top_k : 1;
    }
};

class sampler {
    struct candidate {
        float weight;
        std::int32_t id;
    };

    const dense_kernels& run;
    sampling settings;
    random_numbers random;
    std::vector<float> weights;
    std::vector<candidate> candidates;
    std::vector<scored> list;

    // Likelier first; the lower id among equals, so that no sort algorithm can matter.
    static bool before(const candidate& a, const candidate& b) noexcept {
        return a.weight != b.weight ? a.weight > b.weight : a.id < b.id;
    }

    // `fallback` for the crumb that rounding may leave.
    std::int32_t draw(float total, std::int32_t fallback) noexcept {
        float left = random.uniform() * total;
        for (const candidate& c : candidates)
            if ((left -= c.weight) < 0.0f) return c.id;
        return fallback;
    }

    // weight = exp((logit - best) / temperature): a probability but for one common factor
    float weigh(float best) {
        return run.exp_and_sum(weights.data(), best, 1.0f / settings.temperature,
                               std::ssize(weights));
    }

    void consider(float logit, float weight, std::int32_t id) {
        if (logit > std::numeric_limits<float>::lowest() && weight > 0.0f)
            candidates.push_back({weight, id});
    }

    // Candidates, likeliest first, as far as top_p asks for.
    std::int32_t draw_sorted(std::int32_t fallback) noexcept {
        float total = 0.0f;
        for (const candidate& c : candidates) total += c.weight;
        if (settings.top_p < 1.0f) {
            const float wanted = settings.top_p * total;
            float reached = 0.0f;
            std::size_t keep = 0;
            do reached += candidates[keep++].weight;
            while (reached < wanted && keep < candidates.size());
            candidates.resize(keep);
            total = reached;
        }
        return draw(total, fallback);
    }

public:
    sampler(const dense_kernels& kernels, const sampling& chosen)
        : run(kernels), settings(chosen), random(chosen.seed) {}

    /// The likeliest token; the lowest id among equals. NaN is never likely.
    [[nodiscard]] static std::int32_t likeliest(std::span<const float> logits) noexcept {
        std::size_t best = 0;
        for (std::size_t i = 1; i < logits.size(); ++i)
            if (logits[i] > logits[best] || logits[best] != logits[best]) best = i;
        return static_cast<std::int32_t>(best);
    }

    /// `view` is not empty, and its list, if it is one, is as long as settings need.
    [[nodiscard]] std::int32_t next(const outlook& view) {
        return view.best.empty() ? next(view.logits) : next(view.best);
    }

    /// `logits` is not empty.
    [[nodiscard]] std::int32_t next(std::span<const float> logits) {
        const std::int32_t top = likeliest(logits);
        if (!(settings.temperature > 0.0f)) return top;
        if (settings.top_k > 0) {
            list.clear();
            for (std::size_t i = 0; i < logits.size(); ++i)
                if (logits[i] == logits[i])
                    list.push_back({static_cast<std::int32_t>(i), logits[i]});
            if (list.empty()) return top;
            keep_best(list, settings.top_k);
            return next(std::span<const scored>(list));
        }
        weights.assign(logits.begin(), logits.end());
        const float total = weigh(logits[static_cast<std::size_t>(top)]);
        candidates.clear();
        for (std::size_t i = 0; i < weights.size(); ++i)
            consider(logits[i], weights[i], static_cast<std::int32_t>(i));
        if (candidates.empty()) return top;  // only when every logit is NaN or -infinity
        if (!(settings.top_p < 1.0f)) return draw(total, top);
        std::sort(candidates.begin(), candidates.end(), before);
        return draw_sorted(top);
    }

    /// The same for the top_k best tokens, or the best alone when the temperature is 0.
    [[nodiscard]] std::int32_t next(std::span<const scored> best) {
        const scored top = best.front();
        if (!(settings.temperature > 0.0f)) return top.id;
        weights.clear();
        for (const scored& s : best) weights.push_back(s.logit);
        (void)weigh(top.logit);
        candidates.clear();
        for (std::size_t i = 0; i < best.size(); ++i)
            consider(best[i].logit, weights[i], best[i].id);
        if (candidates.empty()) return top.id;
        return draw_sorted(top.id);
    }
};

}  // namespace tbx::model
