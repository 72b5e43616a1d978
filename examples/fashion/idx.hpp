// SPDX-License-Identifier: MIT
// Room fashion: images and their labels in the IDX format of MNIST and its kin.
// Enters: a file, gzip'd or not. Leaves: its bytes; throws tbx::error for anything else.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace tbx::fashion {

inline constexpr int classes = 10;

struct picture_set {
    int count = 0, pixels = 0;             // of one picture
    std::vector<std::uint8_t> brightness;  // (count, pixels)
    std::vector<std::uint8_t> labels;      // (count), below `classes`
};

// The files have one number of pictures, at least one, of 1 to 65536 pixels each.
[[nodiscard]] picture_set read_pictures(const std::string& images, const std::string& labels);

// `train` or `t10k` of a folder with the four files that the data set is published as.
[[nodiscard]] picture_set read_pictures_of(const std::string& folder, const std::string& part);

}  // namespace tbx::fashion
