// SPDX-License-Identifier: MIT
// Shared by the tests of plans. Enters: a plan. Leaves: it done by real threads in odd ranges, in
// random order, in memory that ends where the next page begins.
#pragma once

#include <atomic>
#include <functional>
#include <thread>

#include "sample.hpp"
#include "trilobit/testing/guarded_buffer.hpp"

namespace matmul_test {

/// [0, count) cut at random and shuffled.
inline std::vector<trilobit::index_range> shuffled(std::int64_t count,
                                                   trilobit::testing::generator& r) {
    std::vector<trilobit::index_range> all;
    for (std::int64_t at = 0, end; at < count; at = end) {
        end = r.between(at + 1, std::min(count, at + 1 + count / 4));
        all.push_back({at, end});
    }
    for (std::size_t i = all.size(); i > 1; --i)
        std::swap(all[i - 1],
                  all[static_cast<std::size_t>(r.between(0, static_cast<std::int64_t>(i) - 1))]);
    return all;
}

/// quantise(begin, end, memory) makes some tokens' activations.
using quantiser =
    std::function<trilobit::status(std::int64_t begin, std::int64_t end, void* memory)>;

/// The first status that was not ok, or the last. The memory is exactly as large as the plan says.
inline trilobit::status run_shuffled(const trilobit::plan& p, std::int64_t tokens,
                                     std::uint64_t seed, const quantiser& quantise) {
    trilobit::testing::generator r(seed);
    const trilobit::testing::guarded_buffer memory(p.bytes());
    const auto token_ranges = shuffled(tokens, r), tasks = shuffled(p.tasks(), r);
    std::atomic<std::size_t> next_tokens{0}, next_tasks{0};
    // Not std::barrier, which with libstdc++ sleeps for ever where there is no futex:
    // core/epoch.hpp.
    std::atomic<int> here{0};
    std::vector<trilobit::status> found(static_cast<std::size_t>(p.threads()));
    const auto work = [&](int thread) {
        trilobit::status& s = found[static_cast<std::size_t>(thread)];
        for (std::size_t i; s.ok() && (i = next_tokens++) < token_ranges.size();)
            s = quantise(token_ranges[i].begin, token_ranges[i].end, memory.data());
        for (++here; here < p.threads();) std::this_thread::yield();
        for (std::size_t i; s.ok() && (i = next_tasks++) < tasks.size();)
            s = p.run(tasks[i].begin, tasks[i].end, thread, memory.data());
    };
    {
        std::vector<std::jthread> others;
        for (int t = 1; t < p.threads(); ++t) others.emplace_back(work, t);
        work(0);
    }
    for (const trilobit::status& s : found)
        if (!s.ok()) return s;
    return {};
}

}  // namespace matmul_test
