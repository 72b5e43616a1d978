// SPDX-License-Identifier: MIT
// The other translation unit of two_units_a.cpp.
#include "product.hpp"

float product_error_elsewhere() { return house::product_error(); }
