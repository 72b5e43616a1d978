// SPDX-License-Identifier: MIT
// Images that are truncated, damaged, foreign or lying: each refused with a sentence. The bytes end
// at a guard page, so reading on would fault.
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <cstring>
#include <limits>

#include "sample.hpp"
#include "trilobit/testing/guarded_buffer.hpp"

using namespace trilobit;
using pack_test::sample;

namespace {

std::vector<std::byte> image(scale_spec spec = scale_spec::group(32)) {
    return pack_test::copy_of(pack<layout::ternary_2bit>(sample(20, 70, spec).view()));
}

/// The status of viewing these bytes, placed so that they start aligned. `room` of them are mapped.
status judge(const std::vector<std::byte>& bytes, verify depth = verify::everything) {
    testing::guarded_buffer at(static_cast<std::int64_t>(bytes.size()));
    // The end is at the guard when the size is a multiple of 64; otherwise up to 63 bytes before.
    if (!bytes.empty()) std::memcpy(at.data(), bytes.data(), bytes.size());
    const auto viewed = view_packed({at.data(), bytes.size()}, depth);
    const status s = viewed.error();
    if (!s.ok()) CHECK(std::string_view(s.text).ends_with('.'));
    return s;
}

/// A change of the header with its hash made right again: a liar, not an accident.
template <class T>
std::vector<std::byte> forged(std::size_t at, T value, std::vector<std::byte> bytes = image()) {
    std::memcpy(bytes.data() + at, &value, sizeof value);
    const std::uint64_t hash = detail::hash_bytes(bytes.data(), 56);
    std::memcpy(bytes.data() + 56, &hash, sizeof hash);
    return bytes;
}

}  // namespace

TEST_CASE("the sound image is accepted", "[pack]") {
    CHECK(judge(image()).ok());
    CHECK(judge(forged(24, std::int64_t{20})).ok());  // forging itself breaks nothing
}

TEST_CASE("an image of no columns cannot claim rows that no outputs could hold", "[pack]") {
    const auto none =
        pack_test::copy_of(pack<layout::ternary_2bit>(sample(20, 0, scale_spec::row()).view()));
    REQUIRE(judge(none).ok());
    CHECK(judge(forged(24, max_rows, none)).ok());
    for (const std::int64_t rows : {max_rows + 1, std::int64_t{1930191970}, std::int64_t{1} << 39})
        CHECK(judge(forged(24, rows, none)).code == errc::bad_format);
}

TEST_CASE("an image truncated anywhere is refused", "[pack]") {
    const auto whole = image();
    int accepted = 0;
    for (std::size_t n = 0; n < whole.size(); ++n)
        for (const verify depth : {verify::header, verify::everything})
            accepted +=
                judge({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(n)}, depth).ok();
    CHECK(accepted == 0);
}

TEST_CASE("every changed byte of the header is noticed", "[pack]") {
    int accepted = 0;
    for (std::size_t at = 0; at < 64; ++at)
        for (int bit = 0; bit < 8; ++bit) {
            auto bytes = image();
            bytes[at] ^= static_cast<std::byte>(1 << bit);
            // The payload's hash is covered by the header's, so both depths notice.
            accepted += judge(bytes, verify::header).ok();
            accepted += judge(bytes).ok();
        }
    CHECK(accepted == 0);
}

TEST_CASE("every changed bit of the payload is noticed", "[pack]") {
    auto bytes = image();
    int accepted = 0;
    for (std::size_t at = 64; at < bytes.size(); ++at) {
        const std::byte flip{static_cast<unsigned char>(1 << (at % 8))};
        bytes[at] ^= flip;
        accepted += judge(bytes).ok();
        bytes[at] ^= flip;
    }
    CHECK(accepted == 0);
    CHECK(judge(bytes).ok());
}

