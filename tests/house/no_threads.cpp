// SPDX-License-Identifier: MIT
// The umbrella where the standard library has no threads, as libstdc++ is built for bare metal.
#include <version>

#undef _GLIBCXX_HAS_GTHREADS
#include "product.hpp"

#if defined(__GLIBCXX__) && TRILOBIT_HAS_THREADS
#error "threads are believed to be there"
#endif

int main() {
    const float error = house::product_error();
    return error >= 0.0f && error < 1e-5f ? 0 : 1;
}
