// SPDX-License-Identifier: MIT
// Tests of room gguf: numbers of types that forks gave several meanings.
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

#include "formats/all.hpp"
#include "gguf/dequantize.hpp"
#include "gguf/meanings.hpp"
#include "gguf/quantize.hpp"
#include "gguf/reader.hpp"
#include "gguf/weight_rows.hpp"
#include "test_bytes.hpp"

using namespace tbx;
using gguf::tensor_type;
using testing::bytes_of;
using testing::gguf_bytes;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::Equals;

namespace {

struct plain_tensor {
    std::uint64_t columns, rows;
    std::size_t bytes;
};

/// Tensors of one number, one after the other as writers pack them.
std::string file_of_id(std::uint32_t id, std::initializer_list<plain_tensor> parts,
                       std::uint32_t file_type = 0, std::string_view architecture = "llama") {
    gguf_bytes file(parts.size(), 2);
    file.entry("general.architecture", architecture)
        .entry<std::uint32_t>("general.file_type", gguf::value_type::u32, file_type);
    std::uint64_t offset = 0;
    char name = 'a';
    for (const plain_tensor& p : parts) {
        file.tensor(std::string(1, name++), {p.columns, p.rows}, id, offset);
        offset += (p.bytes + 31) / 32 * 32;
    }
    return file.pad().zeros(offset).string();
}

tensor_type type_in(const std::string& file) {
    return gguf::reader("f", bytes_of(file)).tensors()[0].type;
}

std::size_t size_of_type(tensor_type type, std::int64_t columns, std::int64_t rows) {
    return static_cast<std::size_t>(gguf::tensor_bytes(type, columns, rows).value());
}

}  // namespace

TEST_CASE("the size of a tensor says which meaning of its number it has") {
    const struct {
        std::uint32_t id;
        tensor_type type;
    } meant[] = {
        {36, tensor_type::i2_s},      {38, tensor_type::tl1},     {39, tensor_type::tl2},
        {39, tensor_type::mxfp4},     {42, tensor_type::q2_0},    {42, tensor_type::pq2_0},
        {42, tensor_type::tl2},       {42, tensor_type::stq1_0},  {43, tensor_type::stq1_0},
        {43, tensor_type::t5b},       {142, tensor_type::pq2_0},  {143, tensor_type::ptq1_0},
        {34, tensor_type::tq1_0},     {35, tensor_type::tq2_0},   {40, tensor_type::nvfp4},
        {41, tensor_type::q1_0},      {134, tensor_type::iq1_bn}, {135, tensor_type::iq2_bn},
        {335, tensor_type::iq2_bn_r4}};
    for (const auto& [id, type] : meant) {
        CAPTURE(id, gguf::name_of(type));
        const std::size_t bytes = size_of_type(type, 512, 64);
        const std::string file = file_of_id(id, {{512, 64, bytes}, {512, 64, bytes}});
        CHECK(type_in(file) == type);
        // Padding behind the last may be missing.
        CHECK(type_in(file.substr(0, file.size() - (32 - bytes % 32) % 32)) == type);
    }
}

TEST_CASE("all tensors of a number have one meaning") {
    // Alone, the first could be Q2_0 and PQ2_0: both are padded to 64 bytes.
    const std::string alone = file_of_id(42, {{128, 1, 36}});
    CHECK_THROWS_WITH(gguf::reader("f", bytes_of(alone)),
                      Equals("f: tensor 'a' has type 42, which by its size may be Q2_0 or PQ2_0: "
                             "say which, as in --read-as 42=Q2_0"));
    CHECK(type_in(file_of_id(42, {{128, 1, 34}, {1280, 1, 340}})) == tensor_type::pq2_0);
    CHECK(type_in(file_of_id(42, {{128, 1, 36}, {1280, 1, 360}})) == tensor_type::q2_0);
    CHECK_THROWS_WITH(gguf::reader("f", bytes_of(file_of_id(42, {{1280, 1, 340}, {1280, 1, 360}}))),
                      ContainsSubstring("a size that is none of Q2_0, PQ2_0, TL2 or STQ1_0"));
    // Metadata decide where sizes do not, and only then.
    CHECK(type_in(file_of_id(42, {{128, 1, 36}}, 141)) == tensor_type::pq2_0);
    CHECK(type_in(file_of_id(42, {{1280, 1, 360}}, 141)) == tensor_type::q2_0);
}

TEST_CASE("numbers that other programs use for something else are refused by name") {
    const auto refused = [](std::uint32_t id, const char* what) {
        CHECK_THROWS_WITH(gguf::reader("f", bytes_of(file_of_id(id, {{512, 64, 32768}}))),
                          ContainsSubstring(what));
    };
    refused(143, "type 143 and a size that is none of PTQ1_0, nor is G8_0 read");
    refused(43, "a size that is none of STQ1_0 or T5B");
    refused(36, "nor is IQ4_NL_4_4 read");
    refused(38, "nor is IQ4_NL_8_8 read");
    refused(37, "type 37, I8_S or IQ4_NL_4_8");
    refused(136, "Q8_K64");
    refused(144, "type 144, which this reader does not know");
    refused(0x10000, "type 65536, which this reader does not know");  // never a number in a file
}

