// SPDX-License-Identifier: MIT
// Benchmarks. Enters: the loops of the limits room. Leaves: a row for each primitive of each back
// end: how many per cycle when nothing else is in the way.
#include <string>

#include "limits/loops.hpp"
#include "rows.hpp"

namespace trilobit_bench {

void register_primitives(bench&) {
    using namespace trilobit_limits;
    for (const arch_loops* loops : all_loops::available())
        for (const primitive_loop& p : loops->primitives) {
            if (p.run == nullptr) continue;
            const auto name = "Primitive/" + std::string(p.name) + "/" + std::string(loops->name);
            const auto row = [p](benchmark::State& state) {
                constexpr std::int64_t calls = 1 << 14;
                std::int64_t done = 0;
                const double hertz = yardstick::hertz();
                stopwatch watch;
                for (auto _ : state) watch.time([&] { done = p.run(calls); });
                if (hertz > 0)
                    state.counters["per_cycle"] =
                        static_cast<double>(done) / watch.median() / hertz;
            };
            benchmark::RegisterBenchmark(name.c_str(), row);
        }
}

}  // namespace trilobit_bench
