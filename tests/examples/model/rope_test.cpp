// SPDX-License-Identifier: MIT
// Tests of examples/model/rope.hpp.
#include "model/rope.hpp"

#include <type_traits>

#include <catch2/catch_approx.hpp>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

using namespace tbx;
using Catch::Approx;

namespace {

model::config small(model::rope_pairing pairing) {
    model::config c;
    c.heads = 2;
    c.key_dim = 8;
    c.rope_dim = 6;  // the last two numbers of a head stay as they are
    c.rope_base = 100.0f;
    c.pairing = pairing;
    return c;
}

// Each pass of a model takes one along: it must not copy names and lists.
static_assert(std::is_trivially_copyable_v<model::rope_rule>);

}  // namespace

TEST_CASE("each pair turns by its own angle, in both pairings") {
    const auto pairing = GENERATE(model::rope_pairing::interleaved, model::rope_pairing::halves);
    const model::config c = small(pairing);
    model::rope_table table;
    table.fill(c.rope(), {}, 5, 2);
    std::vector<float> x(32);
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i) + 1.0f;
    const std::vector<float> before = x;
    for (const std::int64_t t : {0, 1})
        for (const std::int64_t h : {0, 1}) table.turn(x.data() + 16 * t + 8 * h, t, c.pairing);
    for (std::size_t t = 0; t < 2; ++t)
        for (std::size_t h = 0; h < 2; ++h) {
            const std::size_t head = t * 16 + h * 8;
            for (std::size_t i = 0; i < 3; ++i) {
                const bool side_by_side = pairing == model::rope_pairing::interleaved;
                const std::size_t a = head + (side_by_side ? 2 * i : i);
                const std::size_t b = head + (side_by_side ? 2 * i + 1 : i + 3);
                const double angle = static_cast<double>(5 + t) *
                                     std::pow(100.0, -2.0 * static_cast<double>(i) / 6.0);
                const double p = double{before[a]}, q = double{before[b]};
                CHECK(double{x[a]} ==
                      Approx(p * std::cos(angle) - q * std::sin(angle)).margin(1e-5));
                CHECK(double{x[b]} ==
                      Approx(p * std::sin(angle) + q * std::cos(angle)).margin(1e-5));
            }
            CHECK(x[head + 6] == before[head + 6]);
            CHECK(x[head + 7] == before[head + 7]);
        }
}

TEST_CASE("position 0 turns nothing; linear scaling and divisors slow the turning down") {
    model::config c = small(model::rope_pairing::halves);
    const auto turned = [&](std::int64_t position, std::span<const float> divisors) {
        model::rope_table table;
        table.fill(c.rope(), divisors, position, 1);
        std::vector<float> x = {1, 2, 3, 4, 5, 6, 7, 8};
        table.turn(x.data(), 0, c.pairing);
        return x;
    };
    CHECK(turned(0, {}) == std::vector<float>{1, 2, 3, 4, 5, 6, 7, 8});
    const auto at_three = turned(3, {});
    const std::vector<float> twos = {2, 2, 2};
    CHECK(turned(6, twos) == at_three);
    c.rope_divisor = 4.0f;
    CHECK(turned(12, {}) == at_three);
    CHECK(turned(3, {}) != at_three);
}

TEST_CASE("YaRN leaves fast pairs their pace, slows slow ones down, and makes all longer") {
    model::config c = small(model::rope_pairing::halves);
    c.key_dim = c.rope_dim = 64;
    c.rope_base = 10000.0f;
    const auto turned = [&] {
        model::rope_table table;
        table.fill(c.rope(), {}, 7, 1);
        std::vector<float> x(64, 1.0f);
        table.turn(x.data(), 0, c.pairing);
        return x;
    };
    const std::vector<float> fast = turned();
    c.rope_divisor = 4.0f;
    const std::vector<float> slow = turned();
    c.yarn.original = 1024;
    c.rope_magnitude = 1.25f;
    const std::vector<float> x = turned();
    // Pairs 5 and 17 turn 32 times and once in 1024 positions: 64 ln(1024 / 2 pi n) / 2 ln 10^4.
    for (const std::size_t i : {0u, 1u, 5u}) CHECK(double{x[i]} == Approx(1.25 * double{fast[i]}));
    for (const std::size_t i : {18u, 25u, 31u})
        CHECK(double{x[i]} == Approx(1.25 * double{slow[i]}));
    const double own = 1.0 - (10.0 - 5.0) / (18.0 - 5.0);
    const double pace = std::pow(10000.0, -20.0 / 64.0) * (own + (1.0 - own) / 4.0);
    CHECK(double{x[10]} ==
          Approx(1.25 * (std::cos(7.0 * pace) - std::sin(7.0 * pace))).margin(1e-5));
}
