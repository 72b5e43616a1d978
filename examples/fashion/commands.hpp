// SPDX-License-Identifier: MIT
// Room fashion: the commands of the program trilobit-fashion, apart from how they are spelled.
// Enters: options. Leaves: a file, or lines on stdout; an error is a tbx::error.
#pragma once

#include <string>

#include "fashion/trainer.hpp"

namespace tbx::fashion {

// Where Debian's package dataset-fashion-mnist puts it.
inline constexpr const char* debian_folder = "/usr/share/datasets/fashion-mnist";

struct train_command {
    std::string data = debian_folder, out = "fashion.bin";
    train_options options;
    int threads = 1;
};
// Exit status: 0, or 130 when interrupted (no file is written).
int run(const train_command& c);

struct test_command {
    std::string data = debian_folder, model = "fashion.bin";
    double seconds = 2;  // that are timed
};
// Exit status: 0, or 1 where the two networks differ.
int run(const test_command& c);

}  // namespace tbx::fashion
