// SPDX-License-Identifier: MIT
// Room tests/examples/train: every output of a product is the sum that gemm_kernels.hpp states.
// Enters: random operands of all kinds and odd sizes. Leaves: a failure for any bit that differs,
// on any instruction set of this machine and any number of threads.
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/generators/catch_generators_range.hpp>
#include <cmath>
#include <cstring>
#include <random>
#include <trilobit/dispatch/per_arch.hpp>
#include <vector>

#include "model/dense_kernels.hpp"
#include "train/gemm_kernels.hpp"
#include "train/portable_math.hpp"
#include "train/sums.hpp"
#include "train/threads.hpp"

using namespace tbx::train;

namespace {

std::vector<float> random_floats(std::size_t n, unsigned seed) {
    std::vector<float> v(n);
    std::mt19937 random(seed);
    std::normal_distribution<float> normal;
    for (float& x : v) x = normal(random);
    return v;
}

/// One output at a time, in the stated order.
void stated(const gemm_shape& s, const float* a, const float* b, float* c) {
    for (int i = 0; i < s.m; ++i)
        for (int j = 0; j < s.n; ++j) {
            float& to = c[i * s.ldc + j];
            for (int from = 0; from < s.k; from += gemm_depth) {
                float sum = 0;
                for (int p = from; p < std::min(s.k, from + gemm_depth); ++p)
                    sum += a[s.ta ? p * s.lda + i : i * s.lda + p] *
                           b[s.tb ? j * s.ldb + p : p * s.ldb + j];
                to = s.accumulate || from > 0 ? to + sum : sum;
            }
        }
}

}  // namespace

TEST_CASE("products have the stated order of sums on every instruction set") {
    using tables = trilobit::dispatch::per_arch<gemm_kernels, gemm_of>;
    struct sizes {
        int m, n, k;
    };
    const auto size_of = GENERATE(sizes{1, 1, 1}, sizes{97, 33, 256}, sizes{13, 70, 600},
                                  sizes{200, 31, 257}, sizes{6, 16, 5}, sizes{128, 128, 64});
    const int m = size_of.m, n = size_of.n, k = size_of.k;
    const int kind = GENERATE(range(0, 8));
    gemm_shape s{(kind & 1) != 0, (kind & 2) != 0, m, n, k, 0, 0, n + 3, (kind & 4) != 0};
    s.lda = (s.ta ? m : k) + 2;
    s.ldb = (s.tb ? k : n) + 1;
    const auto size = [](int rows, int cols) { return static_cast<std::size_t>(rows * cols); };
    const auto a = random_floats(size(s.ta ? k : m, s.lda), 1);
    const auto b = random_floats(size(s.tb ? n : k, s.ldb), 2);
    const auto before = random_floats(size(m, s.ldc), 3);
    auto want = before;
    stated(s, a.data(), b.data(), want.data());
    for (const gemm_kernels* kernels : tables::available())
        for (const int threads : {1, 3}) {
            set_threads(threads);
            auto got = before;
            multiply_by(*kernels, s, a.data(), b.data(), got.data());
            CAPTURE(kernels->name, threads, m, n, k, kind);
            CHECK(std::memcmp(got.data(), want.data(), got.size() * sizeof(float)) == 0);
        }
    set_threads(1);
}

TEST_CASE("products are compiled for the instruction sets that the model's loops are") {
    using models = trilobit::dispatch::per_arch<tbx::model::dense_kernels, tbx::model::dense_of>;
    std::vector<std::string_view> ours, theirs;
    for (const gemm_kernels* k : trilobit::dispatch::per_arch<gemm_kernels, gemm_of>::available())
        ours.push_back(k->name);
    for (const tbx::model::dense_kernels* k : models::available()) theirs.push_back(k->name);
    CHECK(ours == theirs);
}

TEST_CASE("sums of rows are those of their lanes") {
    for (const int n : {0, 1, 15, 16, 17, 100}) {
        const auto a = random_floats(128, 4), b = random_floats(128, 5);
        float lane[16] = {};
        for (int i = 0; i < n; ++i) lane[i % 16] += a[std::size_t(i)] * b[std::size_t(i)];
        float four[4];
        for (int i = 0; i < 4; ++i)
            four[i] = (lane[i] + lane[i + 8]) + (lane[i + 4] + lane[i + 12]);
        CHECK(sum_of(n, a.data(), b.data()) == (four[0] + four[2]) + (four[1] + four[3]));
    }
}

TEST_CASE("logarithms and powers are close to the library's, deviates are normal") {
    for (double x = 1e-300; x < 1e300; x *= 1.37)
        CHECK(std::abs(natural_log(x) - std::log(x)) <= 1e-15 * std::abs(std::log(x)) + 1e-16);
    for (const std::int64_t n : {0, 1, 2, 9, 1000, 123456})
        CHECK(std::abs(whole_power(0.999, n) / std::pow(0.999, double(n)) - 1) < 1e-9);
    normal_deviates normal(5);
    const int count = 200'000;
    double mean = 0, square = 0;
    int within = 0;
    for (int i = 0; i < count; ++i) {
        const double x = normal();
        mean += x / count, square += x * x / count;
        within += std::abs(x) < 1;
    }
    // Five deviations of each estimate.
    CHECK(std::abs(mean) < 5 / std::sqrt(count));
    CHECK(std::abs(square - 1) < 5 * std::sqrt(2.0 / count));
    CHECK(std::abs(double(within) / count - 0.6827) < 5 * std::sqrt(0.22 / count));
}
