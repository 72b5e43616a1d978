// SPDX-License-Identifier: MIT
// Tests of room formats. Enters: values and scales of a matrix, or its bytes. Leaves: the other
// ones; and the generator that the golden bytes were made with.
#pragma once

#include <catch2/catch_test_macros.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "formats/all.hpp"

namespace tbx::testing {

inline std::vector<std::byte> from_hex(std::string_view hex) {
    std::vector<std::byte> bytes;
    for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
        bytes.push_back(
            static_cast<std::byte>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
    return bytes;
}

/// x = x * 1664525 + 1013904223 from 1 on, one step before each use.
class draws {
    std::uint32_t x = 1;

public:
    std::uint32_t operator()() noexcept { return (x = x * 1664525u + 1013904223u) >> 16; }
};

inline std::vector<std::int8_t> golden_trits(std::int64_t count) {
    std::vector<std::int8_t> values(static_cast<std::size_t>(count));
    draws draw;
    for (std::int8_t& v : values) v = static_cast<std::int8_t>(static_cast<int>(draw() % 3) - 1);
    return values;
}

inline std::vector<std::int8_t> golden_signs(std::int64_t count) {
    std::vector<std::int8_t> values(static_cast<std::size_t>(count));
    draws draw;
    for (std::int8_t& v : values) v = draw() % 2 != 0 ? 1 : -1;
    return values;
}

struct matrix {
    std::vector<std::int8_t> values;
    std::vector<float> scales;
    friend bool operator==(const matrix&, const matrix&) = default;
};

/// All scales alike.
inline std::vector<float> alike(const formats::format& f, const formats::shape& s, float scale) {
    return std::vector<float>(static_cast<std::size_t>(s.rows * f.scales_per_row(s.cols)), scale);
}

inline formats::fault write(const formats::format& f, const formats::shape& s, const matrix& m,
                            std::vector<std::byte>& bytes) {
    const auto size = f.bytes(s);
    REQUIRE(size);
    bytes.assign(static_cast<std::size_t>(*size), std::byte{0});
    auto first = formats::fault::none;
    for (std::int64_t r = 0; r < s.rows; ++r) {
        const auto found = f.write(bytes, s, r, m.values.data() + r * s.cols,
                                   m.scales.data() + r * f.scales_per_row(s.cols));
        if (first == formats::fault::none) first = found;
    }
    return first;
}

inline std::vector<std::byte> written(const formats::format& f, const formats::shape& s,
                                      const matrix& m) {
    std::vector<std::byte> bytes;
    REQUIRE(write(f, s, m, bytes) == formats::fault::none);
    return bytes;
}

inline formats::fault read(const formats::format& f, const formats::shape& s,
                           std::span<const std::byte> bytes, matrix& m) {
    m.values.assign(static_cast<std::size_t>(s.rows * s.cols), 99);
    m.scales.assign(static_cast<std::size_t>(s.rows * f.scales_per_row(s.cols)), 0);
    auto first = formats::fault::none;
    for (std::int64_t r = 0; r < s.rows; ++r) {
        const auto found = f.read(bytes, s, r, m.values.data() + r * s.cols,
                                  m.scales.data() + r * f.scales_per_row(s.cols));
        if (first == formats::fault::none) first = found;
    }
    return first;
}

}  // namespace tbx::testing
