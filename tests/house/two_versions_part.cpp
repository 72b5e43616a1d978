// SPDX-License-Identifier: MIT
// A part of a program that carries two versions of the headers (see two_versions.cpp): packs and
// multiplies, and returns the version that its packed bytes begin with, or -1.
#include <trilobit/trilobit.hpp>

int TRILOBIT_PART() {
    float w[16 * 64] = {1, -1, 1}, x[64] = {1}, y[16];
    const auto packed = trilobit::pack<trilobit::layout::ternary_2bit>({w, 16, 64});
    if (!trilobit::matmul(packed, {x, 1, 64}, {y, 1, 16}).ok()) return -1;
    return std::to_integer<int>(packed.bytes()[8]);
}
