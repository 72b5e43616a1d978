// SPDX-License-Identifier: MIT
// Tests of examples/model/coarse_rows.hpp: no score leaves its interval.
#include "model/coarse_rows.hpp"

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <trilobit/dispatch/dispatch.hpp>

#include "model/sampler.hpp"

using namespace tbx;

namespace {

/// Floats of many shapes: bells, spikes, sparse rows, few distinct values, wide exponents.
void fill(std::vector<float>& v, model::random_numbers& random, float size) {
    const auto shape = random.bits() % 5;
    for (float& f : v) {
        const float u = random.uniform() * 2.0f - 1.0f;
        switch (shape) {
            case 0:
                f = u;
                break;
            case 1:
                f = u * u * u * u * u;
                break;
            case 2:
                f = random.bits() % 16 == 0 ? u : 0.0f;
                break;
            case 3:
                f = std::round(u * 2.0f);
                break;
            default:
                f = std::ldexp(u, static_cast<int>(random.bits() % 24) - 12);
        }
        f *= size;
    }
    if (random.bits() % 8 == 0) v[random.bits() % v.size()] *= 1000.0f;
}

model::linear dense(const std::vector<float>& w, std::int64_t cols, float scale) {
    const auto* bytes = reinterpret_cast<const std::byte*>(w.data());
    return {model::dense_matrix{model::number_type::f32, std::ssize(w) / cols, cols, bytes, {}},
            scale};
}

}  // namespace

TEST_CASE("what multiply() computes is never outside the interval") {
    model::compute cpu(1);
    model::random_numbers random(1);
    std::int64_t outside = 0, known = 0;
    double nearest = 0;
    for (int trial = 0; trial < 3000; ++trial) {
        const auto cols = static_cast<std::int64_t>(1 + random.bits() % 300);
        constexpr std::int64_t rows = 8;
        constexpr float sizes[] = {1e-42f, 1e-30f, 1e-12f, 1.0f, 1.0f, 1.0f, 1e12f, 1e22f};
        std::vector<float> w, row(static_cast<std::size_t>(cols)), x = row;
        for (std::int64_t r = 0; r < rows; ++r) {
            fill(row, random, sizes[random.bits() % 8]);
            w.insert(w.end(), row.begin(), row.end());
        }
        fill(x, random, sizes[random.bits() % 8]);
        const float scale = trial % 3 == 0 ? -3.7f : trial % 3 == 1 ? 1e-20f : 1.0f;
        const model::linear full = dense(w, cols, scale);
        std::vector<float> right(rows);
        model::multiply(cpu, {x.data(), 1, cols}, {{full, {right.data(), 1, rows}}});
        const model::coarse_rows coarse(cpu, full);
        model::coarse_input rounded;
        REQUIRE(coarse.round_input(x.data(), rounded));
        std::vector<model::coarse_score> scores(rows);
        coarse.score(cpu.dense, rounded, 0, rows, scores.data());
        for (std::size_t r = 0; r < rows; ++r) {
            const double slack = scores[r].upper - scores[r].middle;
            if (!(slack < std::numeric_limits<double>::infinity())) continue;
            ++known;
            const double error = std::fabs(double{right[r]} - scores[r].middle);
            outside += !(error <= slack);
            nearest = std::max(nearest, slack > 0 ? error / slack : 0.0);
        }
    }
    CHECK(outside == 0);
    CHECK(known > 20000);
    // A bound that held by being far away would be no use.
    CHECK(nearest > 0.5);
}

