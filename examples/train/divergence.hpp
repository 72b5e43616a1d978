// SPDX-License-Identifier: MIT
// Room train: whether a run still learns.
// Enters: the loss of each step. Leaves: an error where the model knows less than nothing.
#pragma once

#include <cmath>
#include <cstdio>
#include <string>

#include "support/error.hpp"
#include "train/config.hpp"
#include "train/trainer.hpp"

namespace tbx::train {

// What a model costs that knows nothing: log V, and half the variance of the logits it makes, which
// are sums of `hidden` products of a normed activation with a fresh embedding.
inline double loss_of_guessing(const model_config& c) {
    return std::log(static_cast<double>(c.vocab)) +
           0.5 * fresh_embedding * fresh_embedding * static_cast<double>(c.hidden);
}

// Means over about twenty steps, since one step may be unlucky.
class divergence_watch {
    double guessing, mean = 0;

    [[noreturn]] void fail(double loss, std::int64_t step) const {
        char text[160];
        (void)std::snprintf(text, sizeof text,
                            "the loss has diverged to %.4g at step %lld, where guessing costs "
                            "%.4g; no model is written, try a smaller rate",
                            loss, static_cast<long long>(step), guessing);
        throw error("--lr", text);
    }

public:
    explicit divergence_watch(const model_config& c) : guessing(loss_of_guessing(c)) {}

    // Runs that came back were seen at 1.3 times the loss of guessing, with a rate thirty times too
    // high; one at 1.5 went on to 25. What is no better than guessing in the end is no model: 5 %
    // allow for runs so short that nothing but their noise is seen.
    void add(const step_report& r, std::int64_t step, bool last) {
        mean = mean == 0 ? r.trained : mean + 0.05 * (r.trained - mean);
        if (mean > guessing * (last ? 1.05 : 1.5)) fail(mean, step);
    }
};

}  // namespace tbx::train
