// SPDX-License-Identifier: MIT
// Room train: products by the kernels of gemm_kernels.hpp on the trainer's threads.
// Enters: shapes and operands of gemm.hpp.
// Leaves: the product, whose bits no number of threads and no instruction set changes.
#include <trilobit/dispatch/dispatch.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "support/error.hpp"
#include "train/gemm.hpp"
#include "train/gemm_kernels.hpp"
#include "train/threads.hpp"

namespace tbx::train {
namespace {

constexpr int rounded_up(int n, int to) { return (n + to - 1) / to * to; }

// Rows of a that are multiplied with one panel of b after the other: within a second cache. A whole
// number of tiles of any height.
constexpr int block_rows = 96;
// Below so many multiplications waking the others costs more than they save.
constexpr std::int64_t worth_sharing = 1 << 19;

// Of each thread, there when it starts: an allocation that fails on a thread would end the program.
alignas(64) thread_local float packed_a[block_rows * gemm_depth];

// Of the calling thread: stays between products, and begins with a cache line.
float* memory_for_b(std::size_t floats) {
    constexpr std::size_t line = 64;
    static std::vector<float> memory;
    if (memory.size() < floats + line) memory.resize(floats + line);
    void* at = memory.data();
    std::size_t bytes = memory.size() * sizeof(float);
    return static_cast<float*>(std::align(line, floats * sizeof(float), at, bytes));
}

}  // namespace

const gemm_kernels& gemm_kernels_here() {
    static const gemm_kernels& found = []() -> const gemm_kernels& {
        const auto active = trilobit::dispatch::active();
        if (!active.ok()) throw error("TRILOBIT_ARCH", active.error().text);
        return trilobit::dispatch::per_arch<gemm_kernels, gemm_of>::serving(active.value()->name);
    }();
    return found;
}

void multiply(const gemm_shape& s, const float* a, const float* b, float* c) {
    multiply_by(gemm_kernels_here(), s, a, b, c);
}

void multiply_by(const gemm_kernels& kernels, const gemm_shape& s, const float* a, const float* b,
                 float* c) {
    const int wide = kernels.tile_cols, high = kernels.tile_rows;
    const int panels = rounded_up(s.n, wide) / wide;
    float* const packed_b = memory_for_b(static_cast<std::size_t>(panels) *
                                         static_cast<std::size_t>(wide * gemm_depth));
    trilobit::thread_pool& run = team();
    const bool shared = std::int64_t{s.m} * s.n * s.k >= worth_sharing;
    const int each = shared ? (s.m - 1) / run.concurrency() + 1 : s.m;
    const int block = std::min(rounded_up(each, high), block_rows);
    const int blocks = rounded_up(s.m, block) / block;
    for (int from = 0; from < s.k; from += gemm_depth) {
        const int depth = std::min(gemm_depth, s.k - from);
        const bool add = s.accumulate || from > 0;
        const auto panel = [&](int j) {
            return packed_b + static_cast<std::ptrdiff_t>(j) * wide * depth;
        };
        run(0, panels, shared ? 1 : panels, [&](std::int64_t begin, std::int64_t end) {
            for (int j = static_cast<int>(begin); j < end; ++j)
                kernels.pack_b(s, b, from, depth, j * wide, panel(j));
        });
        run(0, blocks, shared ? 1 : blocks, [&](std::int64_t begin, std::int64_t end) {
            for (int i = static_cast<int>(begin); i < end; ++i) {
                const int first = i * block, last = std::min(first + block, s.m);
                const auto strip = [&](int r) { return packed_a + (r - first) * depth; };
                for (int r = first; r < last; r += high)
                    kernels.pack_a(s, a, from, depth, r, strip(r));
                for (int j = 0; j < panels; ++j)
                    for (int r = first; r < last; r += high)
                        kernels.tile(strip(r), panel(j), depth,
                                     c + static_cast<std::ptrdiff_t>(r) * s.ldc + j * wide, s.ldc,
                                     std::min(high, last - r), std::min(wide, s.n - j * wide), add);
            }
        });
    }
}

}  // namespace tbx::train
