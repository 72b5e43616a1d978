// SPDX-License-Identifier: MIT
// Room tests/examples/train: the way back against finite differences, in double precision.
// Enters: tiny models with every flag of the graph, random parameters and tokens.
// Leaves: a failure for any parameter whose slope is not the loss's.
#include <catch2/catch_approx.hpp>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <cmath>
#include <random>
#include <vector>

#include "train/loss.hpp"
#include "train/model.hpp"

using namespace tbx::train;
using exact = blas_backend<double>;

namespace {

struct problem {
    transformer<exact> model;
    std::vector<double> parameters;
    std::vector<int> tokens, next;
    std::vector<double> teacher;

    explicit problem(const model_config& c) : model{c}, parameters(model.layout.size) {
        std::mt19937 random(7);
        std::normal_distribution<double> normal(0.0, 0.3);
        for (const slot& s : model.layout.slots)
            for (std::size_t i = 0; i < s.size(); ++i)
                parameters[s.offset + i] =
                    s.kind == slot_kind::norm ? 1.0 + 0.3 * normal(random) : normal(random);
        for (int i = 0; i < 2 * c.context; ++i) {
            tokens.push_back(static_cast<int>(random() % static_cast<unsigned>(c.vocab)));
            next.push_back(static_cast<int>(random() % static_cast<unsigned>(c.vocab)));
        }
        next[3] = -1;
        teacher.resize(tokens.size() * static_cast<std::size_t>(c.vocab));
        for (double& t : teacher) t = 3 * normal(random);
    }

    double loss(std::vector<double>* gradient, bool taught) {
        const int length = model.config.context;
        model.load(parameters);
        const auto logits = model.forward(tokens, 2, length);
        std::vector<double> d;
        const auto sums = loss_and_gradient<double>(
            logits, next, taught ? teacher : std::vector<double>{}, 0.7, 0.5, d);
        if (gradient != nullptr) {
            gradient->assign(parameters.size(), 0.0);
            model.backward(d, *gradient);
        }
        return 0.5 * sums.trained;
    }
};

model_config tiny() {
    model_config c;
    c.vocab = 11;
    c.hidden = 16;
    c.ffn = 24;
    c.layers = 2;
    c.heads = 4;
    c.kv_heads = 2;
    c.context = 70;  // more than one block of queries
    c.quantised = false;
    return c;
}

}  // namespace

TEST_CASE("every gradient is the slope of the loss") {
    model_config c = tiny();
    const int kind = GENERATE(0, 1, 2, 3, 4);
    if (kind == 1) find_graph("llama")->set(c);
    if (kind == 2) c.kv_heads = 4;
    if (kind == 4) find_graph("bitnet")->set(c);
    CAPTURE(kind);
    problem p(c);
    std::vector<double> gradient;
    p.loss(&gradient, kind == 3);
    std::mt19937 random(11);
    for (const slot& s : p.model.layout.slots) {
        for (int probe = 0; probe < 3; ++probe) {
            const std::size_t i = s.offset + random() % s.size();
            const double old = p.parameters[i], step = 1e-5;
            p.parameters[i] = old + step;
            const double high = p.loss(nullptr, kind == 3);
            p.parameters[i] = old - step;
            const double low = p.loss(nullptr, kind == 3);
            p.parameters[i] = old;
            const double slope = (high - low) / (2 * step);
            CAPTURE(s.name, i - s.offset, slope, gradient[i]);
            CHECK(std::abs(slope - gradient[i]) < 1e-6 * (1 + std::abs(slope)));
        }
    }
}

TEST_CASE("straight-through gradients are those of the rounded operands") {
    const auto rule =
        GENERATE(input_rule::int8, input_rule::int4, input_rule::larger_half, input_rule::sign);
    const auto of_weights = GENERATE(rounding::absmean, rounding::sign_around_mean);
    CAPTURE(rule, of_weights);
    const int rows = 5, k = 16, m = 6;
    std::mt19937 random(3);
    std::normal_distribution<double> normal;
    std::vector<double> x(rows * k), w(m * k), dy(rows * m), q(k), room;
    for (auto* v : {&x, &w, &dy})
        for (double& e : *v) e = normal(random);
    operand<exact> in, weight, scratch;
    in.resize(rows, k);
    in.scale.resize(rows);
    for (int r = 0; r < rows; ++r) store_row(in, r, x.data() + r * k, rule, q.data());
    prepare_weights(weight, w.data(), m, k, of_weights);
    std::vector<double> y(rows * m), dx(rows * k), dw(m * k);
    linear(in, weight, rows, m, y.data());
    linear_back(in, weight, rows, m, dy.data(), dx.data(), dw.data(), false, scratch, room);

    const auto xh = [&](int r, int i) {
        return in.row(r)[i] * in.scale[static_cast<std::size_t>(r)];
    };
    const auto wh = [&](int j, int i) { return weight.row(j)[i] * weight.scale[0]; };
    double mean = 0;
    for (double e : w) mean += std::abs(e) / (m * k);
    CHECK(weight.scale[0] == Catch::Approx(mean).epsilon(1e-3));
    for (int r = 0; r < rows; ++r)
        for (int i = 0; i < k; ++i) {
            double want = 0;
            for (int j = 0; j < m; ++j) want += dy[static_cast<std::size_t>(r * m + j)] * wh(j, i);
            CHECK(dx[static_cast<std::size_t>(r * k + i)] == Catch::Approx(want).margin(1e-12));
        }
    for (int j = 0; j < m; ++j)
        for (int i = 0; i < k; ++i) {
            const double t = weight.row(j)[i];
            CHECK((t == -1 || t == 1 || (t == 0 && of_weights == rounding::absmean)));
            double want = 0;
            for (int r = 0; r < rows; ++r)
                want += dy[static_cast<std::size_t>(r * m + j)] * xh(r, i);
            CHECK(dw[static_cast<std::size_t>(j * k + i)] == Catch::Approx(want).margin(1e-12));
        }
    for (int r = 0; r < rows; ++r)
        for (int j = 0; j < m; ++j) {
            double want = 0;
            for (int i = 0; i < k; ++i) want += xh(r, i) * wh(j, i);
            CHECK(y[static_cast<std::size_t>(r * m + j)] == Catch::Approx(want).margin(1e-12));
        }
}

TEST_CASE("the exponential is close to the library's") {
    for (float x = -86; x < 80; x += 0.37f)
        CHECK(exponential(x) == Catch::Approx(std::exp(x)).epsilon(1e-6));
}
