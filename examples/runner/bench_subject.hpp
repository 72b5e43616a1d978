// SPDX-License-Identifier: MIT
// Room examples/runner. Enters: what `bench` is told. Leaves: the model that it measures: a file's,
// or one whose weights are made up in memory.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gguf/reader.hpp"
#include "model/weights.hpp"
#include "runner/bench.hpp"
#include "runner/options.hpp"

namespace tbx::runner {

struct bench_options {
    std::string file, shape, head = "f16";
    std::vector<gguf::read_as> read_as;
    machine_options machine;
    bench_plan plan;
    std::string draft;        // a shape; empty: guesses cost nothing
    std::int64_t layers = 0;  // of a shape; 0: all
    std::uint64_t seed = 1;
    bool json = false;
};

inline constexpr std::string_view two_stage_name = "two-stage";

/// What --head may be called, and the type of the numbers that it means.
[[nodiscard]] const std::map<std::string, std::optional<model::number_type>>& bench_heads();

struct bench_subject {
    std::optional<gguf::reader> file;  // dense tensors point into it
    model::transformer model;
};

/// Throws tbx::error for a shape that the free memory does not hold.
[[nodiscard]] bench_subject load_subject(const bench_options& o, model::compute& cpu);

/// A small model of the same vocabulary, its head as long as the large one's.
[[nodiscard]] model::transformer draft_for(const model::config& c, const model::weights& w,
                                           const bench_options& o, model::compute& cpu);

}  // namespace tbx::runner
