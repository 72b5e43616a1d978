// SPDX-License-Identifier: MIT
// Room core. Enters: an index range and a function. Leaves: the function run by threads that stay.
//
// One matrix-vector product lasts tens of microseconds, as long as waking a thread from a condition
// variable. So workers spin for a while after each job before they sleep, and the caller never
// waits for a worker that has not joined: if it arrives late, the work is already done. General
// pools queue, steal and allocate per task, which costs more than the job; this one does none.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>
#include <type_traits>

#if defined(__x86_64__) || defined(__i386__) || defined(_M_X64)
#include <immintrin.h>
#endif

namespace trilobit {

class thread_pool {
    struct job {
        void (*call)(void*, std::int64_t, std::int64_t) = nullptr;
        void* context = nullptr;
        std::int64_t last = 0;
        std::int64_t grain = 1;
    };

    // About 50 us of pauses: longer than the gap between two products of one token, shorter than
    // anything a person or a battery would notice.
    static constexpr int spins_before_sleep = 2000;

    job current;
    alignas(64) std::atomic<std::uint32_t> epoch{
        0};                                     // one more for each job; woken sleepers watch it
    alignas(64) std::atomic<bool> open{false};  // may a worker still join `current`?
    alignas(64) std::atomic<int> joined{0};     // workers inside `current`
    alignas(64) std::atomic<std::int64_t> next{0};  // first index nobody has taken
    std::atomic<bool> stopping{false};
    std::atomic<bool> busy{false};
    int workers = 0;
    bool spin = true;
    std::unique_ptr<std::thread[]> threads;

    static void pause() noexcept {
#if defined(__x86_64__) || defined(__i386__) || defined(_M_X64)
        _mm_pause();
#elif defined(__aarch64__) && defined(__GNUC__)
        __asm__ volatile("yield");
#endif
    }

    void take_pieces() noexcept {
        const job mine = current;
        for (;;) {
            const std::int64_t begin = next.fetch_add(mine.grain, std::memory_order_relaxed);
            if (begin >= mine.last) return;
            mine.call(mine.context, begin, std::min(begin + mine.grain, mine.last));
        }
    }

    void serve() noexcept {
        std::uint32_t seen = 0;
        for (;;) {
            for (int i = 0; spin && i < spins_before_sleep; ++i) {
                if (epoch.load(std::memory_order_acquire) != seen) break;
                pause();
            }
            epoch.wait(seen, std::memory_order_acquire);
            seen = epoch.load(std::memory_order_acquire);
            if (stopping.load(std::memory_order_acquire)) return;
            // Sequentially consistent on purpose: either the caller, having closed the job, sees
            // this worker inside and waits, or the worker sees it closed and touches nothing.
            joined.fetch_add(1);
            if (open.load()) take_pieces();
            joined.fetch_sub(1);
        }
    }

public:
    /// `concurrency` counts the calling thread; at least 1, at most 1024. Workers spin between jobs
    /// only when the machine has a processor for each.
    explicit thread_pool(int concurrency)
        : workers(std::clamp(concurrency, 1, 1024) - 1),
          spin(static_cast<unsigned>(workers) < std::thread::hardware_concurrency()),
          threads(std::make_unique<std::thread[]>(static_cast<std::size_t>(workers))) {
        for (int i = 0; i < workers; ++i)
            threads[static_cast<std::size_t>(i)] = std::thread([this] { serve(); });
    }
    thread_pool(const thread_pool&) = delete;
    thread_pool& operator=(const thread_pool&) = delete;
    ~thread_pool() {
        stopping.store(true, std::memory_order_release);
        epoch.fetch_add(1, std::memory_order_release);
        epoch.notify_all();
        for (int i = 0; i < workers; ++i) threads[static_cast<std::size_t>(i)].join();
    }

    [[nodiscard]] int concurrency() const noexcept { return workers + 1; }

    /// A call from inside a job, or from a second thread while a job runs, is run by its caller.
    template <class F>
    void operator()(std::int64_t first, std::int64_t last, std::int64_t grain, F&& f) {
        if (first >= last) return;
        const std::int64_t step = std::max<std::int64_t>(grain, 1);
        if (workers == 0 || last - first <= step || busy.exchange(true, std::memory_order_acquire))
            return f(first, last);
        using function = std::remove_reference_t<F>;
        current = {[](void* context, std::int64_t begin, std::int64_t end) {
                       (*static_cast<function*>(context))(begin, end);
                   },
                   const_cast<void*>(static_cast<const void*>(std::addressof(f))), last, step};
        next.store(first, std::memory_order_relaxed);
        open.store(true);
        epoch.fetch_add(1, std::memory_order_release);
        epoch.notify_all();
        take_pieces();
        open.store(false);
        while (joined.load() != 0) pause();
        busy.store(false, std::memory_order_release);
    }
};

}  // namespace trilobit
