// SPDX-License-Identifier: MIT
// Enters: the facts of a machine that no processor is. Leaves: proof that the kernels of a back end
// that states them is exact against the oracle. A file of its own: emulated registers take a minute
// to compile.
#include <catch2/catch_test_macros.hpp>

#include "pretend.hpp"
#include "trilobit/testing/conformance.hpp"

TEST_CASE("kernels are exact on any machine that states its facts", "[kernel]") {
    trilobit::testing::kernel_check_options options;
    options.cases = 8;
    options.max_work = 20'000;
    options.adversarial_cols = 4200;
    const trilobit::testing::report found =
        trilobit::testing::check_kernels(trilobit::kernel_table_of<pretend::plain>, options);
    INFO(found.text);
    CHECK(found.ok);
}
