// SPDX-License-Identifier: MIT
// Benchmarks. Enters: the same shapes as float matrices. Leaves: rows of what people would use
// without this library, in the same run, where CMake found OpenBLAS.
#include "rows.hpp"

#if defined(TRILOBIT_BENCH_OPENBLAS)
#include <cblas.h>

#include <map>

namespace trilobit_bench {
namespace {

void sgemm(benchmark::State& state, bench& b, const shape& s, std::int64_t tokens, bool dram) {
    static std::map<std::pair<std::int64_t, std::int64_t>, std::vector<float>> shelf;
    std::vector<float>& w = shelf[{s.rows, s.cols}];
    if (w.empty()) w = random_floats(s.rows * s.cols, 17);
    const auto x = random_floats(tokens * s.cols, 7);
    std::vector<float> y(static_cast<std::size_t>(tokens * s.rows));
    if (dram) b.copies.hold(w.data(), w.size() * sizeof(float));
    ::openblas_set_num_threads(b.chosen.threads);
    const int n = static_cast<int>(s.rows), k = static_cast<int>(s.cols),
              m = static_cast<int>(tokens);

    measured did;
    did.hertz = yardstick::hertz();
    did.read_gb_per_s = dram ? b.limits.read_gb_per_s() : b.limits.best_read().gb_per_s;
    stopwatch watch;
    for (auto _ : state)
        watch.time([&] {
            const float* weights =
                dram ? reinterpret_cast<const float*>(b.copies.take()) : w.data();  // (n, k)
            if (m == 1)
                ::cblas_sgemv(CblasRowMajor, CblasNoTrans, n, k, 1.0f, weights, k, x.data(), 1,
                              0.0f, y.data(), 1);
            else
                ::cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, m, n, k, 1.0f, x.data(), k,
                              weights, k, 0.0f, y.data(), n);
            benchmark::ClobberMemory();
        });
    if (dram) did.read_gb_per_s = (did.read_gb_per_s + b.limits.read_gb_per_s()) / 2;
    did.seconds = watch.median();
    did.macs = static_cast<double>(tokens * s.rows * s.cols);
    did.bytes = static_cast<double>(s.rows * s.cols) * sizeof(float);
    set_counters(state, b.limits, did);
}

}  // namespace

void register_openblas(bench& b) { register_rival(b, "openblas-f32", sgemm); }

}  // namespace trilobit_bench
#else
namespace trilobit_bench {
void register_openblas(bench&) {}
}  // namespace trilobit_bench
#endif