TEST_CASE("another version, layout or file is named as such", "[pack]") {
    for (const int version : {0, 1, 2, 3, 5, 0xffff}) {
        const status s = judge(forged(8, static_cast<std::uint16_t>(version)));
        CHECK(s.code == errc::bad_format);
        CHECK_THAT(s.text, Catch::Matchers::ContainsSubstring("version") &&
                               Catch::Matchers::ContainsSubstring("pack it again"));
    }
    CHECK(judge(forged(8, std::uint16_t{4})).ok());
    CHECK_THAT(judge(forged(0, 'X')).text, Catch::Matchers::ContainsSubstring("TRILOBIT"));
    for (const std::uint32_t id : {0u, 8u, 0xfffu})
        CHECK_THAT(judge(forged(16, id)).text, Catch::Matchers::ContainsSubstring("layout"));
    // A layout of ours with another tile than ours.
    CHECK(judge(forged(16, std::uint32_t{2})).code == errc::bad_format);
    CHECK(judge(forged(10, std::uint16_t{32})).code == errc::bad_format);
    CHECK(judge(forged(12, std::uint16_t{0})).code == errc::bad_format);
}

TEST_CASE("a foreign layout is believed if its tile is possible", "[pack]") {
    CHECK(judge(forged(16, std::uint32_t{0x1000})).ok());
    for (const std::size_t at : {std::size_t{10}, std::size_t{12}, std::size_t{14}}) {
        auto bytes = forged(16, std::uint32_t{0x1000});
        std::memset(bytes.data() + at, 0, 2);
        const std::uint64_t hash = detail::hash_bytes(bytes.data(), 56);
        std::memcpy(bytes.data() + 56, &hash, sizeof hash);
        CHECK(judge(bytes).code == errc::bad_format);
    }
}

TEST_CASE("sizes that lie are refused without being believed", "[pack]") {
    constexpr auto huge = std::numeric_limits<std::int64_t>::max();
    for (const std::int64_t n :
         {huge, huge - 15, huge / 64, std::int64_t{1} << 40, std::int64_t{1} << 32,
          std::int64_t{33}, std::int64_t{-1}, std::numeric_limits<std::int64_t>::min()})
        for (const std::size_t at : {std::size_t{24}, std::size_t{32}})
            for (const scale_spec& spec :
                 {scale_spec::tensor(), scale_spec::row(), scale_spec::group(32)}) {
                if (at == 32 && n == 33) continue;  // fewer columns: fits, but hashes differ
                CAPTURE(n, at, spec.group_cols);
                CHECK(judge(forged(at, n, image(spec)), verify::header).code == errc::bad_format);
                CHECK(judge(forged(at, n, image(spec))).code == errc::bad_format);
            }
}

TEST_CASE("scale specs that do not exist are refused", "[pack]") {
    for (const std::uint32_t group : {0u, 1u, 31u, 33u, 512u, 0x80000000u, 0xffffffffu}) {
        if (group == 32) continue;
        CHECK(judge(forged(20, group), verify::header).code == errc::bad_format);
    }
    CHECK(judge(forged(40, std::uint8_t{0}), verify::header).code == errc::bad_format);
    CHECK(judge(forged(40, std::uint8_t{3}), verify::header).code == errc::bad_format);
    CHECK(judge(forged(41, std::uint8_t{2}), verify::header).code == errc::bad_format);
    CHECK(judge(forged(41, std::uint8_t{255}), verify::header).code == errc::bad_format);
}

TEST_CASE("a scale that is no number is refused even when only the header is verified", "[pack]") {
    for (const scale_spec& spec :
         {scale_spec::tensor(), scale_spec::row(), scale_spec::group(32)}) {
        const auto packed = pack<layout::ternary_2bit>(sample(20, 70, spec).view());
        const auto offset = static_cast<std::size_t>(
            static_cast<const std::byte*>(packed.view().scales) - packed.bytes().data());
        auto bytes = pack_test::copy_of(packed);
        const std::uint32_t nan = 0x7fc07e00u;  // NaN as one float and as one of two halves
        std::memcpy(bytes.data() + offset, &nan, 4);
        CHECK_THAT(judge(bytes, verify::header).text, Catch::Matchers::ContainsSubstring("scale"));
    }
}

TEST_CASE("an image that does not start on a cache line is refused", "[pack]") {
    const auto bytes = image();
    testing::guarded_buffer at(static_cast<std::int64_t>(bytes.size()) + 64);
    for (const std::size_t shift : {1u, 8u, 32u, 63u}) {
        std::memcpy(at.data() + shift, bytes.data(), bytes.size());
        CHECK(view_packed({at.data() + shift, bytes.size()}).error().code == errc::bad_shape);
    }
}
