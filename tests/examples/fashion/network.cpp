// SPDX-License-Identifier: MIT
// Room tests/examples/fashion: the network as integers is the network in float.
// Enters: layers of every kind, trained networks. Leaves: a failure for any sum or class that is
// another one.
#include "fashion/network.hpp"

#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <limits>
#include <random>

#include "fashion/float_network.hpp"
#include "fashion/fold.hpp"
#include "fashion/trainer.hpp"
#include "pictures.hpp"
#include "train/threads.hpp"

using namespace tbx::fashion;

namespace {

network random_network(const std::vector<int>& sizes, unsigned seed) {
    std::mt19937 random(seed);
    std::normal_distribution<float> normal;
    network n;
    for (std::size_t k = 0; k + 1 < sizes.size(); ++k) {
        layer l;
        l.resize(sizes[k], sizes[k + 1]);
        for (auto& w : l.signs) w = random() % 2 != 0 ? 1 : -1;
        const float typical = std::sqrt(static_cast<float>(sizes[k])) * (k == 0 ? 90.0f : 1.0f);
        for (std::size_t o = 0; o < l.mean.size(); ++o) {
            l.mean[o] = typical * normal(random);
            l.slope[o] = normal(random) / typical;  // of both signs
            l.offset[o] = 0.3f * normal(random);
        }
        n.layers.push_back(l);
    }
    return n;
}

/// Sums and classes of both for these pictures, on every back end of this machine.
void check_same(const network& n, const picture_set& set) {
    std::vector<std::int8_t> bytes;
    for (const std::uint8_t b : set.brightness) bytes.push_back(centred(b));
    const std::vector<float> floats(bytes.begin(), bytes.end());
    const auto count = static_cast<std::size_t>(set.count);
    std::vector<std::uint8_t> real(count), whole(count);
    float_network reals(n);
    reals.classify(floats.data(), real);
    for (const auto* kernels : trilobit::dispatch::available()) {
        CAPTURE(kernels->name);
        integer_network integers(n, *kernels);
        integers.classify({bytes.data(), set.count, set.pixels}, whole);
        CHECK((whole == real));
        const std::vector<float> sums(integers.last_sums().begin(), integers.last_sums().end());
        CHECK(std::ranges::equal(sums, reals.last_sums()));
    }
}

}  // namespace

TEST_CASE("a threshold is where the float expression turns") {
    layer l;
    l.resize(20, 6);
    const float big = std::numeric_limits<float>::max();
    l.mean = {0.5f, -3.0f, 2.0f, 0.0f, 7.25f, 0.0f};
    l.slope = {0.1f, -0.7f, 0.0f, -0.0f, 1e-30f, big};
    l.offset = {0.0f, 0.4f, -1.0f, 0.0f, -1e-38f, -big};
    for (int o = 0; o < l.outputs; ++o) {
        const threshold t = fold(l, o, 20);
        CHECK((t.least >= -20 && t.least <= 21));
        for (int sum = -20; sum <= 20; ++sum) {
            CAPTURE(o, sum, t.least, t.opposite);
            CHECK(((t.opposite ? -sum : sum) >= t.least) ==
                  (l.normed(o, static_cast<float>(sum)) >= 0));
        }
    }
}

TEST_CASE("random networks of odd sizes have the same sums and classes as integers") {
    for (const auto& sizes :
         {std::vector{90, 10}, {90, 64, 10}, {90, 33, 130, 7, 10}, {784, 257, 100, 10}}) {
        const network n = random_network(sizes, 5);
        check_same(n, pictures::some(41, 8, sizes.front()));
    }
}

TEST_CASE("training learns, has one result by any threads, and folds exactly") {
    const picture_set seen = pictures::some(1200, 1), unseen = pictures::some(400, 2);
    train_options o;
    o.hidden = {64, 48};
    o.epochs = 4;
    o.batch = 50;
    std::vector<network> made;
    double last = 0;
    for (const int threads : {1, 2}) {
        tbx::train::set_threads(threads);
        made.push_back(train(seen, o, [&](const epoch_report& r) {
            last = r.accuracy;
            return true;
        }));
    }
    tbx::train::set_threads(1);
    CHECK(last > 0.9);
    for (std::size_t k = 0; k < 3; ++k) {
        CHECK((made[0].layers[k].signs == made[1].layers[k].signs));
        CHECK((made[0].layers[k].mean == made[1].layers[k].mean));
        CHECK((made[0].layers[k].slope == made[1].layers[k].slope));
        CHECK((made[0].layers[k].offset == made[1].layers[k].offset));
    }
    check_same(made[0], unseen);
    std::vector<std::int8_t> bytes;
    for (const std::uint8_t b : unseen.brightness) bytes.push_back(centred(b));
    std::vector<std::uint8_t> labels(unseen.labels.size());
    integer_network(made[0], trilobit::dispatch::best())
        .classify({bytes.data(), unseen.count, unseen.pixels}, labels);
    int right = 0;
    for (std::size_t i = 0; i < labels.size(); ++i) right += labels[i] == unseen.labels[i];
    CHECK(right > 360);
}
