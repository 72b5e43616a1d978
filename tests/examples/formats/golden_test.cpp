// SPDX-License-Identifier: MIT
// Tests of room formats: bytes that the formats' own tools wrote of values from a small generator.
// PQ2_0, PTQ1_0 and Hugging Face's were written by the formats' stated rules, not by their tools.
#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <string>
#include <vector>

#include "helpers.hpp"
#include "support/sha256.hpp"

using namespace tbx;
using formats::format;
using formats::shape;
using testing::from_hex;
using testing::matrix;

namespace {

struct golden {
    const format& of;
    shape size;
    const char* hex;
};

const golden goldens[] = {
    {formats::tq1_0,
     {1, 256},
     "7bc2a86f3547ec3f51580ed1c8500ef7a1caf2b82c9d1b3ecc0b663d47bf645ef69410448832c168"
     "62ec922f4b51503230d72a7f0038"},
    {formats::tq2_0,
     {1, 256},
     "8562a9a164588a48680150160668502a99065a525459a04846109148582251819a85105026a12a96"
     "158a0590906021a02a9a21485646516191695864299959460038"},
    {formats::q2_0,
     {4, 64},
     "003859208482a904125821a94289268981020038a806529851251419a665111452656191003806a6"
     "19101a5a0595066119008a05686a0038516a41a9269199164a88888648555658"},
    {formats::q1_0,
     {2, 128},
     "003808765da1720fd88245e574570d04795900389216031d063246594cb2ecae1423b353"},
    {formats::pq2_0,
     {2, 128},
     "003859208482a904125821a9428926898102a806529851251419a665111452656191003806a61910"
     "1a5a0595066119008a05686a516a41a9269199164a88888648555658"},
    {formats::ptq1_0,
     {2, 128},
     "82e9aa910f37be1a52561ebcbb4e1edd6e26896a7d9ce00b9b230038fe9f1e08f394ddd27de16605"
     "24257b3fdbaac84a963473c6cb880038"},
    {formats::i2_s,
     {2, 128},
     "52896a4a1925a22129400594902905a86690a58515650a219104462125884542a6520405984aa896"
     "54a250060609480aa8a648219591454946692519686665910000003f000000000000000000000000"
     "00000000000000000000000000000000"},
    {formats::i2_s_arm,
     {4, 64},
     "56a16a60051a880a29401086862810981a84999995552a058510564111a45582aa661002a5619894"
     "549a460112125221681a60459189916952291169689691890000003f000000000000000000000000"
     "00000000000000000000000000000000"},
    {formats::iq1_bn,
     {1, 256},
     "00382e5c1a543a906a55466e321a19fd3a937d5d99a72e737e2e653bb0e257bd817c5bd70297acfc"
     "23d22ff16ede8d25c036799c9332"},
    {formats::iq2_bn,
     {1, 256},
     "0000003f954aa90950a422a06801049292280426a41266665655a85052049541441a5582aa990480"
     "5a49261615a691408484854829a40951466246698568446929964662"},
    {formats::iq2_bn_r4,
     {4, 64},
     "0000003f0000003f0000003f0000003f811209a1288652921a255808598889952186524245945901"
     "5a5a45849661562865880a9816455a0616211804826a00a9960902285604699586a6a05224965455"},
    {formats::hf_bitnet,
     {8, 32},
     "611a4949a894a260582114464288948aa56296066425589052944580945a5521a9940a4815862a96"
     "16a01481814604822aa10664555648468560685626a06458"},
    {formats::i2_s_1x4,
     {4, 64},
     "49a461612a168a0925481491812216a25a899690195825068516510216a555486a16a0215492a896"
     "940a144242911082a84a90195595219152092995980a19250000003f000000000000000000000000"
     "00000000000000000000000000000000"},
};

matrix values_of(const golden& g) {
    const std::int64_t count = g.size.rows * g.size.cols;
    return {g.of.values == formats::kind::binary ? testing::golden_signs(count)
                                                 : testing::golden_trits(count),
            testing::alike(g.of, g.size, 0.5f)};
}

struct tl_golden {
    const format& of;
    shape size;
    std::int64_t bytes;
    const char *sha256, *first;
};

const tl_golden tl_goldens[] = {
    {formats::tl1,
     {128, 128, 0, {64, 64, 32}},
     4096,
     "4f485ef28234d1969ef68b6c8d4daf90ceed46e8ee61a26a7b44c41c67545290",
     "5470661302027618838455335622351606782578715874333308774862242000"},
    {formats::tl1,
     {128, 128, 0, {64, 64, 64}},
     4096,
     "5b0ec8638399db62965ce3ec9d9e2a2c37a8e0a0c0a6401e99fafcc9cb04c74d",
     "5470661302027618838455335622351685807515731772862618373247187807"},
    {formats::tl1,
     {256, 256, 0, {128, 128, 32}},
     16384,
     "32b8a86305e7eefa32b1fa6ebfdb54c8956712f2b466a36301f1fab971d336c0",
     "5466027683555635857573722637477806257174337762208024738615342428"},
    {formats::tl1,
     {320, 256, 0, {160, 64, 32}},
     20480,
     "82cde6baf529436242a0628dd10f3b90e331d57baa91589f87a7497d6f1a4efa",
     "5466027683555635857573722637477806257174337762208024738615342428"},
    {formats::tl2,
     {128, 256, 0, {64, 96, 32}},
     8192,
     "e6b35a8ab66af027c335f4b286e603ce3c0a999447babff505fa38e7c5997208",
     "347bdca6ca3c473765dc976a9a89c836cd97968d5c2112a747476a2ad747d418"},
    {formats::tl2,
     {128, 384, 0, {128, 96, 32}},
     11605,
     "810f3515eecfce22135831970e1ca73cd692a7546cd4de2736be205fd6a035cc",
     "3496a6c4478d9782479b2ab4d4dc73655c4ca7aa97a4891bcd60a70d86437dd4"},
    {formats::tl2,
     {256, 448, 0, {128, 192, 32}},
     26624,
     "de2bc35ceb98262519064ea26aff0d366d48656315bc64ca777eef0b9827f2d9",
     "344d88bc3707826ad768dc564908d612123c981889275b4c86aacd64c8a4d09d"},
    {formats::tl2,
     {320, 320, 0, {160, 96, 32}},
     24746,
     "4e6dfc55191cdfc2e9eae6a663d32194211d2de609d43877e6496cf4ee1d0b33",
     "34a4da923c338d079a9d1b53474cb24696b78985a7829828d48757d5495c603a"},
};

}  // namespace

