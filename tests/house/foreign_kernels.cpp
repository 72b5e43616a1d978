// SPDX-License-Identifier: MIT
// Every kernel of one back end against the oracle, without a test framework: for machines whose
// compilers are at hand and whose processors are emulated. The back end is linked in from
// read_backend.cpp. Exit status 3: this machine cannot run it.
//   foreign_kernels [CASES]
#include <trilobit/dispatch/cpu.hpp>
#include <trilobit/matmul/table.hpp>
#include <trilobit/testing/conformance.hpp>

#include <cstdio>
#include <cstdlib>
#include <string>

extern const trilobit::kernel_table table;

int main(int argc, char** argv) {
    const std::string name(table.name);
    if (!trilobit::dispatch::cpu::detect().has(table.name)) {
        std::printf("%s cannot run here\n", name.c_str());
        return 3;
    }
    trilobit::testing::kernel_check_options options;
    options.cases = argc > 1 ? std::atoi(argv[1]) : 8;
    options.max_work = 100'000;
    options.adversarial_cols = 4200;
    const trilobit::testing::report found = trilobit::testing::check_kernels(table, options);
    std::printf("%s: %s\n", name.c_str(), found.ok ? "all kernels exact" : found.text.c_str());
    return found.ok ? 0 : 1;
}
