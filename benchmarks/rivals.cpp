// SPDX-License-Identifier: MIT
// Benchmarks. Enters: another library's product. Leaves: its rows, named like ours.
#include <string>

#include "rows.hpp"

namespace trilobit_bench {

void register_rival(bench& b, const std::string& name, rival run) {
    for (const shape& s : shapes)
        for (const std::int64_t tokens : batches)
            for (const bool dram : {false, true}) {
                const auto row = "Rival/" + name + "/N:" + std::to_string(s.rows) +
                                 "/K:" + std::to_string(s.cols) + "/M:" + std::to_string(tokens) +
                                 (dram ? "/dram" : "");
                benchmark::RegisterBenchmark(row.c_str(),
                                             [&b, run, s, tokens, dram](benchmark::State& state) {
                                                 run(state, b, s, tokens, dram);
                                             });
            }
}

}  // namespace trilobit_bench
