// SPDX-License-Identifier: MIT
// Room core. Enters: an index range and a function. Leaves: the function run by OpenMP's team.
// Include it from a translation unit built with OpenMP; without it the loop runs serially.
#pragma once

#include "trilobit/version.hpp"

#include <cstdint>

#include "trilobit/core/arithmetic.hpp"

#if defined(_OPENMP)
#include <omp.h>
#endif

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI {

struct openmp {
    template <class F>
    void operator()(std::int64_t first, std::int64_t last, std::int64_t grain, F&& f) const {
        const std::int64_t step = grain > 0 ? grain : 1;
        const std::int64_t pieces = first < last ? ceil_div(last - first, step) : 0;
#if defined(_OPENMP)
#pragma omp parallel for schedule(dynamic, 1)
#endif
        for (std::int64_t i = 0; i < pieces; ++i) {
            const std::int64_t begin = first + i * step;
            f(begin, begin + step < last ? begin + step : last);
        }
    }
    [[nodiscard]] static int concurrency() noexcept {
#if defined(_OPENMP)
        return omp_get_max_threads();
#else
        return 1;
#endif
    }
};

}  // namespace trilobit::inline TRILOBIT_ABI

#include "trilobit/core/end.hpp"
