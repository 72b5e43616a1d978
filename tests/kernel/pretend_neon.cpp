// SPDX-License-Identifier: MIT
#include "pretend_kernels.hpp"

TEST_CASE("kernels are exact on any machine that states its facts: neon", "[kernel]") {
    pretend::check_kernels<pretend::neon>();
}
