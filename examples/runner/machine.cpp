// SPDX-License-Identifier: MIT
// Room examples/runner. Enters: threads. Leaves: measurements of the machine; see machine.hpp.
#include "runner/machine.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>

#include "support/error.hpp"

#if defined(__unix__) || defined(__APPLE__)
#include <sys/mman.h>
#include <sys/resource.h>
#endif

namespace tbx::runner {
namespace {

constexpr std::int64_t buffer_bytes = std::int64_t{512} << 20;

/// Zeroed pages of a wanted size. The system may not grant large ones; then both kinds measure alike.
class pages {
    void* base = nullptr;

public:
    explicit pages(bool large) {
#if defined(__unix__) || defined(__APPLE__)
        base = ::mmap(nullptr, buffer_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (base == MAP_FAILED) throw error("memory", "there is not enough to measure reading it");
#if defined(MADV_HUGEPAGE)
        (void)::madvise(base, buffer_bytes, large ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
#else
        (void)large;
#endif
#else
        (void)large;
        base = ::operator new(buffer_bytes);
#endif
    }
    pages(const pages&) = delete;
    pages& operator=(const pages&) = delete;
    ~pages() {
#if defined(__unix__) || defined(__APPLE__)
        ::munmap(base, buffer_bytes);
#else
        ::operator delete(base);
#endif
    }
    [[nodiscard]] std::uint64_t* words() const noexcept { return static_cast<std::uint64_t*>(base); }
};

// Reads `streams` stretches of [begin, end) in step, a cache line each in turn: memory serves several
// open rows better than one.
std::uint64_t walk(const std::uint64_t* words, std::int64_t begin, std::int64_t end, std::int64_t streams) {
    constexpr std::int64_t line = 8;
    const std::int64_t length = (end - begin) / streams / line * line;
    std::uint64_t sum[line] = {};
    for (std::int64_t i = 0; i < length; i += line)
        for (std::int64_t s = 0; s < streams; ++s) {
            const std::uint64_t* at = words + begin + s * length + i;
            for (std::int64_t w = 0; w < line; ++w) sum[w] += at[w];
        }
    std::uint64_t total = 0;
    for (const std::uint64_t part : sum) total += part;
    return total;
}

}  // namespace

double read_bytes_per_second(trilobit::thread_pool& pool, const std::function<void(double)>& progress) {
    using clock = std::chrono::steady_clock;
    const std::int64_t count = buffer_bytes / 8;
    const std::int64_t threads = pool.concurrency();
    double best = 0;
    int done = 0;
    std::atomic<std::uint64_t> sink{0};  // so that no walk may be left out
    for (const bool large : {true, false}) {
        const pages memory(large);
        std::uint64_t* words = memory.words();
        pool(0, threads, 1, [&](std::int64_t first, std::int64_t last) {
            std::memset(words + first * count / threads, 1,
                        static_cast<std::size_t>((last * count / threads - first * count / threads) * 8));
        });
        for (const std::int64_t streams : {1, 2, 4, 8})
            for (int round = 0; round < 3; ++round) {
                const auto start = clock::now();
                // Small pieces, dealt as they are wanted: a thread that is disturbed holds up none.
                constexpr std::int64_t piece = (std::int64_t{4} << 20) / 8;
                pool(0, count, piece, [&](std::int64_t begin, std::int64_t end) {
                    sink += walk(words, begin, end, streams);
                });
                const double seconds = std::chrono::duration<double>(clock::now() - start).count();
                best = std::max(best, static_cast<double>(buffer_bytes) / seconds);
                if (progress) progress(++done / 24.0);
            }
    }
    return best;
}

std::int64_t peak_resident_bytes() {
#if defined(__unix__) || defined(__APPLE__)
    rusage usage{};
    if (::getrusage(RUSAGE_SELF, &usage) != 0) return 0;
#if defined(__APPLE__)
    return usage.ru_maxrss;
#else
    return std::int64_t{usage.ru_maxrss} * 1024;
#endif
#else
    return 0;
#endif
}

}  // namespace tbx::runner
