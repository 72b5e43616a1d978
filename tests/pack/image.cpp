// SPDX-License-Identifier: MIT
// The bytes of an image: the header as header.hpp draws it, sections, and viewing them in place.
#include <catch2/catch_template_test_macros.hpp>
#include <catch2/catch_test_macros.hpp>
#include <cstring>

#include "sample.hpp"

using namespace trilobit;
using pack_test::sample;

namespace {

template <class T>
T field(std::span<const std::byte> bytes, std::size_t at) {
    T value;
    std::memcpy(&value, bytes.data() + at, sizeof value);
    return value;
}

}  // namespace

TEST_CASE("the header lies as it is drawn", "[pack]") {
    const sample s(70, 100, scale_spec::group(64, scale_type::f16));
    const auto packed = pack<layout::ternary_base3>(s.view());
    REQUIRE(packed.status().ok());
    const auto b = packed.bytes();
    CHECK(std::memcmp(b.data(), "TRILOBIT", 8) == 0);
    CHECK(field<std::uint16_t>(b, 8) == 4);
    CHECK(field<std::uint16_t>(b, 10) == 64);
    CHECK(field<std::uint16_t>(b, 12) == 5);
    CHECK(field<std::uint16_t>(b, 14) == 64);
    CHECK(field<std::uint32_t>(b, 16) == 2);
    CHECK(field<std::uint32_t>(b, 20) == 64);
    CHECK(field<std::int64_t>(b, 24) == 70);
    CHECK(field<std::int64_t>(b, 32) == 100);
    CHECK(field<std::uint8_t>(b, 40) == 2);
    CHECK(field<std::uint8_t>(b, 41) == 1);
    for (std::size_t i = 42; i < 48; ++i) CHECK(b[i] == std::byte{});
    // Two row blocks; segments of 64 and 36 columns take 13 and 8 tiles.
    const std::size_t tiles = 2 * (13 + 8) * 64, scales = 2 * 2 * 64 * 2;
    CHECK(b.size() == 64 + tiles + scales);
    CHECK(packed.view().tiles == b.data() + 64);
    CHECK(packed.view().scales == b.data() + 64 + tiles);
    // Row 65's second group: block 1, segment 1, row 1.
    CHECK(f16_to_f32(field<std::uint16_t>(b, 64 + tiles + 2 * ((1 * 2 + 1) * 64 + 1))) ==
          s.scales[65 * 2 + 1]);
}

TEST_CASE("an image ends with zeros up to a multiple of 64", "[pack]") {
    const sample s(1, 1, scale_spec::tensor());
    const auto packed = pack<layout::ternary_2bit>(s.view());
    const auto b = packed.bytes();
    REQUIRE(b.size() == 64 + 64 + 64);
    CHECK(field<float>(b, 128) == s.scales[0]);
    for (std::size_t i = 132; i < 192; ++i) CHECK(b[i] == std::byte{});
}

TEST_CASE("bytes are pinned: the same weights make this image in every version 4", "[pack]") {
    // The LCG of the golden vectors, 16 x 32 values.
    std::uint32_t x = 1;
    sample s(16, 32, scale_spec::row(scale_type::f16));
    for (auto& v : s.values) {
        x = x * 1664525u + 1013904223u;
        v = static_cast<std::int8_t>(static_cast<int>((x >> 16) % 3) - 1);
    }
    for (auto& v : s.scales) v = 0.5f;
    const auto two = pack<layout::ternary_2bit>(s.view());
    REQUIRE(two.status().ok());
    // Row 0 starts 0+00--+--0-++--+: columns 0, 4, 8, 12 are 0, -, -, +.
    CHECK(two.bytes()[64] == std::byte{0x01 | 0x00 << 2 | 0x00 << 4 | 0x02 << 6});
    CHECK(two.bytes()[65] == std::byte{0x02 | 0x00 << 2 | 0x01 << 4 | 0x00 << 6});
    const auto base3 = pack<layout::ternary_base3>(s.view());
    // 0 + 0 0 - : bits 7..5 are 3 for 0 +, bits 4..0 are 18 for 0 0 -.
    CHECK(base3.bytes()[64] == std::byte{3 << 5 | 18});
}

