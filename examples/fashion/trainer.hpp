// SPDX-License-Identifier: MIT
// Room fashion: training of the network, on the trainer's products: the same bits on every machine.
// Enters: pictures, options. Leaves: the network, whose float weights are gone.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "fashion/idx.hpp"
#include "fashion/network.hpp"

namespace tbx::fashion {

struct train_options {
    std::vector<int> hidden = {512, 512};
    int epochs = 20;
    int batch = 200;
    float lr = 4e-3f;
    std::uint64_t seed = 1;
};

struct epoch_report {
    int epoch = 0;        // that are done
    double loss = 0;      // mean over the epoch
    double accuracy = 0;  // of its batches, while they were trained on
};

// `progress` is told of each epoch and says whether to go on; the network is what it then is.
[[nodiscard]] network train(const picture_set& pictures, const train_options& o,
                            const std::function<bool(const epoch_report&)>& progress);

}  // namespace tbx::fashion
