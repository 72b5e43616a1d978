// SPDX-License-Identifier: MIT
// Tests of room gguf: no bytes whatever crash the reader, make it read outside, or cost more than
// their own size. Meant to run under the sanitizers too.
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <algorithm>
#include <cstring>
#include <initializer_list>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "gguf/dequantize.hpp"
#include "gguf/reader.hpp"
#include "gguf/weight_rows.hpp"
#include "test_bytes.hpp"

using namespace tbx;
using gguf::value_type;
using testing::bytes_of;
using testing::gguf_bytes;
using Catch::Matchers::ContainsSubstring;

namespace {

std::string sound_file() {
    gguf_bytes file(4, 7);
    file.entry("general.architecture", "llama")
        .entry<std::uint32_t>("general.alignment", value_type::u32, 32)
        .entry<std::uint32_t>("llama.block_count", value_type::u32, 2)
        .entry<float>("eps", value_type::f32, 1e-5f)
        .entry<std::uint8_t>("flag", value_type::boolean, 1)
        .array("scores", value_type::f32, 3)
        .zeros(12)
        .array("tokens", value_type::string, 3)
        .text("a")
        .text("bc")
        .text("");
    file.tensor("norm", {16}, 0, 0)
        .tensor("two", {256, 2}, 35, 64)
        .tensor("one", {128, 2}, 36, 224)
        .tensor("half", {4, 3}, 1, 320)
        .pad();
    return file.zeros(344).string();
}

// Touches everything that an open reader offers; the sanitizers watch.
std::size_t use(const gguf::reader& reader) {
    std::size_t total = 0;
    for (const gguf::entry& e : reader.entries()) {
        total += gguf::describe(e).size();
        if (e.type == value_type::array && e.element == value_type::string) {
            for (const std::string_view text : reader.strings(e.key)) total += text.size();
        }
        if (e.type == value_type::array && e.element == value_type::f32) {
            const auto view = reader.array<float>(e.key);
            for (std::size_t i = 0; i < view.size(); ++i) total += view[i] > 0 ? 1 : 0;
        }
    }
    for (const gguf::tensor& t : reader.tensors()) {
        for (const std::byte b : t.data) total += std::to_integer<std::size_t>(b);
        if (t.columns() > 100000) continue;
        std::vector<float> row(static_cast<std::size_t>(t.columns()));
        if (gguf::can_dequantize(t.type)) gguf::dequantize_row(t, t.rows() - 1, row);
    }
    return total;
}

// A heap block of exactly this size, so that AddressSanitizer sees the first byte too many.
bool opens(std::string_view text) {
    const std::unique_ptr<std::byte[]> block(new std::byte[text.size()]);
    std::copy_n(bytes_of(text).data(), text.size(), block.get());
    try {
        const gguf::reader reader("test", {block.get(), text.size()});
        use(reader);
        return true;
    } catch (const error&) {
        return false;
    }
}

void check_refused(const gguf_bytes& file, const std::string& reason) {
    CHECK_THROWS_WITH(gguf::reader("f", bytes_of(file.string())), ContainsSubstring(reason));
}

}  // namespace

TEST_CASE("a file cut anywhere is refused") {
    const std::string file = sound_file();
    REQUIRE(opens(file));
    for (std::size_t length = 0; length < file.size(); ++length) {
        CAPTURE(length);
        REQUIRE_FALSE(opens(file.substr(0, length)));
    }
}

TEST_CASE("flipped bits give an error or a file that can be used") {
    const std::string file = sound_file();
    const std::size_t metadata_end = file.size() - 344;
    std::mt19937 random(7);
    int refused = 0;
    for (int round = 0; round < 20000; ++round) {
        std::string damaged = file;
        for (int flips = 1 + round % 4; flips > 0; --flips) {
            const std::size_t at = random() % metadata_end;
            damaged[at] = static_cast<char>(damaged[at] ^ (1 << (random() % 8)));
        }
        refused += opens(damaged) ? 0 : 1;
    }
    CHECK(refused > 1000);
}

TEST_CASE("every field set to an extreme gives an error or a file that can be used") {
    const std::string file = sound_file();
    for (const std::uint64_t value : {std::uint64_t{0}, UINT64_MAX, std::uint64_t{1} << 63,
                                      std::uint64_t{1} << 32, std::uint64_t{0xfffffff0}}) {
        for (std::size_t at = 4; at + 8 <= file.size() - 344; ++at) {
            std::string damaged = file;
            std::memcpy(damaged.data() + at, &value, sizeof value);
            opens(damaged);
        }
    }
    SUCCEED("survived");
}

TEST_CASE("random bytes behind a sound start are survived") {
    std::mt19937 random(11);
    for (int round = 0; round < 5000; ++round) {
        gguf_bytes file(random() % 5, random() % 5);
        for (std::size_t i = random() % 300; i > 0; --i) {
            // Mostly small numbers, or nothing would get past the first length.
            file.number(static_cast<std::uint8_t>(random() % 4 == 0 ? random() % 40 : 0));
        }
        opens(file.string());
    }
    SUCCEED("survived");
}

