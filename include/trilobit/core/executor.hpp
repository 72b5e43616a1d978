// SPDX-License-Identifier: MIT
// Room core. Enters: an index range and a function. Leaves: the function called on ranges that
// together are the whole, by whatever threads the caller brings.
//
// An executor is anything callable as e(first, last, grain, f): it calls f(begin, end) on disjoint
// ranges that cover [first, last), each a multiple of `grain` long but the last, and returns when
// all are done. concurrency() says for how many threads work is cut. Which thread runs what never
// changes a result: every output element belongs to one range.
#pragma once

#include "trilobit/version.hpp"

#include <algorithm>
#include <atomic>
#include <concepts>
#include <cstdint>
#include <memory>
#include <type_traits>

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI {

namespace detail {
struct any_range_function {
    void operator()(std::int64_t, std::int64_t) const noexcept {}
};
}  // namespace detail

template <class E>
concept executor = requires(E& e, std::int64_t n, detail::any_range_function f) {
    e(n, n, n, f);
    { e.concurrency() } -> std::convertible_to<int>;
};

/// Runs everything on the calling thread.
struct serial {
    template <class F>
    void operator()(std::int64_t first, std::int64_t last, std::int64_t /*grain*/, F&& f) const {
        if (first < last) f(first, last);
    }
    [[nodiscard]] static constexpr int concurrency() noexcept { return 1; }
};

namespace detail {
inline constexpr serial calling_thread{};
}  // namespace detail

/// Any executor by reference, as two function pointers: what takes it is no template. The executor
/// outlives it. Made of nothing, it is serial.
class executor_ref {
    struct function {
        void (*call)(void*, std::int64_t, std::int64_t);
        void* context;
        void operator()(std::int64_t begin, std::int64_t end) const { call(context, begin, end); }
    };
    void* self;
    void (*run)(void*, std::int64_t, std::int64_t, std::int64_t, function);
    int (*count)(void*);

    static void* erased(const void* of) noexcept { return const_cast<void*>(of); }

public:
    executor_ref() noexcept : executor_ref(detail::calling_thread) {}
    template <class E>
        requires(!std::is_same_v<std::remove_const_t<E>, executor_ref> && executor<E>)
    executor_ref(E& e) noexcept
        : self(erased(std::addressof(e))),
          run([](void* of, std::int64_t first, std::int64_t last, std::int64_t grain, function f) {
              (*static_cast<E*>(of))(first, last, grain, f);
          }),
          count([](void* of) -> int { return static_cast<E*>(of)->concurrency(); }) {}

    template <class F>
    void operator()(std::int64_t first, std::int64_t last, std::int64_t grain, F&& f) const {
        using type = std::remove_reference_t<F>;
        run(self, first, last, grain,
            {[](void* of, std::int64_t begin, std::int64_t end) {
                 (*static_cast<type*>(of))(begin, end);
             },
             erased(std::addressof(f))});
    }
    [[nodiscard]] int concurrency() const { return count(self); }
};

/// Consecutive numbers, the last one not included.
struct index_range {
    std::int64_t begin = 0, end = 0;
};

/// What thread `i` of `n` takes of `count`: consecutive numbers, at most one more than another.
constexpr index_range range_of(std::int64_t count, std::int64_t i, std::int64_t n) noexcept {
    const std::int64_t each = count / n, more = count % n;
    return {each * i + std::min(i, more), each * (i + 1) + std::min(i + 1, more)};
}

namespace detail {

/// How many numbers at a time of a thread's `count`: who is late or slow holds up the others for
/// half as many. Four, where there are enough: some kernels do four tasks at once.
constexpr std::int64_t grain_of(std::int64_t count) noexcept {
    return std::max({std::int64_t{1}, count / 16, std::min<std::int64_t>(count / 4, 4)});
}

/// How many of a thread's numbers are taken.
struct alignas(64) taken_numbers {
    std::atomic<std::int64_t> count{0};
};

/// f(begin, end, i) for all of [0, count), where no two calls at once have the same i, of 0 to
/// n - 1. Each of the n first takes its own range, then what others have not come to. `taken` is
/// n, all 0.
template <class F>
void spread_numbered(executor_ref run, std::int64_t count, int n, taken_numbers* taken,
                     const F& f) {
    const auto all_ranges = [&](int i) {
        for (int k = 0; k < n; ++k) {
            const int whose = (i + k) % n;
            const index_range of = range_of(count, whose, n);
            const std::int64_t grain = grain_of(of.end - of.begin);
            const auto next = [&] {
                return of.begin + taken[whose].count.fetch_add(grain, std::memory_order_relaxed);
            };
            for (std::int64_t at; (at = next()) < of.end;) f(at, std::min(at + grain, of.end), i);
        }
    };
    run(0, n, 1, [&](std::int64_t begin, std::int64_t end) {
        for (; begin < end; ++begin) all_ranges(static_cast<int>(begin));
    });
}

}  // namespace detail

}  // namespace trilobit::inline TRILOBIT_ABI

#include "trilobit/core/end.hpp"