TEST_CASE("the user's word decides, also against sizes that all orders of I2_S share") {
    std::vector<std::int8_t> values;
    for (int i = 0; i < 4 * 256; ++i)
        values.push_back(static_cast<std::int8_t>((i * 7 + i / 5) % 3 - 1));
    for (const tensor_type type :
         {tensor_type::i2_s, tensor_type::i2_s_arm, tensor_type::i2_s_1x4}) {
        CAPTURE(gguf::name_of(type));
        const auto bytes = gguf::encode_ternary(type, values, 256, 0.5f);
        std::string file = file_of_id(36, {{256, 4, bytes.size()}});
        std::copy_n(reinterpret_cast<const char*>(bytes.data()), bytes.size(),
                    file.end() - static_cast<std::ptrdiff_t>(bytes.size()));
        CHECK(type_in(file) == tensor_type::i2_s);
        const gguf::read_as told[] = {gguf::parse_read_as("36=" + gguf::name_of(type))};
        const gguf::reader reader("f", bytes_of(file), told);
        REQUIRE(reader.tensors()[0].type == type);
        const gguf::weight_rows rows(reader, reader.tensors()[0]);
        std::vector<std::int8_t> row(256);
        std::vector<float> scales(1);
        for (std::int64_t r = 0; r < 4; ++r) {
            rows.decode(r, row, scales);
            CHECK(std::equal(row.begin(), row.end(), values.begin() + r * 256));
        }
    }
    // A type that does not fit is told so.
    const gguf::read_as told[] = {gguf::parse_read_as("36=F32")};
    CHECK_THROWS_WITH(gguf::reader("f", bytes_of(file_of_id(36, {{256, 4, 288}})), told),
                      ContainsSubstring("ends beyond the file"));
}

TEST_CASE("tiles of TL1 and TL2 are the listed ones, or those that were said") {
    const formats::shape said{256, 512, 0, {64, 96, 32}};
    std::vector<std::int8_t> values;
    for (int i = 0; i < 256 * 512; ++i)
        values.push_back(static_cast<std::int8_t>((i * 7 + i / 5) % 3 - 1));
    std::vector<std::byte> bytes(static_cast<std::size_t>(formats::tl2.bytes(said).value()));
    const float scale = 0.5f;
    for (std::int64_t r = 0; r < said.rows; ++r)
        REQUIRE(formats::tl2.write(bytes, said, r, values.data() + r * 512, &scale) ==
                formats::fault::none);
    std::string file = file_of_id(39, {{512, 256, bytes.size()}});
    std::copy_n(reinterpret_cast<const char*>(bytes.data()), bytes.size(),
                file.end() - static_cast<std::ptrdiff_t>(bytes.size()));
    const auto first_row = [&](std::span<const gguf::read_as> told) {
        const gguf::reader reader("f", bytes_of(file), told);
        REQUIRE(reader.tensors()[0].type == tensor_type::tl2);
        std::vector<float> row(512);
        gguf::dequantize_row(reader.tensors()[0], 1, row);
        return row;
    };
    std::vector<float> wanted;
    for (std::size_t c = 0; c < 512; ++c)
        wanted.push_back(0.5f * static_cast<float>(values[512 + c]));
    const gguf::read_as told[] = {gguf::parse_read_as("39=TL2:64,96,32")};
    CHECK(first_row(told) == wanted);
    CHECK(first_row({}) != wanted);
}

TEST_CASE("what the user says of a number must be a number and a type") {
    const auto refused = [](const char* text, const char* what) {
        CHECK_THROWS_WITH(gguf::parse_read_as(text), ContainsSubstring(what));
    };
    for (const char* text :
         {"", "36", "=I2_S", "x=I2_S", "-1=I2_S", "36 =I2_S", "99999999999=I2_S"})
        refused(text, "not NUMBER=NAME");
    refused("36=I3_S", "there is no type 'I3_S'");
    refused("36=", "there is no type ''");
    for (const char* text : {"39=TL2:", "39=TL2:1,2", "39=TL2:1,2,x", "39=TL2:0,96,32",
                             "39=TL2:-64,96,32", "39=TL2:64,96,32,1", "36=I2_S:64,96,32"})
        refused(text, "BM, BK and bm");
    const gguf::read_as told = gguf::parse_read_as("38=TL1:256,128,32");
    CHECK(told.id == 38);
    CHECK(told.type == tensor_type::tl1);
    CHECK(told.tile == formats::lut_tile{256, 128, 32});
}

TEST_CASE("every readable type has a name, a number and a size of its own") {
    for (const tensor_type type : gguf::readable_types()) {
        CAPTURE(gguf::name_of(type));
        CHECK(gguf::type_of_name(gguf::name_of(type)) == type);
        CHECK(gguf::can_dequantize(type));
        CHECK(gguf::file_id(type) <= gguf::largest_id);
        CHECK(gguf::tensor_bytes(type, 512, 64).has_value());
    }
    CHECK_FALSE(gguf::type_of_name("Q9"));
}
