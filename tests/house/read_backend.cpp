// SPDX-License-Identifier: MIT
// Every kernel of one back end: whoever compiles this with ARCH as its name sees all that its
// compiler has to say.
#include <trilobit/dispatch/kernels.hpp>

extern const trilobit::kernel_table table;
constinit const trilobit::kernel_table table =
    trilobit::dispatch::kernels_of<trilobit::arch::ARCH>::table;
