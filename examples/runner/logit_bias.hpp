// SPDX-License-Identifier: MIT
// Room examples/runner. Enters: --logit-bias TOKEN=BIAS and a vocabulary. Leaves: ids and numbers.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "model/sampler.hpp"
#include "tokenizer/tokenizer.hpp"

namespace tbx::runner {

/// What is wrong with the text before any vocabulary is known; empty when nothing is.
[[nodiscard]] std::string check_logit_bias(const std::string& text);

/// TOKEN is an id, or the text of exactly one token, control tokens included. Throws tbx::error
/// where it is none or several: with the ids that it may mean, or is made of.
[[nodiscard]] std::vector<model::logit_bias> find_logit_biases(const tokenizer::tokenizer& words,
                                                               std::span<const std::string> texts);

}  // namespace tbx::runner
