// SPDX-License-Identifier: MIT
// Benchmarks. Enters: what all rows share. Leaves: rows registered with Google Benchmark, one
// function for each family of names.
//
// Rows use the default clock of Google Benchmark, which adds nothing to their names; all counters
// come from a wall clock around the whole loop, since threads other than the first do work too.
#pragma once

#include <string>

#include "options.hpp"
#include "trilobit/core/thread_pool.hpp"
#include "workload.hpp"
#include "yardstick.hpp"

namespace trilobit_bench {

struct bench {
    options chosen;
    trilobit::thread_pool pool;
    yardstick limits;
    weights_shelf weights;
    cold_copies copies;

    explicit bench(const options& o) : chosen(o), pool(o.threads), limits(pool), weights(o.scale) {}
};

void register_gemm(bench& b);
void register_parts(bench& b);       // Pack, Quantize
void register_repack(bench& b);      // of the formats of files
void register_primitives(bench& b);  // one instruction sequence at a time
void register_openblas(bench& b);    // nothing where they were not found
void register_onednn(bench& b);

/// The table of regimes instead of rows: prints it, and writes it to options::regimes_file if
/// named.
void run_regimes(bench& b);

/// Rows "Rival/<name>/N:.." for every shape and number of tokens, in cache and from DRAM.
using rival = void (*)(benchmark::State&, bench&, const shape&, std::int64_t tokens, bool dram);
void register_rival(bench& b, const std::string& name, rival run);

}  // namespace trilobit_bench
