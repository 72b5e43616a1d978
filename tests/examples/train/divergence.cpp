// SPDX-License-Identifier: MIT
// Room tests/examples/train: when a run is given up.
// Enters: losses. Leaves: a failure where a sound run is stopped, or a lost one goes on.
#include "train/divergence.hpp"

#include <catch2/catch_test_macros.hpp>
#include <cmath>

#include "scratch.hpp"

using namespace tbx::train;

namespace {

step_report of_loss(double loss) { return {loss, loss, 1.0, 1e-3}; }

}  // namespace

TEST_CASE("a fresh model costs what guessing costs") {
    std::vector<std::uint16_t> tokens;
    std::mt19937 random(3);
    for (int i = 0; i < 4000; ++i) tokens.push_back(static_cast<std::uint16_t>(random() % 500));
    for (const int hidden : {256, 1024}) {
        model_config c = scratch::tiny();
        c.vocab = 500;
        c.hidden = hidden;
        c.quantised = false;
        train_options o;
        o.batch = 8;
        trainer<portable_backend> work(c, o, tokens);
        train_state s = fresh_state(c, 1);
        const double loss = work.step(s).trained;
        CAPTURE(hidden, loss, loss_of_guessing(c));
        CHECK(std::fabs(loss / loss_of_guessing(c) - 1) < 0.03);
    }
}

TEST_CASE("spikes pass, what stays above guessing does not") {
    const model_config c = scratch::tiny();
    const double guessing = loss_of_guessing(c);
    SECTION("a run that learns, with a spike") {
        divergence_watch w(c);
        for (int step = 1; step <= 100; ++step)
            w.add(of_loss(step == 50 ? 10 * guessing : guessing * 0.9), step, step == 100);
    }
    SECTION("a single step, and one that is a little unlucky") {
        divergence_watch(c).add(of_loss(guessing * 1.02), 1, true);
    }
    SECTION("a detour before learning") {
        divergence_watch w(c);
        for (int step = 1; step <= 60; ++step) w.add(of_loss(guessing * 1.3), step, false);
        for (int step = 61; step <= 200; ++step) w.add(of_loss(1.0), step, step == 200);
    }
    SECTION("above guessing at the end") {
        divergence_watch w(c);
        for (int step = 1; step <= 20; ++step) w.add(of_loss(guessing * 1.2), step, false);
        CHECK_THROWS_AS(w.add(of_loss(guessing * 1.2), 21, true), tbx::error);
    }
    SECTION("far above guessing on the way") {
        divergence_watch w(c);
        w.add(of_loss(guessing), 1, false);
        const auto blow_up = [&] {
            for (int step = 2; step <= 20; ++step) w.add(of_loss(guessing * step), step, false);
        };
        CHECK_THROWS_AS(blow_up(), tbx::error);
    }
}
