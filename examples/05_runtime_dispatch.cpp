// SPDX-License-Identifier: MIT
// Lesson 5. Enters: one program, compiled for any x86-64. Leaves: the same product from every back
// end that this processor has, each with its own instructions, all with the same bits.
//
// CMake's trilobit_runtime_dispatch(<your target>) compiles the kernels once for each instruction
// set, with that set's flags, and links the tables. TRILOBIT_ARCH=avx2 forces one of them.
#include <trilobit/dispatch/dispatch.hpp>
#include <trilobit/trilobit.hpp>

#include <chrono>
#include <cstdio>
#include <random>
#include <vector>

int main() {
    const std::int64_t rows = 640, cols = 2560;
    std::vector<float> weights(rows * cols), x(cols), first, y(rows);
    std::minstd_rand bits(5);
    std::uniform_real_distribution<float> uniform(-1, 1);
    for (float& v : weights) v = uniform(bits);
    for (float& v : x) v = uniform(bits);
    const auto w = trilobit::pack<trilobit::layout::binary_1bit>({weights.data(), rows, cols});

    // A back end is a table of function pointers; looking it up once is all the dispatch there is.
    const auto chosen = trilobit::dispatch::active();
    if (!chosen.ok()) return std::puts(chosen.error().text), 1;
    std::printf("this processor's best, or what TRILOBIT_ARCH asks for: %s\n",
                chosen.value()->name.data());

    for (const trilobit::kernel_table* table : trilobit::dispatch::available()) {
        trilobit::context context{*table};
        double best = 1e9;
        for (int round = 0; round < 5; ++round) {
            const auto start = std::chrono::steady_clock::now();
            const auto s = trilobit::matmul(context, w, {x.data(), 1, cols}, {y.data(), 1, rows});
            if (!s.ok()) return std::puts(s.text), 1;
            const std::chrono::duration<double, std::micro> took =
                std::chrono::steady_clock::now() - start;
            best = took.count() < best ? took.count() : best;
        }
        if (first.empty()) first = y;
        std::printf("%-12s %8.1f us  %s\n", table->name.data(), best,
                    y == first ? "same bits" : "OTHER BITS");
        if (y != first) return 1;
    }
    return 0;
}