TEMPLATE_LIST_TEST_CASE("an image is viewed where it lies", "[pack]", layouts) {
    for (const scale_spec& spec : pack_test::all_specs()) {
        const sample s = sample::of<TestType>(35, 90, spec);
        const auto packed = pack<TestType>(s.view());
        for (const verify depth : {verify::header, verify::everything}) {
            const auto viewed = view_packed(packed.bytes(), depth);
            REQUIRE(viewed.ok());
            CHECK(viewed.value().tiles == packed.view().tiles);
            CHECK(viewed.value().scales == packed.view().scales);
            CHECK(viewed.value().scale == spec);
            CHECK(pack_test::differences<TestType>(viewed.value(), s) == 0);
        }
    }
}

TEST_CASE("an image moves into an arena as it is", "[pack]") {
    const sample s(70, 100, scale_spec::group(64));
    auto packed = pack<layout::ternary_2bit>(s.view());
    const std::vector<std::byte> before(packed.bytes().begin(), packed.bytes().end());
    page_arena arena;
    const std::byte* place = arena.take(64);
    REQUIRE(packed.move_to(arena).ok());
    CHECK(packed.bytes().data() == place + 64);
    CHECK(std::equal(before.begin(), before.end(), packed.bytes().begin(), packed.bytes().end()));
    CHECK(packed.view().tiles == packed.bytes().data() + 64);
    CHECK(view_packed(packed.bytes()).ok());
    any_packed_matrix never;
    CHECK_FALSE(never.move_to(arena).ok());
}

TEST_CASE("a buffer that an image was read into becomes a packed matrix", "[pack]") {
    const sample s(70, 100, scale_spec::group(64));
    const auto packed = pack<layout::ternary_2bit>(s.view());
    const auto copy = [&] {
        aligned_buffer bytes(packed.bytes().size());
        std::memcpy(bytes.data(), packed.bytes().data(), bytes.size());
        return bytes;
    };
    const packed_matrix<layout::ternary_2bit> read(copy());
    REQUIRE(read.status().ok());
    CHECK(pack_test::copy_of(read) == pack_test::copy_of(packed));
    CHECK(pack_test::differences<layout::ternary_2bit>(read.view(), s) == 0);
    aligned_buffer damaged = copy();
    damaged.data()[100] ^= std::byte{1};
    const any_packed_matrix refused(std::move(damaged));
    CHECK(refused.status().code == errc::bad_format);
    CHECK(refused.view().tiles == nullptr);
    CHECK(refused.bytes().empty());
}

TEST_CASE("bytes after the image do not matter", "[pack]") {
    const auto packed = pack<layout::binary_1bit>(sample(3, 9, {}, false).view());
    aligned_buffer longer(packed.bytes().size() + 1000);
    std::memset(longer.data(), 0xee, longer.size());
    std::memcpy(longer.data(), packed.bytes().data(), packed.bytes().size());
    CHECK(view_packed({longer.data(), longer.size()}).ok());
}

TEST_CASE("hash_bytes sees every byte, its place and the length", "[pack]") {
    std::byte zeros[200] = {};
    for (const std::size_t n : {0u, 1u, 7u, 8u, 9u, 63u, 64u, 65u, 127u, 128u, 199u}) {
        const std::uint64_t whole = detail::hash_bytes(zeros, n);
        CHECK(whole != detail::hash_bytes(zeros, n + 1));
        for (std::size_t i = 0; i < n; ++i)
            for (int bit = 0; bit < 8; ++bit) {
                zeros[i] = static_cast<std::byte>(1 << bit);
                CHECK(detail::hash_bytes(zeros, n) != whole);
                zeros[i] = std::byte{};
            }
    }
}
