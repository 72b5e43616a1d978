// SPDX-License-Identifier: MIT
// Benchmarks. Enters: limits, lazily measured. Leaves: counters of one row.
#include "yardstick.hpp"

#include <algorithm>

namespace trilobit_bench {

double stopwatch::median() {
    if (laps.empty()) return 0;
    const auto middle = laps.begin() + static_cast<std::ptrdiff_t>(laps.size() / 2);
    std::nth_element(laps.begin(), middle, laps.end());
    return *middle;
}

trilobit_limits::memory_probe& yardstick::probe() {
    if (!memory) {
        memory.emplace(threads);
        for (int i = 0; i < 8; ++i) memory->round();
    }
    return *memory;
}

double yardstick::peak(std::string_view arch) {
    const auto known = peaks.find(arch);
    if (known != peaks.end()) return known->second;
    const double p = trilobit_limits::dot_peak_macs_per_second(arch, threads);
    return peaks.emplace(arch, p).first->second;
}

void set_counters(benchmark::State& state, yardstick& by, const measured& m) {
    if (m.seconds <= 0) return;
    const double macs_per_s = m.macs / m.seconds, gb_per_s = m.bytes / m.seconds * 1e-9;
    if (m.hertz > 0) state.counters["mac_per_cycle"] = macs_per_s / m.hertz / by.thread_count();
    // lookup and popcount kernels are held against the same peak: it is what they must beat to be
    // worth having, and the targets for them are multiples of it.
    const double peak = m.arch.empty() ? 0 : by.peak(m.arch);
    if (peak > 0) state.counters["peak_fraction"] = macs_per_s / peak;
    state.counters["gb_per_s"] = gb_per_s;
    if (m.read_gb_per_s > 0) state.counters["read_fraction"] = gb_per_s / m.read_gb_per_s;
}

}  // namespace trilobit_bench
