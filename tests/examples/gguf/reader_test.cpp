// SPDX-License-Identifier: MIT
// Tests of room gguf: what the reader gives back from sound files, and that typed access converts
// what fits and refuses the rest by name.
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <cstring>
#include <string>
#include <vector>

#include "gguf/reader.hpp"
#include "test_bytes.hpp"

using namespace tbx;
using gguf::value_type;
using testing::bytes_of;
using testing::gguf_bytes;
using Catch::Matchers::Equals;

namespace {

gguf_bytes all_types() {
    gguf_bytes file(2, 11);
    file.entry<std::uint8_t>("u8", value_type::u8, 200)
        .entry<std::int16_t>("i16", value_type::i16, -300)
        .entry<std::uint32_t>("u32", value_type::u32, 4000000000u)
        .entry<std::int64_t>("i64", value_type::i64, -5)
        .entry<std::uint64_t>("u64", value_type::u64, UINT64_MAX)
        .entry<float>("f32", value_type::f32, 0.5f)
        .entry<double>("f64", value_type::f64, 0.25)
        .entry<std::uint8_t>("yes", value_type::boolean, 1)
        .entry("name", "Lily")
        .array("numbers", value_type::i32, 3)
        .number<std::int32_t>(1)
        .number<std::int32_t>(-2)
        .number<std::int32_t>(3)
        .array("words", value_type::string, 3)
        .text("once")
        .text("")
        .text("upon");
    file.tensor("weights", {4, 2}, 0, 0).tensor("ternary", {128, 3}, 36, 32).pad();
    for (int i = 0; i < 8; ++i) file.number<float>(static_cast<float>(i));
    return file.zeros(128 * 3 / 4 + 32);
}

}  // namespace

TEST_CASE("metadata comes back in the types that its values fit") {
    const gguf_bytes file = all_types();
    const gguf::reader reader("test", bytes_of(file.string()));
    CHECK(reader.version() == 3);
    CHECK(reader.entries().size() == 11);
    CHECK(reader.get<int>("u8") == 200);
    CHECK(reader.get<std::int64_t>("i16") == -300);
    CHECK(reader.get<std::uint64_t>("u32") == 4000000000u);
    CHECK(reader.get<int>("i64") == -5);
    CHECK(reader.get<std::uint64_t>("u64") == UINT64_MAX);
    CHECK(reader.get<float>("f32") == 0.5f);
    CHECK(reader.get<double>("f64") == 0.25);
    CHECK(reader.get<float>("u8") == 200.0f);
    CHECK(reader.get<bool>("yes"));
    CHECK(reader.get<std::string_view>("name") == "Lily");
    CHECK(reader.get_or<int>("absent", 7) == 7);
    CHECK(reader.get_or<std::string>("name", "?") == "Lily");

    const auto numbers = reader.array<std::int32_t>("numbers");
    REQUIRE(numbers.size() == 3);
    CHECK(numbers[1] == -2);
    CHECK(reader.strings("words") == std::vector<std::string_view>{"once", "", "upon"});
}

TEST_CASE("a value that does not fit names the key and both types") {
    const gguf_bytes file = all_types();
    const gguf::reader r("m.gguf", bytes_of(file.string()));
    CHECK_THROWS_WITH(r.get<int>("u32"),
                      Equals("m.gguf: metadata key 'u32' is out of range: 4000000000"));
    CHECK_THROWS_WITH(r.get<std::uint32_t>("i64"),
                      Equals("m.gguf: metadata key 'i64' is out of range: -5"));
    CHECK_THROWS_WITH(r.get<std::int64_t>("u64"),
                      Equals("m.gguf: metadata key 'u64' is out of range: 18446744073709551615"));
    CHECK_THROWS_WITH(r.get<int>("name"),
                      Equals("m.gguf: metadata key 'name' should be an integer but is string"));
    CHECK_THROWS_WITH(r.get<int>("f32"),
                      Equals("m.gguf: metadata key 'f32' should be an integer but is f32"));
    CHECK_THROWS_WITH(r.get<bool>("u8"),
                      Equals("m.gguf: metadata key 'u8' should be bool but is u8"));
    CHECK_THROWS_WITH(r.get_or<bool>("u8", true),
                      Equals("m.gguf: metadata key 'u8' should be bool but is u8"));
    CHECK_THROWS_WITH(
        r.get<std::string>("words"),
        Equals("m.gguf: metadata key 'words' should be string but is array of string"));
    CHECK_THROWS_WITH(
        r.array<float>("numbers"),
        Equals("m.gguf: metadata key 'numbers' should be array of f32 but is array of "
               "i32"));
    CHECK_THROWS_WITH(
        r.strings("name"),
        Equals("m.gguf: metadata key 'name' should be array of string but is string"));
    CHECK_THROWS_WITH(r.get<int>("absent"), Equals("m.gguf: lacks metadata key 'absent'"));
    CHECK_THROWS_WITH(r.require_tensor("absent"), Equals("m.gguf: lacks tensor 'absent'"));
}

TEST_CASE("tensors come back with their shape and exactly their bytes") {
    const gguf_bytes file = all_types();
    const gguf::reader reader("test", bytes_of(file.string()));
    const gguf::tensor& weights = reader.require_tensor("weights");
    CHECK(weights.type == gguf::tensor_type::f32);
    CHECK(weights.dimensions == 2);
    CHECK(weights.columns() == 4);
    CHECK(weights.rows() == 2);
    CHECK(weights.data.size() == 32);
    const gguf::tensor& ternary = reader.require_tensor("ternary");
    CHECK(ternary.type == gguf::tensor_type::i2_s);
    CHECK(ternary.data.size() == 128 * 3 / 4 + 32);
    CHECK(ternary.data.data() + ternary.data.size() ==
          bytes_of(file.string()).data() + file.string().size());
    CHECK(reader.find_tensor("weight") == nullptr);
}

TEST_CASE("version 2 is read, the alignment is honoured, entries are described") {
    gguf_bytes file(1, 1, 2);
    file.entry<std::uint32_t>("general.alignment", value_type::u32, 8);
    file.tensor("t", {1}, 0, 8).pad(8).zeros(8).number<float>(2.5f);
    const gguf::reader reader("test", bytes_of(file.string()));
    CHECK(reader.version() == 2);
    float value = 0;
    std::memcpy(&value, reader.tensors()[0].data.data(), sizeof value);
    CHECK(value == 2.5f);
    CHECK(gguf::describe(*reader.find("general.alignment")) == "8");
}

TEST_CASE("entries are described without control characters and without end") {
    gguf_bytes file(0, 2);
    file.entry("text", std::string("a\x1b[2J\nb") + std::string(200, 'c'));
    file.array("list", value_type::u8, 2).zeros(2);
    const gguf::reader reader("test", bytes_of(file.string()));
    CHECK(gguf::describe(*reader.find("text"), 8) == "a [2J bc...");
    CHECK(gguf::describe(*reader.find("list")) == "array of u8, 2 elements");
}
