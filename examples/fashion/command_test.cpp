// SPDX-License-Identifier: MIT
// Room fashion: command `test`. Enters: a network and the pictures it has not seen.
// Leaves: how many it knows, that the float network says the same of each, and the time of both.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <numeric>

#include "fashion/commands.hpp"
#include "fashion/float_network.hpp"
#include "fashion/fold.hpp"
#include "support/error.hpp"
#include "train/threads.hpp"

namespace tbx::fashion {
namespace {

// Pictures that go through the layers together.
constexpr int at_once = 500;

struct judged {
    std::vector<std::uint8_t> labels;
    std::vector<double> least;  // seconds, of each `at_once` pictures: what else runs costs none

    template <class Classify>
    void pass(int count, Classify classify) {
        labels.resize(static_cast<std::size_t>(count));
        for (int first = 0; first < count; first += at_once) {
            const auto part = std::span(labels).subspan(
                static_cast<std::size_t>(first),
                static_cast<std::size_t>(std::min(at_once, count - first)));
            const auto start = std::chrono::steady_clock::now();
            classify(first, part);
            const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
            const auto block = static_cast<std::size_t>(first / at_once);
            if (least.size() <= block) least.push_back(took.count());
            least[block] = std::min(least[block], took.count());
        }
    }
    [[nodiscard]] double seconds() const {
        return std::accumulate(least.begin(), least.end(), 0.0);
    }
};

}  // namespace

int run(const test_command& c) {
    train::set_threads(1);
    const network n = load_network(c.model);
    const picture_set pictures = read_pictures_of(c.data, "t10k");
    const std::int64_t pixels = pictures.pixels;
    if (n.layers.front().inputs != pixels)
        throw error(c.model, "takes pictures of " + std::to_string(n.layers.front().inputs) +
                                 " pixels, these have " + std::to_string(pixels));
    std::vector<std::int8_t> bytes;
    for (const std::uint8_t b : pictures.brightness) bytes.push_back(centred(b));
    const std::vector<float> floats(bytes.begin(), bytes.end());
    const auto kernels = trilobit::dispatch::active();
    if (!kernels.ok()) throw error("TRILOBIT_ARCH", kernels.error().text);
    integer_network integers(n, *kernels.value());
    float_network reals(n);

    judged by_bits, by_floats;
    const auto start = std::chrono::steady_clock::now();
    do {  // in turns, so that what else the machine does meets both
        by_bits.pass(pictures.count, [&](int first, std::span<std::uint8_t> to) {
            integers.classify({bytes.data() + first * pixels, std::ssize(to), pixels}, to);
        });
        by_floats.pass(pictures.count, [&](int first, std::span<std::uint8_t> to) {
            reals.classify(floats.data() + first * pixels, to);
        });
    } while (std::chrono::steady_clock::now() - start < std::chrono::duration<double>(c.seconds));

    int right = 0, same = 0;
    for (std::size_t i = 0; i < by_bits.labels.size(); ++i) {
        right += by_bits.labels[i] == pictures.labels[i];
        same += by_bits.labels[i] == by_floats.labels[i];
    }
    const double count = pictures.count;
    std::printf("%d pictures, %.2f %% right; the float network agrees on %d\n", pictures.count,
                100 * right / count, same);
    std::printf("XNOR and popcount (%s)   %.0f pictures/s\n", kernels.value()->name.data(),
                count / by_bits.seconds());
    std::printf("float32 by OpenBLAS      %.0f pictures/s\n", count / by_floats.seconds());
    std::printf("%.1f times as fast, one thread each\n", by_floats.seconds() / by_bits.seconds());
    return same == pictures.count ? 0 : 1;
}

}  // namespace tbx::fashion
