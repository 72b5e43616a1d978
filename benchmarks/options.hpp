// SPDX-License-Identifier: MIT
// Benchmarks. Enters: the command line. Leaves: our own flags, taken out of it before Google
// Benchmark sees the rest.
#pragma once

#include <string>
#include <vector>

#include "trilobit/weights/scale.hpp"

namespace trilobit_bench {

struct options {
    int threads = 1;
    trilobit::scale_spec scale;  // of the weights
    bool list_kernels = false;
    bool regimes = false;
    std::string regimes_file;  // JSON; empty for none
    int rounds = 25;           // of each regime
    bool help = false;
    std::string problem;            // one sentence, empty when all is well
    std::vector<std::string> rest;  // argv[0] and what is Google Benchmark's
};

options read_options(int argc, char** argv);
const char* help_text();

}  // namespace trilobit_bench
