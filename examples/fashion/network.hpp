// SPDX-License-Identifier: MIT
// Room fashion: a multilayer perceptron of weights ±1 and activations ±1, pixels apart.
// Enters: nothing. Leaves: its layers, and the one float expression behind each of their sums.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "fashion/idx.hpp"

namespace tbx::fashion {

// A neuron adds its inputs times ±1, an exact integer; what is trained as batch norm makes a number
// of it. Of hidden layers the sign goes on, +1 where it is 0 or more; of the last the largest is
// the class.
struct layer {
    int inputs = 0, outputs = 0;
    std::vector<std::int8_t> signs;          // (outputs, inputs), ±1
    std::vector<float> mean, slope, offset;  // (outputs)

    // Each of the three steps rounds on its own, so it never falls, or never rises, where the sum
    // does not: fold.hpp counts on that.
    [[nodiscard]] float normed(int output, float sum) const {
        const auto i = static_cast<std::size_t>(output);
        return (sum - mean[i]) * slope[i] + offset[i];
    }
    void resize(int in, int out) {
        inputs = in;
        outputs = out;
        signs.resize(static_cast<std::size_t>(in) * static_cast<std::size_t>(out));
        for (auto* v : {&mean, &slope, &offset}) v->resize(static_cast<std::size_t>(out));
    }
};

struct network {
    std::vector<layer> layers;
};

// A pixel as the first layer takes it: an int8 around 0, whose sums of up to 65536 fit into a
// float's 24 bits.
inline std::int8_t centred(std::uint8_t brightness) {
    return static_cast<std::int8_t>(int{brightness} - 128);
}

// One bit a weight and three floats a neuron. Throws tbx::error for what is no such file.
void save_network(const std::string& path, const network& n);
[[nodiscard]] network load_network(const std::string& path);

}  // namespace tbx::fashion
