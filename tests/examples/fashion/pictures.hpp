// SPDX-License-Identifier: MIT
// Room tests/examples/fashion: made-up pictures and the files they come in.
// Enters: a seed. Leaves: ten patterns with noise, in memory or gzip'd in a folder that goes away.
#pragma once

#include <zlib.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>

#include "../support/scratch_folder.hpp"
#include "fashion/idx.hpp"

namespace pictures {

using folder = tbx::testing::scratch_folder;

// Each class is bright where its own random pattern is, and a quarter of the pixels are anything.
inline tbx::fashion::picture_set some(int count, unsigned seed, int pixels = 90) {
    std::mt19937 pattern(99), random(seed);
    std::vector<std::uint8_t> kinds(static_cast<std::size_t>(10 * pixels));
    for (auto& v : kinds) v = pattern() % 2 != 0 ? 220 : 20;
    tbx::fashion::picture_set set;
    set.count = count;
    set.pixels = pixels;
    for (int i = 0; i < count; ++i) {
        const auto label = random() % 10;
        set.labels.push_back(static_cast<std::uint8_t>(label));
        for (int p = 0; p < pixels; ++p)
            set.brightness.push_back(
                random() % 4 == 0 ? static_cast<std::uint8_t>(random() % 256)
                                  : kinds[label * static_cast<unsigned>(pixels) + unsigned(p)]);
    }
    return set;
}

inline std::string number(std::uint32_t v) {
    std::string s;
    for (int i = 24; i >= 0; i -= 8) s += static_cast<char>(v >> i & 0xffu);
    return s;
}
inline std::string images_file(const tbx::fashion::picture_set& s, std::uint32_t rows) {
    return number(0x803) + number(static_cast<std::uint32_t>(s.count)) + number(rows) +
           number(static_cast<std::uint32_t>(s.pixels) / rows) +
           std::string(s.brightness.begin(), s.brightness.end());
}
inline std::string labels_file(const tbx::fashion::picture_set& s) {
    return number(0x801) + number(static_cast<std::uint32_t>(s.count)) +
           std::string(s.labels.begin(), s.labels.end());
}

inline void write(const std::string& path, const std::string& bytes) {
    std::ofstream(path, std::ios::binary) << bytes;
}
inline void write_gzip(const std::string& path, const std::string& bytes) {
    const gzFile f = gzopen(path.c_str(), "wb");
    gzwrite(f, bytes.data(), static_cast<unsigned>(bytes.size()));
    gzclose(f);
}
// As the data set is published.
inline void publish(const folder& to, int train, int test) {
    for (const auto& [part, set] : {std::pair{"train", some(train, 1)}, {"t10k", some(test, 2)}}) {
        write_gzip(to / (part + std::string("-images-idx3-ubyte.gz")), images_file(set, 9));
        write_gzip(to / (part + std::string("-labels-idx1-ubyte.gz")), labels_file(set));
    }
}

}  // namespace pictures
