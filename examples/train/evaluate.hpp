// SPDX-License-Identifier: MIT
// Room train: how well a model predicts a text that it has not seen.
// Enters: a model and a stream of tokens. Leaves: the summed -log p of every token but the first of
// what a token may look back on begins anew every `length` tokens.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "train/loss.hpp"
#include "train/model.hpp"

namespace tbx::train {

// Linear layers of a quantised model go through the library's kernels, as in a runner; the rest is
// float by portable_backend, so that figures do not depend on how a model was trained.
// `progress` is told the fraction done.
template <class Progress>
loss_sums evaluate(const model_config& c, std::span<const float> parameters,
                   std::span<const std::uint16_t> tokens, int length, Progress progress) {
    transformer<library_backend> model(c);
    model.load(parameters);
    loss_sums sums;
    std::vector<int> inputs, targets;
    std::vector<float> unused;
    const auto n = static_cast<std::size_t>(length);
    for (std::size_t from = 0; from + 1 < tokens.size(); from += n) {
        const std::size_t count = std::min(n, tokens.size() - 1 - from);
        inputs.assign(tokens.begin() + static_cast<std::ptrdiff_t>(from),
                      tokens.begin() + static_cast<std::ptrdiff_t>(from + count));
        targets.assign(tokens.begin() + static_cast<std::ptrdiff_t>(from + 1),
                       tokens.begin() + static_cast<std::ptrdiff_t>(from + count + 1));
        const auto logits = model.forward(inputs, 1, static_cast<int>(count));
        sums += loss_and_gradient<float>(logits, targets, {}, 0.0f, 1.0f, unused);
        progress(static_cast<double>(from) / static_cast<double>(tokens.size()));
    }
    return sums;
}

}  // namespace tbx::train
