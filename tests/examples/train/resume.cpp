// SPDX-License-Identifier: MIT
// Room tests/examples/train: a run that was cut in two is the run that was not, bit for bit.
// Enters: a tiny ternary model and a stream of tokens. Leaves: a failure for any differing figure.
#include <catch2/catch_test_macros.hpp>
#include <fstream>

#include "scratch.hpp"
#include "support/error.hpp"
#include "train/checkpoint.hpp"

using namespace tbx::train;
using backend = portable_backend;

namespace {

std::vector<std::uint16_t> some_tokens() {
    std::vector<std::uint16_t> t;
    std::mt19937 random(2);
    for (unsigned i = 0; i < 500; ++i)
        t.push_back(static_cast<std::uint16_t>(i % 5 == 0 ? random() % 17 : i % 5 + 3));
    return t;
}

train_options short_run() {
    train_options o;
    o.steps = 40;
    o.batch = 4;
    o.part = 2;
    o.optimiser.lr = 3e-3;
    o.optimiser.warm_up = 5;
    return o;
}

std::vector<double> go_on(trainer<backend>& work, train_state& s, std::int64_t until) {
    std::vector<double> losses;
    while (s.step < until) losses.push_back(work.step(s).nll);
    return losses;
}

}  // namespace

TEST_CASE("a killed run goes on as if it had not been") {
    const scratch::folder folder;
    const auto tokens = some_tokens();
    const model_config c = scratch::tiny();
    const train_options o = short_run();
    const run_identity run = identity_of(c, o, fingerprint(tokens));

    trainer<backend> work(c, o, tokens);
    train_state whole = fresh_state(c, o.seed);
    const auto losses = go_on(work, whole, o.steps);
    CHECK(losses.back() < 0.7 * losses.front());

    train_state half = fresh_state(c, o.seed);
    go_on(work, half, 17);
    save_checkpoint(folder / "c", run, half);
    trainer<backend> other(c, o, tokens);
    train_state again = load_checkpoint(folder / "c", run, half.parameters.size());
    CHECK(again.step == 17);
    const auto rest = go_on(other, again, o.steps);
    CHECK(std::equal(rest.begin(), rest.end(), losses.begin() + 17, losses.end()));
    CHECK(again.parameters == whole.parameters);
}

TEST_CASE("checkpoints of other runs and damaged ones are refused") {
    const scratch::folder folder;
    const model_config c = scratch::tiny();
    const train_options o = short_run();
    const run_identity run = identity_of(c, o, 1);
    const train_state s = fresh_state(c, o.seed);
    const std::string path = folder / "c";
    save_checkpoint(path, run, s);
    const std::size_t n = s.parameters.size();
    CHECK_NOTHROW(load_checkpoint(path, run, n));
    CHECK_THROWS_AS(load_checkpoint(path, identity_of(c, o, 2), n), tbx::error);
    model_config other = c;  // as many parameters
    find_graph("bitnet")->set(other);
    CHECK_THROWS_AS(load_checkpoint(path, identity_of(other, o, 1), n), tbx::error);
    const auto size = std::filesystem::file_size(path);
    for (const auto cut : {size - 1, size / 2, std::uintmax_t{80}, std::uintmax_t{3}}) {
        std::filesystem::resize_file(path, cut);
        CHECK_THROWS_AS(load_checkpoint(path, run, n), tbx::error);
    }
    CHECK_THROWS_AS(load_checkpoint(folder / "absent", run, n), tbx::error);
}

TEST_CASE("a loss that is no number stops the run") {
    const auto tokens = some_tokens();
    const model_config c = scratch::tiny();
    trainer<backend> work(c, short_run(), tokens);
    train_state s = fresh_state(c, 1);
    s.parameters[3] = std::numeric_limits<float>::quiet_NaN();
    CHECK_THROWS(go_on(work, s, 1));
}
