// SPDX-License-Identifier: MIT
// Room core. Enters: an index range and a function. Leaves: the function called on pieces that
// together are the range, by whatever threads the caller brings.
//
// An executor is anything callable as e(first, last, grain, f): it calls f(begin, end) on disjoint
// pieces that cover [first, last), each a multiple of `grain` long but the last, and returns when
// all are done. At most concurrency() threads call f at once: each has memory of its own then, and
// one more would wait for another. Which thread runs what never changes a result: every output
// element belongs to one piece.
#pragma once

#include "trilobit/version.hpp"

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

}  // namespace trilobit::inline TRILOBIT_ABI

#include "trilobit/core/end.hpp"