TEST_CASE("the rounding of the float sums is inside the interval") {
    // Integers that codes hold exactly, also when they are small enough for subnormal products: all
    // that is left of the error is what multiply() rounds.
    const auto [of_w, of_x] = GENERATE(table<float, float>({{1.0f, 1.0f}, {0x1p-85f, 0x1p-80f}}));
    model::compute cpu(1);
    model::random_numbers random(4);
    constexpr std::int64_t rows = 200, cols = 512;
    const auto integer = [&](int most) {
        return static_cast<float>(static_cast<int>(random.bits() % 256) - 128) / 128.0f *
               static_cast<float>(most);
    };
    std::vector<float> w(rows * cols), x(cols);
    for (float& v : w) v = std::round(integer(127));
    for (std::size_t r = 0; r < rows; ++r) w[r * cols] = 127.0f;
    for (float& v : x) v = std::round(integer(32767));
    x[0] = 32767.0f;
    for (float& v : w) v *= of_w;
    for (float& v : x) v *= of_x;
    const model::linear full = dense(w, cols, 1.0f);
    std::vector<float> right(rows);
    model::multiply(cpu, {x.data(), 1, cols}, {{full, {right.data(), 1, rows}}});
    model::coarse_rows coarse(cpu, full);
    model::coarse_input rounded;
    REQUIRE(coarse.round_input(x.data(), rounded));
    CHECK(rounded.residual == 0.0);
    std::vector<model::coarse_score> scores(rows);
    coarse.score(cpu.dense, rounded, 0, rows, scores.data());
    int inexact = 0, outside = 0;
    for (std::size_t r = 0; r < rows; ++r) {
        const double error = std::fabs(double{right[r]} - scores[r].middle);
        inexact += error > 0;
        outside += error > scores[r].upper - scores[r].middle;
    }
    CHECK(inexact > rows / 2);
    CHECK(outside == 0);
}

TEST_CASE("intervals are narrow") {
    model::compute cpu(1);
    model::random_numbers random(3);
    constexpr std::int64_t rows = 20, cols = 2560;
    std::vector<float> w(rows * cols), x(cols);
    double norm = 0;
    for (float& v : w) v = random.uniform() - 0.5f;
    for (float& v : x) v = random.uniform() - 0.5f, norm += double{v} * double{v};
    const model::linear full = dense(w, cols, 1.0f);
    const model::coarse_rows coarse(cpu, full);
    model::coarse_input rounded;
    REQUIRE(coarse.round_input(x.data(), rounded));
    std::vector<model::coarse_score> scores(rows);
    coarse.score(cpu.dense, rounded, 0, rows, scores.data());
    // |w| is |x|, but for chance; uniform weights keep 1/127 / sqrt(12) / sqrt(1/3) = 0.0045 of it.
    for (const auto& s : scores) CHECK((s.upper - s.middle) / norm < 0.005);
    CHECK(coarse.bytes() == rows * (cols + 12));
}

TEST_CASE("the sum of codes is exact at its largest, on every back end") {
    for (const std::int64_t cols : {std::int64_t{1}, std::int64_t{64}, std::int64_t{2560},
                                    model::coarse_rows::most_columns}) {
        const std::int64_t most =
            std::min<std::int64_t>(32767, std::numeric_limits<std::int32_t>::max() / (127 * cols));
        const std::vector<std::int8_t> w(static_cast<std::size_t>(cols), -127);
        const std::vector<std::int16_t> x(static_cast<std::size_t>(cols),
                                          static_cast<std::int16_t>(most));
        std::vector<std::int8_t> mixed(w);
        std::vector<std::int16_t> y(x);
        model::random_numbers random(2);
        std::int64_t sum = 0;
        for (std::size_t i = 0; i < mixed.size(); ++i) {
            mixed[i] = static_cast<std::int8_t>(static_cast<int>(random.bits() % 255) - 127);
            y[i] = static_cast<std::int16_t>(
                static_cast<std::int64_t>(random.bits() %
                                          static_cast<std::uint64_t>(2 * most + 1)) -
                most);
            sum += std::int64_t{mixed[i]} * y[i];
        }
        for (const auto* arch : trilobit::dispatch::available()) {
            const auto& run = model::dense_kernels_for(arch->name);
            INFO(run.name << " " << cols);
            CHECK(run.dot_int8(w.data(), x.data(), cols) == -127 * most * cols);
            CHECK(run.dot_int8(mixed.data(), y.data(), cols) == sum);
            CHECK(run.dot_int8(mixed.data(), y.data(), 0) == 0);
        }
    }
}

TEST_CASE("rows too wide for int32 sums, packed rows and no rows are left alone") {
    model::compute cpu(1);
    const std::vector<float> w(static_cast<std::size_t>(model::coarse_rows::most_columns) + 1,
                               1.0f);
    CHECK(model::coarse_rows(cpu, dense(w, std::ssize(w), 1.0f)).rows() == 0);
    CHECK(model::coarse_rows(cpu, dense(w, std::ssize(w) - 1, 1.0f)).rows() == 1);
    CHECK(model::coarse_rows(cpu, model::linear{}).rows() == 0);
    CHECK(model::coarse_rows(cpu, model::linear{trilobit::any_packed_matrix{}}).rows() == 0);
}
