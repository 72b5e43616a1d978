// SPDX-License-Identifier: MIT
// The OpenMP executor, built with OpenMP.
#include "trilobit/core/openmp.hpp"

#include <catch2/catch_test_macros.hpp>
#include <vector>

#include "trilobit/core/executor.hpp"

using namespace trilobit;

static_assert(executor<openmp> && executor<const openmp>);
#if !defined(_OPENMP)
#error "this program is there to be built with OpenMP"
#endif

TEST_CASE("openmp covers the range", "[core]") {
    openmp run;
    CHECK(run.concurrency() >= 1);
    for (const std::int64_t grain : {0, 1, 3, 64, 1000})
        for (const std::int64_t last : {0, 1, 63, 64, 65, 999}) {
            std::vector<int> visits(1000);
            run(std::int64_t{0}, last, grain, [&](std::int64_t begin, std::int64_t end) {
                for (std::int64_t i = begin; i < end; ++i) ++visits[static_cast<std::size_t>(i)];
            });
            int wrong = 0;
            for (std::int64_t i = 0; i < 1000; ++i)
                wrong += visits[static_cast<std::size_t>(i)] != (i < last ? 1 : 0);
            CAPTURE(grain, last);
            CHECK(wrong == 0);
        }
}

TEST_CASE("openmp leaves an empty range alone", "[core]") {
    int calls = 0;
    openmp{}(5, 3, 1, [&](std::int64_t, std::int64_t) { ++calls; });
    CHECK(calls == 0);
}
