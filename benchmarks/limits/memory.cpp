// SPDX-License-Identifier: MIT
// Room limits. Enters: a number of threads. Leaves: how fast they read memory that no cache holds,
// from small and from large pages.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <utility>
#include <vector>

#include "limits/limits.hpp"
#include "limits/loops.hpp"
#include "limits/threads.hpp"
#include "trilobit/core/aligned_buffer.hpp"

#if defined(__unix__) || defined(__APPLE__)
#include <sys/mman.h>
#include <unistd.h>
#endif

namespace trilobit_limits {
namespace {

constexpr std::size_t huge_page = trilobit::aligned_buffer::huge_page, small_page = 4096;

/// Pages of one size, if the system agrees: it is asked before anything is written. The library's
/// own buffer asks for large pages too, so weights and limit see the same memory.
trilobit::aligned_buffer pages(std::size_t bytes, [[maybe_unused]] bool huge) {
    trilobit::aligned_buffer buffer(bytes);
#if defined(__linux__)
    if (buffer.data() != nullptr)
        (void)::madvise(buffer.data(), bytes, huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
#endif
    return buffer;
}

double median(std::vector<double> values) {
    if (values.empty()) return 0;
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    return *middle;
}

}  // namespace

std::size_t cold_bytes() {
    // For tests, which ask whether, not how fast.
    if (const char* mib = std::getenv("TRILOBIT_COLD_MIB"); mib != nullptr && std::atol(mib) > 0)
        return static_cast<std::size_t>(std::min(std::atol(mib), 1L << 20)) << 20;
    std::size_t wanted = std::size_t{256} << 20;
#if defined(_SC_LEVEL3_CACHE_SIZE) && defined(_SC_AVPHYS_PAGES)
    const long l3 = ::sysconf(_SC_LEVEL3_CACHE_SIZE), free_pages = ::sysconf(_SC_AVPHYS_PAGES);
    if (l3 > 0) wanted = std::max(wanted, static_cast<std::size_t>(l3) / 2 * 5);
    if (free_pages > 0)
        wanted = std::min(wanted, static_cast<std::size_t>(free_pages) / 4 *
                                      static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)));
#endif
    return std::max(wanted / huge_page, std::size_t{1}) * huge_page;
}

struct memory_probe::state {
    int threads;
    const arch_loops* loops;
    std::size_t bytes;  // of each buffer; every thread reads a slice of its own
    trilobit::aligned_buffer buffers[2];
    std::vector<double> speeds[2];
    std::size_t rounds = 0;
    std::size_t loop = 0;  // of loops->reads, the fastest here

    [[nodiscard]] std::pair<std::byte*, std::size_t> slice(int page, int thread) {
        const std::size_t each = bytes / static_cast<std::size_t>(threads) / huge_page * huge_page;
        return {buffers[page].data() + each * static_cast<std::size_t>(thread), each};
    }
    /// A round reads one part of each slice: by the time it comes round again, all the others and
    /// the other buffer have been through the cache.
    [[nodiscard]] std::pair<std::byte*, std::size_t> part(int page, int thread) {
        constexpr std::size_t parts = 4;
        const auto [data, size] = slice(page, thread);
        const std::size_t each = size / parts / small_page * small_page;
        return {data + each * (rounds % parts), each};
    }
    /// Seconds that all threads take for their parts of this round.
    double read(int page) {
        std::atomic<std::uint64_t> sink{0};
        return run_together(threads, [&](int thread) {
            const auto [data, size] = part(page, thread);
            sink.fetch_add(loops->reads[loop](data, size));
        });
    }
    /// Whether prefetches help is the processor's affair: a limit is what the better loop reads.
    void choose_loop() {
        double seconds[2] = {};
        for (; rounds < 8; ++rounds) {
            loop = rounds % 2;
            seconds[loop] += read(1);
        }
        loop = seconds[0] <= seconds[1] ? 0 : 1;
    }
};

memory_probe::memory_probe(int threads) : own(std::make_unique<state>()) {
    own->threads = std::max(threads, 1);
    own->loops = &all_loops::best();
    own->bytes = std::max(cold_bytes(), huge_page * static_cast<std::size_t>(own->threads));
    for (int page = 0; page < 2; ++page) {
        own->buffers[page] = pages(own->bytes, page == 1);
        if (own->buffers[page].data() == nullptr) own->bytes = 0;
    }
    if (own->bytes == 0) return;
    // Each thread writes its slice first, which puts it into the memory nearest to it. Not zeros:
    // some systems keep pages of zeros as one.
    for (int page = 0; page < 2; ++page)
        run_together(own->threads, [&](int thread) {
            const auto [data, size] = own->slice(page, thread);
            std::memset(data, 0x5a + page, size);
        });
    own->choose_loop();
}
memory_probe::~memory_probe() = default;
memory_probe::memory_probe(memory_probe&&) noexcept = default;
memory_probe& memory_probe::operator=(memory_probe&&) noexcept = default;

read_bandwidth memory_probe::round() {
    read_bandwidth better;
    if (own->bytes == 0) return better;
    for (int page = 0; page < 2; ++page) {
        const double seconds = own->read(page);
        const double read = static_cast<double>(own->part(page, 0).second) * own->threads;
        own->speeds[page].push_back(read / seconds * 1e-9);
        if (own->speeds[page].back() > better.gb_per_s)
            better = {own->speeds[page].back(), page == 1 ? huge_page : small_page};
    }
    ++own->rounds;
    return better;
}

read_bandwidth memory_probe::best() const {
    const double small = median(own->speeds[0]), huge = median(own->speeds[1]);
    return small > huge ? read_bandwidth{small, small_page} : read_bandwidth{huge, huge_page};
}

std::size_t memory_probe::buffer_bytes() const { return own->bytes; }

read_bandwidth measure_read_bandwidth(int threads) {
    memory_probe probe(threads);
    for (int i = 0; i < 5; ++i) probe.round();
    return probe.best();
}

}  // namespace trilobit_limits
