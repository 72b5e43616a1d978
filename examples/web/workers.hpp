// SPDX-License-Identifier: MIT
// Room web. Enters: workers of the page, which share the module's memory and call serve(). Leaves:
// an executor of the library that they run. Standard threads there are none: a worker is started by
// JavaScript (engine.mjs), and waits and is woken by WebAssembly's own two instructions.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <type_traits>

#include "host.hpp"

namespace tbx::web {

class workers {
    struct job {
        void (*call)(void*, std::int64_t, std::int64_t) = nullptr;
        void* context = nullptr;
        std::int64_t last = 0, grain = 1;
    };

    // A product of one token takes 50 us to a few milliseconds, and a worker that sleeps comes late
    // by as much as a short one takes.
    static constexpr int spins = 1 << 14;

    job current;
    std::atomic<std::int64_t> next{0};  // first number that nobody has taken
    std::atomic<std::int32_t> epoch{0};
    std::atomic<std::int32_t> joined{0};  // workers inside `current`
    std::atomic<bool> open{false};        // may one still join?
    std::atomic<bool> died{false};
    std::atomic<bool> busy{false};
    int count = 1;

    static std::int32_t* word(std::atomic<std::int32_t>& of) {
        static_assert(sizeof of == sizeof(std::int32_t));
        return reinterpret_cast<std::int32_t*>(&of);
    }

    void take() {
        const job mine = current;
        for (std::int64_t at; (at = next.fetch_add(mine.grain)) < mine.last;)
            mine.call(mine.context, at, std::min(at + mine.grain, mine.last));
    }

public:
    [[nodiscard]] int concurrency() const noexcept { return count; }
    void use(int threads) noexcept { count = std::max(threads, 1); }

    /// What a worker does for all its life.
    [[noreturn]] void serve() {
        for (std::int32_t seen = 0;;) {
            for (int i = 0; i < spins && epoch.load() == seen; ++i) {}
            while (epoch.load() == seen)
                (void)__builtin_wasm_memory_atomic_wait32(word(epoch), seen, -1);
            seen = epoch.load();
            // Either the caller, having closed the job, sees this one inside and waits, or this one
            // sees it closed and touches nothing.
            joined.fetch_add(1);
            if (open.load()) take();
            joined.fetch_sub(1);
        }
    }
    /// A worker has left serve() by an exception, in the middle of its work.
    void lost() noexcept {
        died.store(true);
        joined.fetch_sub(1);
    }

    template <class F>
    void operator()(std::int64_t first, std::int64_t last, std::int64_t grain, F&& f) {
        if (first >= last) return;
        grain = std::max<std::int64_t>(grain, 1);
        if (count == 1 || last - first <= grain || busy.exchange(true)) return f(first, last);
        using function = std::remove_reference_t<F>;
        current = {[](void* context, std::int64_t begin, std::int64_t end) {
                       (*static_cast<function*>(context))(begin, end);
                   },
                   const_cast<void*>(static_cast<const void*>(std::addressof(f))), last, grain};
        next.store(first);
        open.store(true);
        epoch.fetch_add(1);
        (void)__builtin_wasm_memory_atomic_notify(word(epoch), static_cast<unsigned>(count));
        take();
        open.store(false);
        while (joined.load() != 0) {}
        busy.store(false);
        if (died.load()) fail("a thread of the engine has stopped");
    }
};

inline workers team;

}  // namespace tbx::web
