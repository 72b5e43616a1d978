// SPDX-License-Identifier: MIT
// Benchmarks. Enters: limits, measured when asked. Leaves: counters of one row.
#include "yardstick.hpp"

#include <algorithm>
#include <atomic>

#include "limits/loops.hpp"

namespace trilobit_bench {

double stopwatch::median() {
    if (laps.empty()) return 0;
    const auto middle = laps.begin() + static_cast<std::ptrdiff_t>(laps.size() / 2);
    std::nth_element(laps.begin(), middle, laps.end());
    return *middle;
}

trilobit_limits::memory_probe& yardstick::probe() {
    if (!memory) {
        memory.emplace(pool.concurrency());
        for (int i = 0; i < 8; ++i) memory->round();
    }
    return *memory;
}

double yardstick::peak(std::string_view arch) {
    const trilobit_limits::arch_loops* loops = trilobit_limits::find_loops(arch);
    if (loops == nullptr) return 0;
    // Long enough for the start of a loop not to count: that of the tiles is 0.1 us.
    constexpr std::int64_t macs_at_once = std::int64_t{1} << 24;
    // For a time rather than a number of times, so none idles while another is still counted.
    std::atomic<std::int64_t> done{0};
    const double seconds = trilobit_limits::run_together(pool, [&](int) {
        std::int64_t macs = 0;
        for (const double start = trilobit_limits::now(); trilobit_limits::now() - start < 2e-3;)
            macs += loops->dot(macs_at_once);
        done.fetch_add(macs);
    });
    return static_cast<double>(done.load()) / seconds;
}

void set_counters(benchmark::State& state, yardstick& by, const measured& m) {
    if (m.seconds <= 0) return;
    const double macs_per_s = m.macs / m.seconds, gb_per_s = m.bytes / m.seconds * 1e-9;
    if (m.hertz > 0) state.counters["mac_per_cycle"] = macs_per_s / m.hertz / by.thread_count();
    // lookup and popcount kernels are held against the same peak: it is what they must beat to be
    // worth having, and the targets for them are multiples of it.
    if (m.peak > 0) state.counters["peak_fraction"] = macs_per_s / m.peak;
    state.counters["gb_per_s"] = gb_per_s;
    if (m.read_gb_per_s > 0) state.counters["read_fraction"] = gb_per_s / m.read_gb_per_s;
}

}  // namespace trilobit_bench
