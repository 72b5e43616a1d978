// SPDX-License-Identifier: MIT
// Every kernel of the active back end against the oracle, bit for bit.
#include <catch2/catch_template_test_macros.hpp>

#include "trilobit/testing/conformance.hpp"

#include "active.hpp"

#if defined(TRILOBIT_TEST_SMALL)
#define TRILOBIT_TEST_CASES 8
#define TRILOBIT_TEST_WIDEST 4096
#else
#define TRILOBIT_TEST_CASES 240
#define TRILOBIT_TEST_WIDEST trilobit::max_cols
#endif

using namespace trilobit;

namespace {

/// Nothing but what a case asks for.
testing::kernel_check_options none() {
    testing::kernel_check_options options;
    options.cases = 0;
    options.adversarial_cols = options.tall_rows = 0;
    return options;
}

template <class Layout>
void check(const testing::kernel_check_options& options) {
    const kernel_table& table = conformance::active_table();
    const testing::report found = testing::check_kernels(table, type_list<Layout>{}, options);
    INFO(found.text);
    CHECK(found.ok);
}

}  // namespace

TEMPLATE_LIST_TEST_CASE("every kernel gives the oracle's bits", "[kernels]", layouts) {
    testing::kernel_check_options options = none();
    options.cases = TRILOBIT_TEST_CASES;
    check<TestType>(options);
}

TEMPLATE_LIST_TEST_CASE("sums at their bounds stay exact up to the widest matrix", "[kernels]",
                        layouts) {
    testing::kernel_check_options options = none();
    options.adversarial_cols = TRILOBIT_TEST_WIDEST;
    check<TestType>(options);
}

TEMPLATE_LIST_TEST_CASE("more rows in one call than a block has give the oracle's bits",
                        "[kernels]", layouts) {
    testing::kernel_check_options options = none();
    options.tall_rows = testing::kernel_check_options{}.tall_rows;
    check<TestType>(options);
}
