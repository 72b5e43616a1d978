// SPDX-License-Identifier: MIT
// Room integrations. Enters: how many threads the host wishes, or TRILOBIT_THREADS. Leaves: an
// executor of as many: the host's own OpenMP team where it has one, since two teams that wait in
// loops take each other's processors; else threads of ours, which then sleep between products.
#pragma once

#include <trilobit/core/executor.hpp>
#include <trilobit/core/thread_pool.hpp>

#include <atomic>
#include <memory>
#include <type_traits>

#include "integrations/ggml/host.hpp"

namespace tbx::ggml {

class team {
    int wanted = 1;
    bool host_has_more = false;  // than the thread that calls
    std::unique_ptr<trilobit::thread_pool> own;

    template <class F>
    struct job {
        F& f;
        std::int64_t last, grain;
        std::atomic<std::int64_t> next;

        static void run(void* self) {
            auto& j = *static_cast<job*>(self);
            for (std::int64_t at; (at = j.next.fetch_add(j.grain)) < j.last;)
                j.f(at, at + j.grain < j.last ? at + j.grain : j.last);
        }
    };

public:
    explicit team(int threads) { resize(threads); }

    static constexpr int most = 512;
    static inline int wished = 0;  // by TRILOBIT_THREADS; 0: as many as the host has

    void resize(int threads) {
        const bool more = threads > 1;
        if (wished != 0) threads = wished;
        threads = threads < 1 ? 1 : threads > most ? most : threads;
        if (threads == wanted && more == host_has_more) return;
        wanted = threads;
        host_has_more = more;
        own.reset();
        if (the_host.openmp_parallel == nullptr && threads > 1)
            own = std::make_unique<trilobit::thread_pool>(threads, !host_has_more);
    }
    [[nodiscard]] int concurrency() const noexcept { return wanted; }

    template <class F>
    void operator()(std::int64_t first, std::int64_t last, std::int64_t grain, F&& f) {
        if (first >= last) return;
        if (own != nullptr) return (*own)(first, last, grain, f);
        if (wanted == 1) return f(first, last);
        using function = std::remove_reference_t<F>;
        job<function> all{f, last, grain > 0 ? grain : 1, first};
        the_host.openmp_parallel(&job<function>::run, &all, static_cast<unsigned>(wanted), 0);
    }
};

}  // namespace tbx::ggml
