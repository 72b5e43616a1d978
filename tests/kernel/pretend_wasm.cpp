// SPDX-License-Identifier: MIT
// Enters: the pretended wasm. Leaves: proof of its kernels, see pretend_kernels.hpp.
#include "pretend_kernels.hpp"

TEST_CASE("kernels are exact on any machine that states its facts: wasm", "[kernel]") {
    pretend::check_kernels<pretend::wasm>();
}
