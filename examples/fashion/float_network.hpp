// SPDX-License-Identifier: MIT
// Room fashion: the same network in float, as anyone would run it, through OpenBLAS.
// Enters: a trained network, pictures as floats. Leaves: their classes.
//
// All sums are integers below 2^24, so that every order of adding them gives the same float.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "fashion/network.hpp"

namespace tbx::fashion {

class float_network {
public:
    explicit float_network(const network& n);

    // values (pictures, inputs) as centred() makes them; `to` has an element for each picture.
    void classify(const float* values, std::span<std::uint8_t> to);

    [[nodiscard]] std::span<const float> last_sums() const { return sums; }

private:
    struct stage {
        layer of;
        std::vector<float> weights;  // (outputs, inputs), ±1
    };
    std::vector<stage> stages;
    std::vector<float> hidden, sums;
};

}  // namespace tbx::fashion
