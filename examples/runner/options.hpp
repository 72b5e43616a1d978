// SPDX-License-Identifier: MIT
// Room examples/runner. Enters: options that several commands share. Leaves: their values, checked.
#pragma once

#include <cstdint>
#include <string>

#include <CLI/CLI.hpp>

#include <trilobit/matmul/matmul.hpp>
#include <trilobit/pack/packed_matrix.hpp>

#include "model/sampler.hpp"

namespace tbx::runner {

/// How to compute.
struct machine_options {
    int threads = 0;  // 0: one for each processor
    trilobit::layout_id layout = trilobit::layout_id::ternary_2bit;
    trilobit::kernel_id kernel = trilobit::kernel_id::automatic;
    std::int64_t batch = 256;  // most tokens of one prefill step; with 512 a prompt took 6 % longer

    void add_to(CLI::App& command);
    [[nodiscard]] int thread_count() const;
    [[nodiscard]] std::string layout_text() const;
    [[nodiscard]] std::string kernel_text() const;
};

/// Which model, and how much of its context.
struct model_options {
    std::string path;
    std::int64_t context = 0;  // 0: the model's own, up to 4096
    machine_options machine;

    void add_to(CLI::App& command);
};

/// --head full or two-stage.
void add_head(CLI::App& command, bool& two_stage);

void add_sampling(CLI::App& command, model::sampling& values);

}  // namespace tbx::runner
