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

}  // namespace trilobit::inline TRILOBIT_ABI

#include "trilobit/core/end.hpp"
