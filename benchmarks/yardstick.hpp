// SPDX-License-Identifier: MIT
// Benchmarks. Enters: how long some multiply-adds and bytes took. Leaves: counters, as fractions of
// limits measured in the same run with the same number of threads.
#pragma once

#include <benchmark/benchmark.h>

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "limits/limits.hpp"
#include "limits/threads.hpp"
#include "trilobit/core/thread_pool.hpp"

namespace trilobit_bench {

class yardstick {
    trilobit::thread_pool& pool;
    std::optional<trilobit_limits::memory_probe> memory;  // large, so made when first asked

    trilobit_limits::memory_probe& probe();

public:
    explicit yardstick(trilobit::thread_pool& threads) : pool(threads) {}

    /// One more look at the memory; call it before and after what is read from DRAM.
    double read_gb_per_s() { return probe().round().gb_per_s; }
    /// Median so far.
    trilobit_limits::read_bandwidth best_read() { return probe().best(); }
    /// Multiply-adds per second of a back end's dot product, all threads together, for about two
    /// milliseconds from now; call it before and after what is held against it, since the clock of
    /// a shared machine moves. 0 if there is no such back end.
    double peak(std::string_view arch);
    /// Cycles per second of one core, now.
    static double hertz() { return trilobit_limits::core_hertz(); }
    [[nodiscard]] int thread_count() const { return pool.concurrency(); }
};

/// Seconds of each call of a row. Counters are made of their median: calls last microseconds, and
/// the few that the system interrupts would otherwise weigh more than all the others.
class stopwatch {
    std::vector<double> laps;

public:
    template <class F>
    void time(F&& f) {
        const double start = trilobit_limits::now();
        f();
        laps.push_back(trilobit_limits::now() - start);
    }
    [[nodiscard]] double median();
};

/// What one call of a row does, and its limits; those that are 0 give no fraction.
struct measured {
    double seconds = 0, macs = 0, bytes = 0, hertz = 0, read_gb_per_s = 0, peak = 0;
};
void set_counters(benchmark::State& state, yardstick& by, const measured& m);

}  // namespace trilobit_bench
