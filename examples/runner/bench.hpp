// SPDX-License-Identifier: MIT
// Room examples/runner. Enters: a loaded model. Leaves: how fast it reads a prompt and makes
// tokens.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "model/head.hpp"

namespace tbx::runner {

/// Speculation as it would be with guesses that are right this often.
struct guessing {
    double agreement = 0;                       // of a guess, if those before it are right
    int together = 0;                           // tokens of a pass; 0: as many as pay
    const model::transformer* draft = nullptr;  // runs for each guess; none: guesses cost nothing
};

struct bench_plan {
    std::int64_t prefill = 512;  // tokens of the prompt
    std::int64_t decode = 128;   // tokens made after it, one by one
    int rounds = 3;
    model::head_use head = {};
    std::optional<guessing> guesses = {};
};

/// Medians over rounds; latencies over all tokens of all rounds.
struct bench_result {
    double prefill_tokens_per_s = 0;
    double decode_tokens_per_s = 0;
    double decode_ms_p50 = 0, decode_ms_p90 = 0;
    double prefill_ms_p50 = 0, prefill_ms_p90 = 0;  // of a whole prompt
    // Where there are guesses:
    double guessed_tokens_per_s = 0;
    double tokens_per_pass = 0;
    std::vector<double> costs = {};  // of passes of 1, 2, ... tokens; the first is 1
};

/// `between` is called after every round. Ends early, with what it has, when the user interrupts.
[[nodiscard]] bench_result measure(model::compute& cpu, const model::transformer& m,
                                   model::state& s, const bench_plan& plan,
                                   const model::progress& report,
                                   const std::function<void()>& between);

/// The value below which `part` (0..1) of the samples lie; 0 without samples.
[[nodiscard]] double quantile(std::vector<double> samples, double part);

}  // namespace tbx::runner
