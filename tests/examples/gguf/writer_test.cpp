// SPDX-License-Identifier: MIT
// Tests of room gguf: what the writer writes, the reader reads back; what it refuses leaves no
// file.
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <numeric>
#include <string>
#include <vector>

#include "../support/scratch_folder.hpp"
#include "gguf/quantize.hpp"
#include "gguf/reader.hpp"
#include "gguf/writer.hpp"
#include "test_bytes.hpp"

using namespace tbx;
using Catch::Matchers::ContainsSubstring;
using testing::scratch_folder;

TEST_CASE("a written file is read back") {
    const scratch_folder folder;
    const std::string path = folder.path("model.gguf");
    std::vector<float> row(10);
    std::iota(row.begin(), row.end(), 1.0f);
    const std::vector<std::int8_t> trits(256 * 2, 1);
    const auto ternary = gguf::encode_ternary(gguf::tensor_type::i2_s, trits, 256, 0.75f);
    {
        gguf::writer out(path);
        out.set("general.architecture", "bitnet");
        out.set("count", std::uint32_t{5});
        out.set("minus", std::int32_t{-5});
        out.set("large", std::uint64_t{1} << 40);
        out.set("small", std::int64_t{-1} << 40);
        out.set("eps", 1e-5f);
        out.set("flag", true);
        out.set_array("words", std::vector<std::string>{"a", "", std::string("\0b", 2)});
        out.set_array("scores", std::vector<float>{0.5f, -1.0f});
        out.set_array("types", std::vector<std::int32_t>{1, 6, 3});
        out.add_tensor("norm", gguf::tensor_type::f32, {10});
        out.add_tensor("weights", gguf::tensor_type::i2_s, {256, 2});
        out.add_tensor("last", gguf::tensor_type::f32, {5, 2});
        const auto floats = std::as_bytes(std::span(row));
        out.append(floats.first(12));  // in pieces
        out.append(floats.subspan(12));
        out.append(ternary);
        out.append(floats);
        CHECK_FALSE(std::filesystem::exists(path));
        out.finish();
    }
    const gguf::reader in(path);
    CHECK(in.version() == 3);
    CHECK(in.get<std::string>("general.architecture") == "bitnet");
    CHECK(in.get<std::uint32_t>("count") == 5);
    CHECK(in.get<int>("minus") == -5);
    CHECK(in.get<std::uint64_t>("large") == std::uint64_t{1} << 40);
    CHECK(in.get<std::int64_t>("small") == std::int64_t{-1} * (std::int64_t{1} << 40));
    CHECK(in.get<float>("eps") == 1e-5f);
    CHECK(in.get<bool>("flag"));
    CHECK(in.strings("words") ==
          std::vector<std::string_view>{"a", "", std::string_view("\0b", 2)});
    CHECK(in.array<float>("scores")[1] == -1.0f);
    CHECK(in.array<std::int32_t>("types")[1] == 6);
    REQUIRE(in.tensors().size() == 3);
    const gguf::tensor& weights = in.require_tensor("weights");
    CHECK(std::equal(weights.data.begin(), weights.data.end(), ternary.begin(), ternary.end()));
    const gguf::tensor& last = in.require_tensor("last");
    CHECK(last.columns() == 5);
    CHECK(std::memcmp(last.data.data(), row.data(), 40) == 0);
    // No gaps: each tensor begins at the next multiple of 32 after the one before.
    const auto* norm = in.require_tensor("norm").data.data();
    CHECK(weights.data.data() == norm + 64);
    CHECK(last.data.data() == norm + 64 + 160);
    CHECK(std::filesystem::file_size(path) % 32 == 0);
}

