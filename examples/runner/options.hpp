// SPDX-License-Identifier: MIT
// Room examples/runner. Enters: options that several commands share. Leaves: their values, checked.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include <trilobit/matmul/matmul.hpp>
#include <trilobit/pack/packed_matrix.hpp>

#include "gguf/meanings.hpp"
#include "model/activations.hpp"
#include "model/kv_cache.hpp"
#include "model/sampler.hpp"
#include "support/number_options.hpp"
#include "tokenizer/tokenizer.hpp"

namespace tbx::runner {

/// How to compute.
struct machine_options {
    int threads = 0;  // 0: one for each processor
    trilobit::layout_id layout = trilobit::layout_id::ternary_2bit;
    trilobit::kernel_id kernel = trilobit::kernel_id::automatic;
    model::activation_rule activations = model::activation_rule::token;
    std::int64_t batch = 256;  // most tokens of one prefill step; with 512 a prompt took 6 % longer

    void add_to(CLI::App& command);
    [[nodiscard]] int thread_count() const;
    [[nodiscard]] std::string layout_text() const;
    [[nodiscard]] std::string kernel_text() const;
};

/// Positions there is room for where the user does not say, if the model has so many.
inline constexpr std::int64_t usual_positions = 4096;

/// Which model, and how much of its context.
struct model_options {
    std::string path;
    std::int64_t context = 0;  // 0: the model's own, up to 4096
    std::vector<gguf::read_as> read_as = {};
    model::kept_as cache = model::kept_as::f16;  // keys and values
    machine_options machine;

    void add_to(CLI::App& command);
};

/// --cache NAME, for each command that a cache's size means something to.
void add_cache(CLI::App& command, model::kept_as& cache);
[[nodiscard]] std::string cache_text(model::kept_as cache);

/// --read-as NUMBER=NAME, for each command that reads a GGUF file.
void add_read_as(CLI::App& command, std::vector<gguf::read_as>& told);

/// --pre NAME, for each command that makes a tokenizer.
void add_pre(CLI::App& command, std::string& pre);

using support::number_between, support::seed_number, support::whole_number;

/// One of `names`; what is wrong is told in one short line.
[[nodiscard]] CLI::Validator one_of(std::vector<std::string> names);

/// What goes into a text that a model writes, and where it ends.
struct writing_options {
    model::sampling sampling;
    std::vector<std::string> stops = {}, biases = {};
    std::string pre = {};
    bool two_stage = false;
    bool no_bos = false;
    bool show_tokens = false;

    void add_to(CLI::App& command);
    /// With --logit-bias, whose tokens only a vocabulary knows.
    [[nodiscard]] model::sampling sampling_with(const tokenizer::tokenizer& words) const;
};

/// Whether to guess tokens ahead, and who does.
struct speculation_options {
    bool lookup = false;
    std::string draft = {};  // a model file
    int together = 0;        // tokens of a pass; 0: as many as pay

    [[nodiscard]] bool wanted() const noexcept { return lookup || !draft.empty(); }
    void add_to(CLI::App& command);
};

}  // namespace tbx::runner