TEST_CASE("values are written as the formats' own tools write them, and read again") {
    for (const golden& g : goldens) {
        CAPTURE(g.of.name);
        const auto bytes = from_hex(g.hex);
        REQUIRE(g.of.bytes(g.size) == std::ssize(bytes));
        const matrix wanted = values_of(g);
        CHECK((testing::written(g.of, g.size, wanted) == bytes));
        matrix got;
        CHECK(testing::read(g.of, g.size, bytes, got) == formats::fault::none);
        CHECK((got == wanted));
    }
}

TEST_CASE("one row of I2_S is what two rows are: blocks run on") {
    const auto bytes = from_hex(goldens[6].hex);
    REQUIRE(goldens[6].of.name == "I2_S");
    matrix got;
    CHECK(testing::read(formats::i2_s, {1, 256}, bytes, got) == formats::fault::none);
    CHECK((got.values == testing::golden_trits(256)));
}

TEST_CASE("TL1 and TL2 are written as bitnet.cpp's converter writes them, and read again") {
    for (const tl_golden& g : tl_goldens) {
        CAPTURE(g.of.name, g.size.rows, g.size.cols, g.size.tile.rows);
        const matrix wanted{testing::golden_trits(g.size.rows * g.size.cols),
                            testing::alike(g.of, g.size, 0.75f)};
        const auto bytes = testing::written(g.of, g.size, wanted);
        REQUIRE(std::ssize(bytes) == trilobit::round_up(g.bytes, 32) + 32);
        const std::span payload = std::span(bytes).first(static_cast<std::size_t>(g.bytes));
        const auto first = from_hex(g.first);
        CHECK(std::equal(first.begin(), first.end(), payload.begin()));
        support::sha256 hash;
        hash.add(payload);
        CHECK(hash.digest() == g.sha256);
        CHECK(formats::load_as<float>(bytes.data() + trilobit::round_up(g.bytes, 32)) == 0.75f);
        matrix got;
        CHECK(testing::read(g.of, g.size, bytes, got) == formats::fault::none);
        CHECK((got == wanted));
    }
}

TEST_CASE("STQ1_0 puts its groups sixteen apart and the zero where the slot says") {
    // No bytes of its tools were at hand. By the stated rule: slot 0 of sign 0 is (0, 1, 1, 1).
    std::vector<std::byte> block(42);
    formats::store_as<std::uint16_t>(block.data() + 40, trilobit::f32_to_f16(-2.5f));
    matrix got;
    REQUIRE(testing::read(formats::stq1_0, {1, 256}, block, got) == formats::fault::none);
    CHECK(got.scales[0] == -2.5f);
    for (std::size_t i = 0; i < 256; ++i) CHECK(got.values[i] == (i % 64 < 16 ? 0 : 1));
    // Slot 6, group 17 negated: (1, 0 at 1; then + and - by bits 0 and 1).
    block[8] = std::byte{0x60};
    block[34] = std::byte{0x02};
    REQUIRE(testing::read(formats::stq1_0, {1, 256}, block, got) == formats::fault::none);
    const int quad[] = {got.values[65], got.values[81], got.values[97], got.values[113]};
    CHECK(quad[0] == -1);
    CHECK(quad[1] == 0);
    CHECK(quad[2] == -1);
    CHECK(quad[3] == 1);
}
