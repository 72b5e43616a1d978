// SPDX-License-Identifier: MIT
// Every kernel of a back end that no processor has, against the oracle. A file for each of them:
// emulated registers take a minute to compile.
#pragma once

#include <catch2/catch_test_macros.hpp>

#include "pretend.hpp"
#include "trilobit/testing/conformance.hpp"

namespace pretend {

template <arch Machine>
void check_kernels() {
    trilobit::testing::kernel_check_options options;
    options.cases = 8;
    options.max_work = 20'000;
    options.adversarial_cols = 4200;
    const trilobit::testing::report found =
        trilobit::testing::check_kernels(trilobit::kernel_table_of<Machine>, options);
    INFO(found.text);
    CHECK(found.ok);
}

}  // namespace pretend