TEST_CASE("entries of every type are copied byte for byte") {
    using gguf::value_type;
    testing::gguf_bytes source(0, 20);
    source.entry<std::uint8_t>("u8", value_type::u8, 200)
        .entry<std::int8_t>("i8", value_type::i8, -100)
        .entry<std::uint16_t>("u16", value_type::u16, 60000)
        .entry<std::int16_t>("i16", value_type::i16, -300)
        .entry<std::uint32_t>("u32", value_type::u32, 4000000000u)
        .entry<std::int32_t>("i32", value_type::i32, -5)
        .entry<float>("f32", value_type::f32, -0.0f)
        .entry<std::uint32_t>("nan", value_type::f32, 0x7fc12345u)
        .entry<std::uint8_t>("yes", value_type::boolean, 2)  // not 1, and yet true
        .entry<std::uint64_t>("u64", value_type::u64, UINT64_MAX)
        .entry<std::int64_t>("i64", value_type::i64, INT64_MIN)
        .entry<double>("f64", value_type::f64, 1e300)
        .entry("text", std::string_view("a\0b", 3));
    const auto array = [&](const char* key, value_type type, std::uint64_t count,
                           std::size_t size) {
        source.array(key, type, count);
        for (std::size_t i = 0; i < count * size; ++i)
            source.number(static_cast<std::uint8_t>(200 + i));
    };
    array("bools", value_type::boolean, 3, 1);
    array("bytes", value_type::u8, 5, 1);
    array("counts", value_type::u32, 3, 4);
    array("doubles", value_type::f64, 2, 8);
    array("empty", value_type::i64, 0, 8);
    source.array("words", value_type::string, 2).text("once").text("");
    source.array("nested", value_type::array, 2);
    source.number(static_cast<std::uint32_t>(value_type::string))
        .number(std::uint64_t{1})
        .text("x");
    source.number(static_cast<std::uint32_t>(value_type::f32)).number(std::uint64_t{2}).zeros(8);

    const gguf::reader from("source", testing::bytes_of(source.string()));
    const scratch_folder folder;
    gguf::writer out(folder.path("copy.gguf"));
    for (const gguf::entry& e : from.entries()) out.copy(e);
    CHECK_THROWS_AS(out.copy(from.entries().front()), error);  // twice
    out.finish();
    std::ifstream in(folder.path("copy.gguf"), std::ios::binary);
    std::string copy{std::istreambuf_iterator<char>(in), {}};
    copy.resize(source.string().size());  // without the padding behind
    CHECK((copy == source.string()));
}

TEST_CASE("a file without tensors is a vocabulary file") {
    const scratch_folder folder;
    gguf::writer out(folder.path("v.gguf"));
    out.set("k", "v");
    out.finish();
    CHECK(gguf::reader(folder.path("v.gguf")).get<std::string>("k") == "v");
}

TEST_CASE("an incomplete or overfull file never appears") {
    const scratch_folder folder;
    const std::string path = folder.path("x.gguf");
    const std::vector<std::byte> sixteen(16);
    {
        gguf::writer out(path);
        out.add_tensor("a", gguf::tensor_type::f32, {8});
        out.append(sixteen);
        CHECK_THROWS_WITH(out.finish(), ContainsSubstring("'a' is incomplete: 16 of 32 bytes"));
    }
    {
        gguf::writer out(path);
        out.add_tensor("a", gguf::tensor_type::f32, {3});
        CHECK_THROWS_WITH(out.append(sixteen), ContainsSubstring("more than its 12 bytes"));
    }
    {
        gguf::writer out(path);
        CHECK_THROWS_WITH(out.append(sixteen), ContainsSubstring("more bytes than"));
    }
    CHECK(folder.entries() == 0);
}

TEST_CASE("declarations that no reader would accept are refused") {
    const scratch_folder folder;
    gguf::writer out(folder.path("x.gguf"));
    using enum gguf::tensor_type;
    CHECK_THROWS_AS(out.add_tensor("t", tq2_0, {100, 2}), error);
    CHECK_THROWS_AS(out.add_tensor("t", f32, {0}), error);
    CHECK_THROWS_AS(out.add_tensor("t", f32, {1, INT64_MAX, INT64_MAX}), error);
    CHECK_THROWS_AS(out.add_tensor(std::string(64, 'n'), f32, {1}), error);
    out.add_tensor("t", f32, {1});
    CHECK_THROWS_AS(out.add_tensor("t", f32, {1}), error);
    out.set("k", true);
    CHECK_THROWS_AS(out.set("k", false), error);
    out.append({});
    CHECK_THROWS_AS(out.set("late", true), error);
    CHECK_THROWS_AS(out.add_tensor("late", f32, {1}), error);
}