TEST_CASE("what is no GGUF file is called so") {
    const auto refused = [](std::string_view text, const char* reason) {
        CHECK_THROWS_WITH(gguf::reader("f", bytes_of(text)), ContainsSubstring(reason));
    };
    refused("", "is empty");
    refused("GG", "not a GGUF file");
    refused("PK\3\4 something else", "not a GGUF file");
    check_refused(gguf_bytes(0, 0, 1), "version 1");
    check_refused(gguf_bytes(0, 0, 4), "version 4");
    check_refused(gguf_bytes(0, 0, 3u << 24), "big-endian");
}

TEST_CASE("counts beyond the file cost nothing and are refused") {
    check_refused(gguf_bytes(UINT64_MAX, 0), "tensors, more than it can hold");
    check_refused(gguf_bytes(0, UINT64_MAX), "entries, more than it can hold");
    check_refused(gguf_bytes(0, 1).array("a", value_type::string, UINT64_MAX).zeros(8),
                  "more than the file can hold");
    check_refused(gguf_bytes(0, 1).array("a", value_type::f64, UINT64_MAX / 8 + 1).zeros(8),
                  "more than the file can hold");
    check_refused(gguf_bytes(0, 1).number(UINT64_MAX).zeros(16), "truncated or corrupted");
}

TEST_CASE("arrays of arrays are as deep and long as the file can pay for") {
    const auto nested = [](int levels, std::uint64_t length) {
        gguf_bytes file(0, 1);
        file.array("a", levels > 1 ? value_type::array : value_type::u8, 1);
        for (int level = 2; level <= levels; ++level)
            file.number(
                    static_cast<std::uint32_t>(level < levels ? value_type::array : value_type::u8))
                .number(level < levels ? std::uint64_t{1} : length);
        return file.zeros(16);
    };
    const gguf_bytes sound = nested(8, 16);
    const gguf::reader reader("f.gguf", bytes_of(sound.string()));
    CHECK(reader.find("a")->bytes.size() == 7 * 12 + 16);
    check_refused(nested(8, 17), "more than the file can hold");
    check_refused(nested(9, 1), "too deep");
    check_refused(nested(100000, 1), "too deep");
    check_refused(gguf_bytes(0, 1).array("a", value_type::array, UINT64_MAX / 8).zeros(64),
                  "more than the file can hold");
}

TEST_CASE("metadata that contradicts itself is refused") {
    check_refused(gguf_bytes(0, 2)
                      .entry<std::uint8_t>("k", value_type::u8, 1)
                      .entry<std::uint8_t>("k", value_type::u8, 1),
                  "'k' twice");
    check_refused(gguf_bytes(0, 1).entry<std::uint32_t>("general.alignment", value_type::u32, 24),
                  "not a power of two");
    check_refused(gguf_bytes(0, 1).entry<std::uint32_t>("general.alignment", value_type::u32, 0),
                  "not a power of two");
    check_refused(gguf_bytes(0, 1).array("a", static_cast<value_type>(13), 1).zeros(64),
                  "does not allow");
    check_refused(gguf_bytes(0, 1).entry<std::uint32_t>("k", static_cast<value_type>(13), 1),
                  "unknown value type 13");
}

TEST_CASE("tensors that cannot be are refused by name") {
    const auto refused = [](std::initializer_list<std::uint64_t> extent, std::uint32_t type,
                            std::uint64_t offset, const char* reason) {
        gguf_bytes file(1, 0);
        check_refused(file.tensor("t", extent, type, offset).pad().zeros(64), reason);
    };
    refused({4, 2, 1, 1, 1}, 0, 0, "5 dimensions");
    refused({0}, 0, 0, "extent of 0");
    refused({UINT64_MAX}, 0, 0, "extent of");
    refused({std::uint64_t{1} << 32, std::uint64_t{1} << 32}, 0, 0, "extent of");
    refused({std::uint64_t{1} << 62}, 0, 0, "not whole blocks");
    refused({17}, 0, 0, "ends beyond the file");
    refused({4}, 0, 64, "ends beyond the file");
    refused({4}, 0, UINT64_MAX - 31, "ends beyond the file");
    refused({4}, 0, 4, "not aligned");
    refused({100}, 35, 0, "not whole blocks of TQ2_0");
    refused({100}, 36, 0, "a size that is none of I2_S");
    refused({4}, 143, 0, "type 143");
    gguf_bytes twice(2, 0);
    check_refused(twice.tensor("t", {4}, 0, 0).tensor("t", {4}, 0, 32).pad().zeros(64),
                  "'t' twice");
    gguf_bytes overlap(2, 0);
    check_refused(overlap.tensor("a", {16}, 0, 0).tensor("b", {4}, 0, 32).pad().zeros(64),
                  "'a' and 'b' overlap");
}

TEST_CASE("messages carry no control characters from the file") {
    gguf_bytes file(1, 0);
    file.tensor("\x1b[2J", {4}, 143, 0).pad().zeros(64);
    check_refused(file, "'?[2J'");
}
