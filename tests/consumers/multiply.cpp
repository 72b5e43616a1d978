// SPDX-License-Identifier: MIT
// What a consumer writes first: floats in, packed weights, product out, checked by hand.
#include <trilobit/trilobit.hpp>

#include <cstdio>
#include <vector>

int main() {
    const std::vector<float> weights = {1, -1, 0, 1, 1, -1};  // (2, 3)
    const std::vector<float> x = {1, 2, 3};                   // (1, 3)
    std::vector<float> y(2);                                  // (1, 2)

    const auto packed = trilobit::pack<trilobit::layout::ternary_2bit>(
        trilobit::matrix_view<const float>(weights.data(), 2, 3));
    const auto done = trilobit::matmul(packed, trilobit::matrix_view<const float>(x.data(), 1, 3),
                                       trilobit::matrix_view<float>(y.data(), 1, 2));
    if (!done.ok()) {
        std::printf("%s\n", done.text);
        return 1;
    }
    // The weights are ternary already: their scale is 1. x quantises to 42, 85, 127 of 127/3.
    const float unit = 3.0f / 127.0f;
    const float expected[] = {unit * (42 - 85), unit * (42 + 85 - 127)};
    for (int i = 0; i < 2; ++i) {
        const float error = y[static_cast<std::size_t>(i)] - expected[i];
        if (!(error < 1e-5f && error > -1e-5f)) {
            std::printf("y[%d] is %g, expected %g\n", i,
                        static_cast<double>(y[static_cast<std::size_t>(i)]),
                        static_cast<double>(expected[i]));
            return 1;
        }
    }
    return 0;
}
