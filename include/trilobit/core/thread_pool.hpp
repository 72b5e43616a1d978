// SPDX-License-Identifier: MIT
// Room core. Enters: an index range and a function. Leaves: the function run by threads that stay.
//
// One matrix-vector product lasts tens of microseconds, as long as waking a thread from a condition
// variable. So workers spin for a while after each job before they sleep, and the caller never
// waits for a worker that has not joined: if it arrives late, the work is already done. General
// pools queue and allocate per task, which costs more than the job; this one does neither.
//
// Each thread has a share of its own, one run of consecutive pieces, and takes from the others'
// only when that is done: a thread that streams weights from memory starts anew at each jump, which
// costs it more than a microsecond.
#pragma once

#include "trilobit/version.hpp"

#include "trilobit/core/config.hpp"

#if !TRILOBIT_HAS_THREADS
#error \
    "trilobit: this standard library has no threads. trilobit::serial is the executor without them."
#endif

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <thread>
#include <type_traits>

#include "trilobit/core/epoch.hpp"

// Nothing of immintrin.h: g++ warns of what it inlines from there unless arch.hpp has included it.
#if defined(_MSC_VER)
#include <intrin.h>
#endif

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI {

class thread_pool {
    struct job {
        void (*call)(void*, std::int64_t, std::int64_t) = nullptr;
        void* context = nullptr;
        std::int64_t first = 0, last = 0, grain = 1;
        std::uint64_t tag = 0;  // of this job, in the upper half
    };
    /// Pieces of one thread's share that are taken; a count with an older tag is of an older job,
    /// which spares the caller from clearing the counts of many threads.
    struct alignas(64) share {
        std::atomic<std::uint64_t> taken{0};
    };

    // Longer than the gap between two products of one token, shorter than anything a person or a
    // battery would notice. By the clock: a pause takes 10 ns on one processor and 50 on the next,
    // and who has fallen asleep comes 20 to 40 us late.
    static constexpr std::chrono::microseconds spin_before_sleep{200};

    // In one cache line, which is all that a worker has to fetch, and the caller from those who
    // watch.
    alignas(64) job current;
    epoch jobs;                              // one more for each; woken sleepers watch it
    std::atomic<bool> open{false};           // may a worker still join `current`?
    alignas(64) std::atomic<int> joined{0};  // workers inside `current`
    std::atomic<bool> stopping{false};
    std::atomic<int> busy{0};  // of an int: RISC-V exchanges bytes in a library of its own
    int workers = 0;
    bool spin = true;
    std::unique_ptr<share[]> shares;  // the caller's, then each worker's
    /// Ends the threads that were started, even if the system refused another and the constructor
    /// throws. The last member: they use the others.
    struct team {
        thread_pool& pool;
        std::unique_ptr<std::thread[]> threads;
        ~team() {
            pool.stopping.store(true, std::memory_order_release);
            pool.jobs.rise();
            for (int i = 0; i < pool.workers; ++i)
                if (std::thread& t = threads[static_cast<std::size_t>(i)]; t.joinable()) t.join();
        }
    } started;

    static void pause() noexcept {
#if defined(__GNUC__) && (defined(__x86_64__) || defined(__i386__))
        __builtin_ia32_pause();
#elif defined(_M_X64)
        _mm_pause();
#elif defined(__aarch64__) && defined(__GNUC__)
        __asm__ volatile("yield");
#endif
    }

    /// Returns when `jobs` is no longer `seen`, or after a while.
    void await_change(std::uint32_t seen) const noexcept {
        const auto until = std::chrono::steady_clock::now() + spin_before_sleep;
        do {
            for (int i = 0; i < 32; ++i) {
                if (jobs.now(std::memory_order_acquire) != seen) return;
                pause();
            }
        } while (std::chrono::steady_clock::now() < until);
    }

    /// The next piece of a share, or -1.
    static std::int64_t take(share& from, std::uint64_t tag, std::int64_t pieces) noexcept {
        std::uint64_t seen = from.taken.load(std::memory_order_relaxed);
        for (;;) {
            const std::uint64_t count = (seen ^ tag) >> 32 == 0 ? seen - tag : 0;
            if (count >= static_cast<std::uint64_t>(pieces)) return -1;
            if (from.taken.compare_exchange_weak(seen, tag + count + 1, std::memory_order_relaxed))
                return static_cast<std::int64_t>(count);
        }
    }

    void take_pieces(int self) noexcept {
        const job mine = current;
        const int all = workers + 1;
        const std::int64_t pieces = (mine.last - mine.first + mine.grain - 1) / mine.grain;
        const std::int64_t each = pieces / all, more = pieces % all;
        for (int i = 0; i < all; ++i) {
            const int whose = (self + i) % all;
            const std::int64_t before = whose * each + std::min<std::int64_t>(whose, more);
            const std::int64_t count = each + (whose < more ? 1 : 0);
            for (std::int64_t p;
                 (p = take(shares[static_cast<std::size_t>(whose)], mine.tag, count)) >= 0;) {
                const std::int64_t begin = mine.first + (before + p) * mine.grain;
                mine.call(mine.context, begin, std::min(begin + mine.grain, mine.last));
            }
        }
    }

    void serve(int self) noexcept {
        std::uint32_t seen = 0;
        for (;;) {
            if (spin) await_change(seen);
            jobs.sleep_while(seen);
            seen = jobs.now(std::memory_order_acquire);
            if (stopping.load(std::memory_order_acquire)) return;
            // Sequentially consistent on purpose: either the caller, having closed the job, sees
            // this worker inside and waits, or the worker sees it closed and touches nothing.
            joined.fetch_add(1);
            if (open.load()) take_pieces(self);
            joined.fetch_sub(1);
        }
    }

public:
    /// `concurrency` counts the calling thread; at least 1, at most 1024. Workers spin between jobs
    /// only when the machine has a processor for each, and never without `may_spin`: in a program
    /// whose other threads spin as well, they would take the processors from each other.
    explicit thread_pool(int concurrency, bool may_spin = true)
        : workers(std::clamp(concurrency, 1, 1024) - 1),
          spin(may_spin && static_cast<unsigned>(workers) < std::thread::hardware_concurrency()),
          shares(std::make_unique<share[]>(static_cast<std::size_t>(workers) + 1)),
          started{*this, std::make_unique<std::thread[]>(static_cast<std::size_t>(workers))} {
        for (int i = 0; i < workers; ++i)
            started.threads[static_cast<std::size_t>(i)] = std::thread([this, i] { serve(i + 1); });
    }
    thread_pool(const thread_pool&) = delete;
    thread_pool& operator=(const thread_pool&) = delete;

    [[nodiscard]] int concurrency() const noexcept { return workers + 1; }

    /// A call from inside a job, or from a second thread while a job runs, is run by its caller.
    template <class F>
    void operator()(std::int64_t first, std::int64_t last, std::int64_t grain, F&& f) {
        if (first >= last) return;
        // A count of pieces has 32 bits.
        const std::int64_t least = std::max<std::int64_t>(grain, 1);
        const std::int64_t step = least * (((last - first) >> 31) / least + 1);
        if (workers == 0 || last - first <= step || busy.exchange(true, std::memory_order_acquire))
            return f(first, last);
        using function = std::remove_reference_t<F>;
        current = {[](void* context, std::int64_t begin, std::int64_t end) {
                       (*static_cast<function*>(context))(begin, end);
                   },
                   const_cast<void*>(static_cast<const void*>(std::addressof(f))),
                   first,
                   last,
                   step,
                   std::uint64_t{jobs.now(std::memory_order_relaxed) + 1} << 32};
        open.store(true);
        jobs.rise();
        take_pieces(0);
        open.store(false);
        while (joined.load() != 0) pause();
        busy.store(false, std::memory_order_release);
    }
};

}  // namespace trilobit::inline TRILOBIT_ABI

#include "trilobit/core/end.hpp"
