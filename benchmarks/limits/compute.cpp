// SPDX-License-Identifier: MIT
// Room limits. Enters: the loops of each instruction set in this build. Leaves: their speeds on
// this machine, and the frequency at which its cores run.
#include <algorithm>
#include <atomic>

#include "limits/limits.hpp"
#include "limits/loops.hpp"
#include "limits/threads.hpp"

namespace trilobit_limits {

double dot_peak_macs_per_second(std::string_view arch, int threads) {
    const arch_loops* loops = find_loops(arch);
    if (loops == nullptr || threads < 1) return 0;
    // Long enough for the clock, short enough to fit between two interruptions; the first tries
    // also let the core reach the frequency at which it runs such code.
    std::int64_t macs = std::int64_t{1} << 20;
    // The fastest of three: one interruption must not make the loop look long enough.
    const auto seconds_alone = [&] {
        double least = 1;
        for (int i = 0; i < 3; ++i)
            least = std::min(least, run_together(1, [&](int) { loops->dot(macs); }));
        return least;
    };
    while (seconds_alone() < 4e-4) macs *= 2;
    double best = 0;
    for (int tries = 0; tries < 32; ++tries) {
        std::atomic<std::int64_t> done{0};
        const double seconds =
            run_together(threads, [&](int) { done.fetch_add(loops->dot(macs)); });
        best = std::max(best, static_cast<double>(done.load()) / seconds);
    }
    return best;
}

std::string_view dot_peak_instruction(std::string_view arch) {
    const arch_loops* loops = find_loops(arch);
    return loops == nullptr ? std::string_view{} : loops->instruction;
}

double core_hertz() {
#if defined(__GNUC__) && (defined(__x86_64__) || defined(__aarch64__))
    constexpr int adds = 64, rounds = 1 << 15;
    double best = 0;
    for (int tries = 0; tries < 7; ++tries) {
        std::uint64_t x = 1;
        const std::uint64_t y = 3;
        const double start = now();
        for (int i = 0; i < rounds; ++i) TRILOBIT_UNROLL
        for (int a = 0; a < 16; ++a)
        // Of two registers: some cores add constants while renaming, at no cost at all.
#if defined(__x86_64__)
            __asm__ volatile("add %1, %0\n\tadd %1, %0\n\tadd %1, %0\n\tadd %1, %0"
                             : "+r"(x)
                             : "r"(y)
                             : "cc");
#else
            __asm__ volatile("add %0, %0, %1\n\tadd %0, %0, %1\n\tadd %0, %0, %1\n\tadd %0, %0, %1"
                             : "+r"(x)
                             : "r"(y));
#endif
        best = std::max(best, double{adds} * rounds / (now() - start));
    }
    return best;
#else
    return 0;
#endif
}

}  // namespace trilobit_limits
