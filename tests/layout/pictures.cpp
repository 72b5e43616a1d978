// SPDX-License-Identifier: MIT
// The layouts against their published pictures, written here once more as formulas of bits.
#include <catch2/catch_all.hpp>
#include <vector>

#include "trilobit/layout/all.hpp"
#include "trilobit/testing/random.hpp"

using namespace trilobit;

namespace {

/// A random tile encoded; bit(byte, bit) of it.
template <class L>
struct sample {
    std::vector<std::int8_t> w;  // (tile_rows, tile_cols)
    std::vector<std::byte> bytes;

    explicit sample(std::uint64_t seed)
        : w(static_cast<std::size_t>(L::tile_rows * L::tile_cols)), bytes(L::tile_bytes) {
        testing::generator r(seed);
        for (std::int8_t& v : w) do
                v = static_cast<std::int8_t>(r.between(-1, 1));
            while (!L::kind::holds(v));
        L::encode(w.data(), bytes.data());
    }
    int weight(int r, int c) const { return w[static_cast<std::size_t>(r * L::tile_cols + c)]; }
    int bits(int byte, int low, int count) const {
        return std::to_integer<int>(bytes[static_cast<std::size_t>(byte)]) >> low &
               ((1 << count) - 1);
    }
};

}  // namespace

TEST_CASE("ternary_2bit: byte 4r+t, bits 2f+1..2f are column 4f+t, code w+1", "[layout]") {
    const sample<layout::ternary_2bit> s(1);
    for (int r = 0; r < 16; ++r)
        for (int t = 0; t < 4; ++t)
            for (int f = 0; f < 4; ++f)
                CHECK(s.bits(4 * r + t, 2 * f, 2) == s.weight(r, 4 * f + t) + 1);
}

TEST_CASE("binary_1bit: byte 4r+t, bit f is column 4f+t, 1 is +1", "[layout]") {
    const sample<layout::binary_1bit> s(2);
    for (int r = 0; r < 16; ++r)
        for (int t = 0; t < 4; ++t)
            for (int f = 0; f < 8; ++f)
                CHECK(s.bits(4 * r + t, f, 1) == (s.weight(r, 4 * f + t) + 1) / 2);
}

TEST_CASE("ternary_planes: a mask tile, then a sign tile", "[layout]") {
    const sample<layout::ternary_planes> s(3);
    for (int r = 0; r < 16; ++r)
        for (int t = 0; t < 4; ++t)
            for (int f = 0; f < 8; ++f) {
                const int w = s.weight(r, 4 * f + t);
                CHECK(s.bits(4 * r + t, f, 1) == (w != 0 ? 1 : 0));
                CHECK(s.bits(64 + 4 * r + t, f, 1) == (w < 0 ? 1 : 0));
            }
}

TEST_CASE("ternary_base3: byte r is w0 + 3 w1 + 9 w2 + 27 w3 + 81 w4, signed", "[layout]") {
    const sample<layout::ternary_base3> s(4);
    for (int r = 0; r < 64; ++r)
        CHECK(static_cast<std::int8_t>(s.bytes[static_cast<std::size_t>(r)]) ==
              s.weight(r, 0) + 3 * s.weight(r, 1) + 9 * s.weight(r, 2) + 27 * s.weight(r, 3) +
                  81 * s.weight(r, 4));
}

TEST_CASE("ternary_base3: all 243 rows of five decode, the other 13 bytes are zeros", "[layout]") {
    int decoded = 0;
    for (int byte = 0; byte < 256; ++byte) {
        std::byte tile[64] = {};
        tile[7] = static_cast<std::byte>(byte);
        std::int8_t w[64 * 5];
        layout::ternary_base3::decode(tile, w);
        const std::int8_t* row = w + 7 * 5;
        const int code = row[0] + 3 * row[1] + 9 * row[2] + 27 * row[3] + 81 * row[4];
        const int meant = static_cast<std::int8_t>(byte);
        const bool valid = layout::ternary_base3::valid(tile);
        CHECK(valid == (meant >= -121 && meant <= 121));
        CHECK(code == (valid ? meant : 0));
        decoded += valid;
    }
    CHECK(decoded == 243);
}
