// SPDX-License-Identifier: MIT
// Lesson 1. Enters: a float matrix and a float vector. Leaves: their product, from 2 bits a weight,
// beside the product in floats.
//
// Weights become -1, 0 or +1 times one scale (BitNet b1.58's rule: the scale is mean|w|), the
// vector becomes int8 times another. A model that was trained this way loses nothing; random
// weights, as here, lose a good part, and that is the rounding, not the multiplication, which is
// exact.
#include <trilobit/trilobit.hpp>

#include <cmath>
#include <cstdio>
#include <random>
#include <vector>

int main() {
    const std::int64_t rows = 256, cols = 2560;
    std::vector<float> weights(rows * cols), x(cols), y(rows);
    std::mt19937 bits(1);
    std::normal_distribution<float> normal;
    for (float& w : weights) w = normal(bits);
    for (float& v : x) v = normal(bits);

    // Two calls. A failure anywhere (a NaN, a shape that does not fit) is a sentence in the status
    // of the second, so there is one place to look.
    const auto w = trilobit::pack<trilobit::layout::ternary_2bit>({weights.data(), rows, cols});
    const auto s = trilobit::matmul(w, {x.data(), 1, cols}, {y.data(), 1, rows});
    if (!s.ok()) return std::puts(s.text), 1;

    // How far is that from the float product? The cosine of the angle between the two.
    double yy = 0, yf = 0, ff = 0;
    for (std::int64_t n = 0; n < rows; ++n) {
        double f = 0;
        for (std::int64_t k = 0; k < cols; ++k)
            f += double(x[size_t(k)]) * double(weights[size_t(n * cols + k)]);
        const double v = double(y[size_t(n)]);
        yy += v * v, yf += v * f, ff += f * f;
    }
    const double cosine = yf / std::sqrt(yy * ff);
    std::printf("%lld x %lld weights in %zu bytes instead of %zu; cosine with floats %.3f\n",
                static_cast<long long>(rows), static_cast<long long>(cols), w.bytes().size(),
                weights.size() * sizeof(float), cosine);
    return cosine > 0.85 ? 0 : 1;  // 0.89 is what ternary rounding leaves of Gaussian weights
}
