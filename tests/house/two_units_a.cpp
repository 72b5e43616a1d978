// SPDX-License-Identifier: MIT
// Two translation units include the umbrella and multiply; linked, they must still be one program:
// every definition of the library is inline. This one also compares the two.
#include "product.hpp"

float product_error_elsewhere();

int main() {
    const float here = house::product_error();
    const float there = product_error_elsewhere();
    return here >= 0.0f && here < 1e-5f && here == there ? 0 : 1;
}
