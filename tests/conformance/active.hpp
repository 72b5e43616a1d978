// SPDX-License-Identifier: MIT
// Shared by the conformance tests. Enters: TRILOBIT_ARCH. Leaves: the kernels to test; a back end
// that this processor lacks skips the case, any other reason not to have it is a failure.
#pragma once

#include <catch2/catch_test_macros.hpp>
#include <cstdlib>

#include "trilobit/dispatch/cpu.hpp"
#include "trilobit/dispatch/dispatch.hpp"

namespace conformance {

inline const trilobit::kernel_table& active_table() {
    const auto table = trilobit::dispatch::active();
    if (!table.ok()) {
        const char* wanted = std::getenv("TRILOBIT_ARCH");
        INFO(table.error().text);
        REQUIRE(wanted != nullptr);
        bool known = false;
        trilobit::any_type(trilobit::archs{}, [&]<class A>() { return known = A::name == wanted; });
        REQUIRE(known);
        REQUIRE_FALSE(trilobit::dispatch::cpu::detect().has(wanted));
        SKIP("This processor has no " << wanted << ".");
    }
    return *table.value();
}

}  // namespace conformance
