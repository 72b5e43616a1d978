// SPDX-License-Identifier: MIT
// Tests of room gguf: in every type that can be read, a number that is NaN or infinite is found.
#include "gguf/finite.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <cstring>
#include <string>
#include <vector>

#include "test_bytes.hpp"

using namespace tbx;
using gguf::tensor_type;
using testing::bytes_of;
using testing::gguf_bytes;
using Catch::Matchers::Equals;

namespace {

/// Where a type keeps a float: `offset` into every `stride` bytes, or once, as in I2_S.
struct place {
    tensor_type type;
    std::size_t stride, offset, width;
};

constexpr std::size_t rows_of_each = 3, columns_of_each = 512;

constexpr place places[] = {
    {tensor_type::f32, 4, 0, 4},     {tensor_type::f16, 2, 0, 2},
    {tensor_type::bf16, 2, 0, 2},    {tensor_type::q8_0, 34, 0, 2},
    {tensor_type::q4_0, 18, 0, 2},   {tensor_type::q6_k, 210, 208, 2},
    {tensor_type::tq1_0, 54, 52, 2}, {tensor_type::tq2_0, 66, 64, 2},
    {tensor_type::q1_0, 18, 0, 2},   {tensor_type::q2_0, 18, 0, 2},
};

std::string file_of(tensor_type type) {
    gguf_bytes file(1, 0);
    file.tensor("w", {columns_of_each, rows_of_each}, static_cast<std::uint32_t>(type), 0).pad();
    return file
        .zeros(static_cast<std::size_t>(
            *gguf::tensor_bytes(type, static_cast<std::int64_t>(columns_of_each),
                                static_cast<std::int64_t>(rows_of_each))))
        .string();
}

std::size_t data_bytes(const std::string& file) {
    return gguf::reader("m", bytes_of(file)).tensors()[0].data.size();
}

// All exponent bits, little-endian: an infinity of f32 and bf16, or of f16.
void put_infinity(std::string& file, std::size_t at, const place& p) {
    const std::uint32_t word = p.width == 4                  ? 0xff800000u
                               : p.type == tensor_type::bf16 ? 0xff80u
                                                             : 0xfc00u;
    std::memcpy(file.data() + at, &word, p.width);
}

}  // namespace

TEST_CASE("an infinity in any row of any type is found and its row named") {
    for (const place& p : places) {
        INFO(gguf::name_of(p.type));
        const std::string sound = file_of(p.type);
        const std::size_t size = data_bytes(sound), start = sound.size() - size;
        const gguf::reader good("m.gguf", bytes_of(sound));
        CHECK_NOTHROW(gguf::require_finite(good, good.tensors()[0]));
        for (std::size_t block = 0; block < size; block += p.stride * 5) {
            std::string bad = sound;
            put_infinity(bad, start + block + p.offset, p);
            const gguf::reader file("m.gguf", bytes_of(bad));
            const gguf::tensor& t = file.tensors()[0];
            const std::size_t row = block / (size / rows_of_each);
            CHECK_THROWS_WITH(gguf::require_finite(file, t),
                              Equals("m.gguf: tensor 'w', row " + std::to_string(row) +
                                     ": holds NaN or infinity"));
            for (std::size_t r = 0; r < rows_of_each; ++r)
                CHECK(gguf::all_finite(t, static_cast<std::int64_t>(r),
                                       static_cast<std::int64_t>(r + 1)) == (r != row));
        }
    }
}

TEST_CASE("bytes that hold no float may be what they like") {
    for (const place& p : places) {
        if (p.stride == p.width) continue;
        INFO(gguf::name_of(p.type));
        std::string file = file_of(p.type);
        const std::size_t size = data_bytes(file), start = file.size() - size;
        for (std::size_t i = 0; i < size; ++i)
            if (i % p.stride < p.offset || i % p.stride >= p.offset + p.width)
                file[start + i] = '\xff';
        const gguf::reader reader("m", bytes_of(file));
        CHECK_NOTHROW(gguf::require_finite(reader, reader.tensors()[0]));
    }
}

TEST_CASE("the one scale of I2_S, and types that cannot be read") {
    std::string file = file_of(tensor_type::i2_s);
    const std::uint32_t nan = 0x7fc00000u;
    std::memcpy(file.data() + file.size() - 32, &nan, sizeof nan);
    const gguf::reader reader("m", bytes_of(file));
    CHECK_THROWS_AS(gguf::require_finite(reader, reader.tensors()[0]), error);
    const std::string other = file_of(tensor_type::q5_0);
    const gguf::reader unread("m", bytes_of(other));
    CHECK_THROWS_WITH(gguf::require_finite(unread, unread.tensors()[0]),
                      Equals("m: tensor 'w': its type Q5_0 cannot be read"));
}
