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
#include "model/prediction.hpp"

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

/// Added to a token's logit; -infinity forbids it.
struct logit_bias {
    std::int32_t id;
    float added;
};

/// In llama.cpp's order and by its definitions: biases, then the penalty change logits; top-k,
/// top-p and min-p then choose among the tokens, at temperature 1; the temperature weighs what
/// is left.
struct sampling {
    float temperature = 0.0f;     // 0: always the likeliest token
    int top_k = 0;                // only the k likeliest; 0: all
    float top_p = 1.0f;           // only the likeliest that together reach this probability
    float min_p = 0.0f;           // only those at least this likely, the likeliest being 1
    float repeat_penalty = 1.0f;  // makes tokens that were there less likely; 1: does nothing
    int repeat_window = 64;       // among how many of the latest; -1: all
    std::uint64_t seed = 0;
    std::vector<logit_bias> biases = {};

    [[nodiscard]] bool penalises() const noexcept {
        return repeat_penalty != 1.0f && repeat_window != 0;
    }
    /// How many of the likeliest tokens decide; 0: all, as the logit of any may be changed.
    [[nodiscard]] std::int64_t tokens_needed() const noexcept {
        if (penalises() || !biases.empty()) return 0;
        return temperature > 0.0f ? top_k : 1;
    }
};

class sampler {
    const dense_kernels& run;
    sampling settings;
    random_numbers random;
    std::vector<std::int32_t> latest;  // as many as the window wants, in no order but a ring's
    std::size_t oldest = 0;
    std::vector<float> biased, changed;
    std::vector<float> weights;
    std::vector<scored> list;

    // weights = exp((logit - best) / temperature), probabilities but for one common factor. Returns
    // their sum.
    float weigh(float best, float temperature) {
        return run.exp_and_sum(weights.data(), best, 1.0f / temperature, std::ssize(weights));
    }

    // Where in `weights` a draw falls, never on the weight of NaN or -infinity; `fallback` for the
    // crumb that rounding may leave.
    template <class Logit>
    std::size_t draw(float total, std::size_t fallback, Logit logit) noexcept {
        float left = random.uniform() * total;
        for (std::size_t i = 0; i < weights.size(); ++i) {
            if (!(logit(i) > std::numeric_limits<float>::lowest() && weights[i] > 0.0f)) continue;
            if ((left -= weights[i]) < 0.0f) return i;
        }
        return fallback;
    }

    // How many of `best`, likeliest first, top_p and min_p leave; at least one.
    std::size_t kept(std::span<const scored> best) {
        std::size_t keep = best.size();
        if (!(settings.top_p < 1.0f) && !(settings.min_p > 0.0f)) return keep;
        take(best);
        (void)weigh(best.front().logit, 1.0f);
        if (settings.top_p < 1.0f) {
            float total = 0.0f, reached = 0.0f;
            for (const float w : weights) total += w;
            const float wanted = settings.top_p * total;
            keep = 0;
            do reached += weights[keep++];
            while (reached < wanted && keep < weights.size());
        }
        while (keep > 1 && weights[keep - 1] < settings.min_p) --keep;
        return keep;
    }

    void take(std::span<const scored> best) {
        weights.clear();
        for (const scored& s : best) weights.push_back(s.logit);
    }

    // A token is penalised once, however often it was there: always what comes from `biased`.
    std::span<const float> change(std::span<const float> logits) {
        const bool penalise = settings.penalises() && !latest.empty();
        if (!penalise && settings.biases.empty()) return logits;
        changed.assign(logits.begin(), logits.end());
        for (const logit_bias& b : settings.biases)
            if (const auto i = static_cast<std::size_t>(b.id); i < changed.size())
                changed[i] += b.added;
        if (!penalise) return changed;
        biased.assign(changed.begin(), changed.end());
        for (const std::int32_t id : latest) {
            const auto i = static_cast<std::size_t>(id);
            if (i >= biased.size()) continue;
            changed[i] = biased[i] <= 0.0f ? biased[i] * settings.repeat_penalty
                                           : biased[i] / settings.repeat_penalty;
        }
        return changed;
    }

public:
    sampler(const dense_kernels& kernels, const sampling& chosen)
        : run(kernels), settings(chosen), random(chosen.seed) {}

    /// A token of the text so far, the prompt's as well: what a penalty looks back at.
    void accept(std::int32_t id) {
        if (!settings.penalises()) return;
        if (settings.repeat_window < 0 || std::ssize(latest) < settings.repeat_window) {
            latest.push_back(id);
        } else {
            latest[oldest] = id;
            oldest = (oldest + 1) % latest.size();
        }
    }

    /// From now on the text so far is `ids`. The random numbers go on.
    void look_back_at(std::span<const std::int32_t> ids) {
        latest.clear();
        oldest = 0;
        for (const std::int32_t id : ids) accept(id);
    }

    /// The likeliest token; the lowest id among equals. NaN is never likely.
    [[nodiscard]] static std::int32_t likeliest(std::span<const float> logits) noexcept {
        std::size_t best = 0;
        for (std::size_t i = 1; i < logits.size(); ++i)
            if (logits[i] > logits[best] || logits[best] != logits[best]) best = i;
        return static_cast<std::int32_t>(best);
    }

    /// `view` is not empty, and its list, if it is one, is as long as settings need.
    [[nodiscard]] std::int32_t next(const prediction& view) {
        return view.best.empty() ? next(view.logits) : next(view.best);
    }

    /// `logits` is not empty.
    [[nodiscard]] std::int32_t next(std::span<const float> from_model) {
        const std::span<const float> logits = change(from_model);
        const std::int32_t top = likeliest(logits);
        if (!(settings.temperature > 0.0f)) return top;
        if (settings.top_k > 0 || settings.top_p < 1.0f || settings.min_p > 0.0f) {
            list.clear();
            for (std::size_t i = 0; i < logits.size(); ++i)
                if (logits[i] == logits[i])
                    list.push_back({static_cast<std::int32_t>(i), logits[i]});
            if (list.empty()) return top;
            if (settings.top_k > 0)
                keep_best(list, settings.top_k);
            else
                std::sort(list.begin(), list.end(), scored::before);
            return next(std::span<const scored>(list));
        }
        weights.assign(logits.begin(), logits.end());
        const auto best = static_cast<std::size_t>(top);
        const float total = weigh(logits[best], settings.temperature);
        return static_cast<std::int32_t>(
            draw(total, best, [&](std::size_t i) { return logits[i]; }));
    }

    /// The same for the top_k best tokens, or the best alone when the temperature is 0.
    [[nodiscard]] std::int32_t next(std::span<const scored> best) {
        if (!(settings.temperature > 0.0f)) return best.front().id;
        best = best.first(kept(best));
        take(best);
        (void)weigh(best.front().logit, settings.temperature);
        float total = 0.0f;
        for (const float w : weights) total += w;
        return best[draw(total, 0, [&](std::size_t i) { return best[i].logit; })].id;
    }
};

}  // namespace tbx::model
