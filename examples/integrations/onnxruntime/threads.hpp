// SPDX-License-Identifier: MIT
// Room integrations. Enters: a call of the runtime's. Leaves: the threads of its session as an
// executor, and memory for the call.
#pragma once

#include <trilobit/core/executor.hpp>
#include <trilobit/matmul/context.hpp>

#include <algorithm>
#include <memory>
#include <mutex>
#include <thread>
#include <type_traits>
#include <vector>

#include "integrations/onnxruntime/runtime.hpp"

namespace tbx::onnx {

/// The session does not say how many threads it has. Work is cut for as many as there are
/// processors; where there are fewer, those take what the others have not come to.
class session_threads {
    const OrtApi& api;
    const OrtKernelContext* context;

    template <class F>
    struct job {
        F& f;
        std::int64_t first, last, grain;

        static void run(void* self, std::size_t i) {
            const auto& j = *static_cast<job*>(self);
            const std::int64_t begin = j.first + static_cast<std::int64_t>(i) * j.grain;
            j.f(begin, std::min(begin + j.grain, j.last));
        }
    };

public:
    session_threads(const OrtApi& a, const OrtKernelContext* c) noexcept : api(a), context(c) {}

    [[nodiscard]] static int concurrency() noexcept {
        static const int processors =
            static_cast<int>(std::clamp(std::thread::hardware_concurrency(), 1u, 256u));
        return processors;
    }
    template <class F>
    void operator()(std::int64_t first, std::int64_t last, std::int64_t grain, F&& f) const {
        if (first >= last) return;
        using function = std::remove_reference_t<F>;
        grain = std::max(grain, std::int64_t{1});
        job<function> all{f, first, last, grain};
        const auto count = static_cast<std::size_t>((last - first + grain - 1) / grain);
        check(api.KernelContext_ParallelFor(context, &job<function>::run, count, 0, &all));
    }
};

struct call_memory {
    trilobit::workspace plan, floats;
};

/// Memory of calls that have ended, for those to come: as much as ran at once, for all sessions.
class spare_memory {
    std::mutex guard;
    std::vector<std::unique_ptr<call_memory>> idle;

public:
    std::unique_ptr<call_memory> take() {
        {
            const std::lock_guard lock(guard);
            if (!idle.empty()) {
                auto last = std::move(idle.back());
                idle.pop_back();
                return last;
            }
        }
        return std::make_unique<call_memory>();
    }
    void give(std::unique_ptr<call_memory> memory) {
        const std::lock_guard lock(guard);
        idle.push_back(std::move(memory));
    }
};

}  // namespace tbx::onnx
