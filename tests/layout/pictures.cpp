// SPDX-License-Identifier: MIT
// The layouts against their published pictures, written here once more as formulas of bits.
#include <catch2/catch_template_test_macros.hpp>
#include <catch2/catch_test_macros.hpp>
#include <set>
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
                v = static_cast<std::int8_t>(r.between(L::kind::lowest, L::kind::highest));
            while (!L::kind::holds(v));
        for (int row = 0; row < L::tile_rows; ++row)
            fit_row<typename L::kind>(w.data() + row * L::tile_cols, L::tile_cols);
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

TEMPLATE_TEST_CASE(
    "quaternary_2bit: byte 4r+t, bits 2f+1..2f are column 4f+t, codes from the lowest", "[layout]",
    layout::quaternary_2bit, layout::quaternary_2bit_low, layout::quaternary_2bit_odd) {
    const sample<TestType> s(5);
    const auto [lowest, step] = TestType::id == layout_id::quaternary_2bit       ? std::pair{-1, 1}
                                : TestType::id == layout_id::quaternary_2bit_low ? std::pair{-2, 1}
                                                                                 : std::pair{-3, 2};
    int counts[4] = {};
    for (int r = 0; r < 16; ++r)
        for (int t = 0; t < 4; ++t)
            for (int f = 0; f < 4; ++f) {
                const int code = s.bits(4 * r + t, 2 * f, 2);
                CHECK(lowest + step * code == s.weight(r, 4 * f + t));
                ++counts[code];
            }
    for (const int count : counts) CHECK(count > 0);
}

TEST_CASE("the four levels are those of their zero points, times two where they are halves",
          "[layout]") {
    const auto levels = []<class L>(std::type_identity<L>) {
        std::vector<int> all;
        for (int v = -128; v < 128; ++v)
            if (L::kind::holds(static_cast<std::int8_t>(v))) all.push_back(v);
        return all;
    };
    using std::type_identity;
    CHECK(levels(type_identity<layout::quaternary_2bit>{}) == std::vector{-1, 0, 1, 2});
    CHECK(levels(type_identity<layout::quaternary_2bit_low>{}) == std::vector{-2, -1, 0, 1});
    CHECK(levels(type_identity<layout::quaternary_2bit_odd>{}) == std::vector{-3, -1, 1, 3});
}

TEST_CASE("trits lie in quaternary_2bit as in ternary_2bit", "[layout]") {
    const sample<layout::ternary_2bit> s(1);
    std::vector<std::byte> tile(64);
    layout::quaternary_2bit::encode(s.w.data(), tile.data());
    CHECK(tile == s.bytes);
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

TEST_CASE("ternary_base3: bits 7..5 and 4..0 of byte r, as they are drawn", "[layout]") {
    const auto trit = [](int n) { return n % 3 == 2 ? -1 : n % 3; };
    int others = 0;
    for (std::uint64_t seed = 4; seed < 14; ++seed) {
        const sample<layout::ternary_base3> s(seed);
        for (int r = 0; r < 64; ++r) {
            const int a = s.bits(r, 0, 5), b = s.bits(r, 5, 3);
            std::vector<int> w;
            for (int c = 0; c < 5; ++c) w.push_back(s.weight(r, c));
            if (w[0] != -1 || w[1] != -1)
                CHECK(w == std::vector{trit(b), trit(b / 3), trit(a), trit(a / 3), trit(a / 9)});
            else if (w[2] != -1 || w[3] != -1)
                CHECK(w == std::vector{-1, -1, trit(b / 3), trit(b), trit(a - 28)});
            else
                CHECK(s.bits(r, 0, 8) == (w[4] < 0 ? 91 : w[4] == 0 ? 223 : 255));
            others += w[0] == -1 && w[1] == -1;
        }
    }
    CHECK(others > 20);
}

TEST_CASE("ternary_base3: 243 bytes are rows of five, the other 13 read as zeros", "[layout]") {
    std::set<std::vector<int>> rows;
    int valid = 0;
    for (int byte = 0; byte < 256; ++byte) {
        std::byte tile[64] = {};
        tile[7] = static_cast<std::byte>(byte);
        std::int8_t w[64 * 5];
        layout::ternary_base3::decode(tile, w);
        const std::vector<int> row(w + 7 * 5, w + 8 * 5);
        if (layout::ternary_base3::valid(tile)) {
            ++valid;
            rows.insert(row);
        } else {
            CHECK(row == std::vector<int>(5, 0));
        }
    }
    CHECK(valid == 243);
    CHECK(rows.size() == 243);
}

TEST_CASE("ternary_3of4: the place of the zero, and the signs of the others", "[layout]") {
    std::set<std::vector<int>> fours;
    for (std::uint64_t seed = 1; seed < 4; ++seed) {
        const sample<layout::ternary_3of4> s(seed);
        for (int r = 0; r < 64; ++r)
            for (int g = 0; g < 8; ++g) {
                const int index = s.bits(64 * (g / 2) + r, g % 2 * 4, 4);
                const int sign = s.bits(256 + r, 7 - g, 1);
                std::vector<int> others, all;
                for (int c = 0; c < 4; ++c) {
                    all.push_back(s.weight(r, 4 * g + c));
                    if (c != index / 4) others.push_back(all.back());
                }
                CHECK(all[static_cast<std::size_t>(index / 4)] == 0);
                const int first = sign != 0 ? -1 : 1;
                CHECK(others == std::vector{first, index % 2 != 0 ? -first : first,
                                            index / 2 % 2 != 0 ? -first : first});
                fours.insert(all);
            }
    }
    CHECK(fours.size() == 32);
}

TEST_CASE("ternary_3of4: four weights of padding end with their zero", "[layout]") {
    using L = layout::ternary_3of4;
    for (int known = 0; known < 4; ++known)  // of the last group of a row
        for (int n = 0; n < 81; ++n) {
            std::int8_t w[64 * 32], back[64 * 32];
            std::fill(std::begin(w), std::end(w), L::kind::padding);
            for (int i = 0, digits = n; i < known; ++i, digits /= 3)
                w[28 + i] = static_cast<std::int8_t>(digits % 3 - 1);
            if (!L::kind::holds_group(w + 28, known)) continue;
            std::byte tile[320];
            L::encode(w, tile);
            L::decode(tile, back);
            CHECK(std::equal(w + 28, w + 28 + known, back + 28));
        }
}
