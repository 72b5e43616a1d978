// SPDX-License-Identifier: MIT
// Every kernel of the back ends that no processor has, against the oracle.
#include <catch2/catch_template_test_macros.hpp>

#include "pretend.hpp"
#include "trilobit/testing/conformance.hpp"

using namespace trilobit;

TEMPLATE_TEST_CASE("kernels are exact on any machine that states its facts", "[kernel]",
                   pretend::neon, pretend::wasm, pretend::plain) {
    testing::kernel_check_options options;
    options.cases = 8;
    options.max_work = 20'000;
    options.adversarial_cols = 4200;
    const testing::report found = testing::check_kernels(kernel_table_of<TestType>, options);
    INFO(found.text);
    CHECK(found.ok);
}
