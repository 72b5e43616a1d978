// SPDX-License-Identifier: MIT
// Room tests/examples/train: the rate over a run, AdamW's rule, clipping, the loss.
// Enters: small cases worked out by hand. Leaves: a failure where a figure differs.
#include <catch2/catch_approx.hpp>
#include <catch2/catch_test_macros.hpp>
#include <cmath>

#include "train/adamw.hpp"
#include "train/loss.hpp"

using namespace tbx::train;

TEST_CASE("the rate rises, stays and falls to nothing") {
    optimiser_options o;
    o.lr = 1.0;
    o.warm_up = 10;
    o.decay_part = 0.5;
    CHECK(rate_at(o, 0, 100).lr == Catch::Approx(0.1));
    CHECK(rate_at(o, 9, 100).lr == Catch::Approx(1.0));
    CHECK(rate_at(o, 49, 100).lr == Catch::Approx(1.0));
    CHECK(rate_at(o, 75, 100).lr == Catch::Approx(0.5));
    CHECK(rate_at(o, 99, 100).lr == Catch::Approx(0.02));
    CHECK(rate_at(o, 49, 100).weight_decay > 0);
    CHECK(rate_at(o, 50, 100).weight_decay == 0);
    // Another total changes nothing before the fall: that is what makes runs extensible.
    CHECK(rate_at(o, 49, 100).lr == rate_at(o, 49, 1000).lr);
}

TEST_CASE("AdamW's first step moves by the rate against the sign, clipped or not") {
    model_config c;
    c.vocab = 3;
    c.hidden = c.ffn = 4;
    c.layers = c.heads = c.kv_heads = 1;
    const parameter_layout layout(c);
    for (const float size : {1e-3f, 1e3f}) {
        std::vector<float> p(layout.size, 1.0f), g(layout.size, size);
        g[0] = -size;
        moments m{std::vector<float>(layout.size), std::vector<float>(layout.size)};
        optimiser_options o;
        const double norm = adamw_step(layout, o, {0.01, 0.5}, 0, p, g, m);
        CHECK(norm == Catch::Approx(double(size) * std::sqrt(double(layout.size))));
        CHECK(p[0] == Catch::Approx(1.01f).epsilon(1e-4));
        CHECK(p[1] == Catch::Approx(0.99f).epsilon(1e-4));
        const std::size_t linear = layout.at(layout.layers[0].q).offset;
        CHECK(p[linear] == Catch::Approx(0.99f - 0.005f).epsilon(1e-4));
        CHECK(std::abs(m.first[1]) <= 0.11f * std::min(size, 1.0f));
    }
}

TEST_CASE("the loss of known logits") {
    const std::vector<double> logits = {0, std::log(3.0), 5, 5};
    const std::vector<int> next = {1, -1};
    std::vector<double> gradient;
    const loss_sums s = loss_and_gradient<double>(logits, next, {}, 0.0, 1.0, gradient);
    CHECK(s.rows == 1);
    CHECK(s.nll == Catch::Approx(std::log(4.0 / 3.0)));
    CHECK(gradient[0] == Catch::Approx(0.25));
    CHECK(gradient[1] == Catch::Approx(-0.25));
    CHECK(gradient[2] == 0);
    CHECK(gradient[3] == 0);
    // A teacher of the same opinion leaves nothing to learn.
    const loss_sums t = loss_and_gradient<double>(logits, next, logits, 1.0, 1.0, gradient);
    CHECK(std::abs(gradient[0]) < 1e-12);
    CHECK(t.nll == Catch::Approx(s.nll));
}
