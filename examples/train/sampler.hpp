// SPDX-License-Identifier: MIT
// Room train: texts sampled from a model, many at once.
// Enters: a model, a temperature, a seed, how many tokens are wanted.
// Leaves: each text's ids, without BOS and end, to a callback; the same for the same arguments.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "train/decoder.hpp"
#include "train/loss.hpp"

namespace tbx::train {

// splitmix64: a counter turned into well mixed bits, so that any state can be had by its number.
inline std::uint64_t mixed(std::uint64_t x) {
    x += 0x9e3779b97f4a7c15ull;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
    return x ^ (x >> 31);
}
inline double uniform(std::uint64_t counter) {
    return static_cast<double>(mixed(counter) >> 11) * 0x1.0p-53;
}

struct sample_options {
    int bos = 1;
    int end = 1;               // the token that ends a text; may be BOS itself
    double temperature = 0.8;  // 0: greedy
    std::uint64_t seed = 1;
    std::int64_t tokens = 1000;  // stop once so many have been handed over
    int texts_at_once = 64;
};

// Destroys `logits`.
inline int pick(std::span<float> logits, double temperature, double u) {
    const auto best = std::max_element(logits.begin(), logits.end());
    if (temperature <= 0) return static_cast<int>(best - logits.begin());
    const auto inverse = static_cast<float>(1.0 / temperature);
    for (float& z : logits) z *= inverse;
    to_probabilities(logits.data(), static_cast<int>(logits.size()));
    double left = u;
    for (std::size_t i = 0; i < logits.size(); ++i) {
        left -= static_cast<double>(logits[i]);
        if (left < 0) return static_cast<int>(i);
    }
    return static_cast<int>(best - logits.begin());
}

// `text(ids, ended)`: `ended` is false for a text that the context cut short.
// `go_on(tokens so far)` is asked after every step.
template <class Text, class GoOn>
void sample(decoder& model, const sample_options& o, Text text, GoOn go_on) {
    const int n = o.texts_at_once, vocab = model.config.vocab;
    const auto count = static_cast<std::size_t>(n);
    std::vector<int> tokens(count, o.bos), positions(count, 0);
    std::vector<std::vector<int>> ids(count);
    std::vector<float> row(static_cast<std::size_t>(vocab));
    std::int64_t done = 0;
    for (std::uint64_t turn = 0; done < o.tokens; ++turn) {
        const auto logits = model.step(tokens, positions);
        for (std::size_t i = 0; i < count && done < o.tokens; ++i) {
            const auto from = logits.subspan(i * row.size(), row.size());
            std::copy(from.begin(), from.end(), row.begin());
            const double u = uniform(mixed(o.seed) + turn * count + i);
            const int next = pick(row, o.temperature, u);
            const bool ended = next == o.end || next == o.bos;
            if (!ended) ids[i].push_back(next);
            if (ended || ++positions[i] == model.config.context) {
                text(ids[i], ended);
                done += static_cast<std::int64_t>(ids[i].size()) + 1;
                ids[i].clear();
                positions[i] = 0;
                tokens[i] = o.bos;
            } else {
                tokens[i] = next;
            }
        }
        if (!go_on(done)) return;
    }
}

}  // namespace tbx::train
