// SPDX-License-Identifier: MIT
// Compiled with -fno-exceptions -fno-rtti: the library needs neither.
#include "product.hpp"

int main() {
    const float error = house::product_error();
    return error >= 0.0f && error < 1e-5f ? 0 : 1;
}
