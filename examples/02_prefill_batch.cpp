// SPDX-License-Identifier: MIT
// Lesson 2. Enters: a batch of tokens and threads. Leaves: the same products as one token at a
// time, bit for bit, in less time.
//
// One token is bound by reading weights; a batch reads them once for all its tokens. That is why a
// prompt goes through a model many times faster than its answer.
#include <trilobit/dispatch/dispatch.hpp>
#include <trilobit/trilobit.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <random>
#include <thread>
#include <vector>

int main() {
    const std::int64_t rows = 2560, cols = 2560, tokens = 64;
    std::vector<float> weights(rows * cols), x(tokens * cols);
    std::vector<float> batch(tokens * rows), single(tokens * rows);
    std::minstd_rand bits(2);
    std::uniform_real_distribution<float> uniform(-1, 1);
    for (float& v : weights) v = uniform(bits);
    for (float& v : x) v = uniform(bits);

    // The library never starts a thread: it takes an executor. This one keeps its threads awake
    // between calls; openmp{} or your engine's own pool, in six lines, will do as well.
    trilobit::thread_pool pool(static_cast<int>(std::max(std::thread::hardware_concurrency(), 1u)));
    const auto active = trilobit::dispatch::active();  // the best back end of this processor
    if (!active.ok()) return std::puts(active.error().text), 1;
    // Kernels, threads, choices, and memory that grows on the first call: from then on nothing is
    // allocated.
    trilobit::context context{*active.value(), pool};

    const auto w =
        trilobit::pack<trilobit::layout::ternary_2bit>({weights.data(), rows, cols}, {}, pool);
    const auto multiply = [&](std::int64_t first, std::int64_t count, std::vector<float>& y) {
        const auto s = trilobit::matmul(context, w, {x.data() + first * cols, count, cols},
                                        {y.data() + first * rows, count, rows});
        if (!s.ok()) std::puts(s.text), std::exit(1);
    };
    const auto milliseconds = [](auto&& f) {
        const auto start = std::chrono::steady_clock::now();
        f();
        return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start)
            .count();
    };
    multiply(0, tokens, batch);
    const double together = milliseconds([&] { multiply(0, tokens, batch); });
    const double apart = milliseconds([&] {
        for (std::int64_t m = 0; m < tokens; ++m) multiply(m, 1, single);
    });
    const bool same = std::memcmp(batch.data(), single.data(), batch.size() * sizeof(float)) == 0;
    std::printf("%s, %d threads: %lld tokens together %.2f ms, one by one %.2f ms, bits %s\n",
                context.kernels.name.data(), pool.concurrency(), static_cast<long long>(tokens),
                together, apart, same ? "equal" : "DIFFERENT");
    return same ? 0 : 1;
}
