// SPDX-License-Identifier: MIT
// Tests of safetensors files: what the writer writes is read; what the format forbids is refused
// with a sentence, wherever a file is cut and whatever its header claims.
#include "safetensors/file.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <cstring>
#include <limits>

#include "../support/scratch_folder.hpp"
#include "safetensors/json.hpp"
#include "safetensors/writer.hpp"
#include "support/error.hpp"

using namespace tbx;
using namespace tbx::safetensors;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::StartsWith;

namespace {

template <class T>
std::span<const std::byte> as_bytes(const std::vector<T>& values) {
    return std::as_bytes(std::span(values));
}

std::vector<std::byte> with_header(const std::string& header, std::size_t data) {
    std::vector<std::byte> all(8 + header.size() + data);
    formats::store_as(all.data(), static_cast<std::uint64_t>(header.size()));
    std::memcpy(all.data() + 8, header.data(), header.size());
    return all;
}

std::vector<std::byte> sample() {
    writer w;
    w.add("a", dtype::f32, {2, 3}, as_bytes(std::vector<float>{1, 2, 3, 4, 5, 6}));
    w.add("none", dtype::f32, {0, 7}, {});
    w.add("one", dtype::f64, {}, as_bytes(std::vector<double>{0.5}));
    w.add("b", dtype::bf16, {4}, as_bytes(std::vector<std::uint16_t>{0x3f80, 0xbf80, 0, 0x4000}));
    return w.bytes();
}

std::string refusal(std::span<const std::byte> bytes) {
    try {
        const file read("x", bytes);
    } catch (const error& e) {
        return e.what();
    }
    return "nothing was refused";
}

}  // namespace

TEST_CASE("safetensors: what was written is read") {
    const std::vector<std::byte> bytes = sample();
    const file read("x", bytes);
    REQUIRE(read.tensors().size() == 4);
    const tensor* a = read.find("a");
    REQUIRE(a != nullptr);
    CHECK(a->type == dtype::f32);
    CHECK((a->rows() == 2 && a->columns() == 3));
    for (int i = 0; i < 6; ++i) CHECK(value_at(*a, i) == static_cast<float>(i + 1));
    CHECK(read.find("none")->data.empty());
    CHECK((read.find("one")->rows() == 1 && value_at(*read.find("one"), 0) == 0.5f));
    CHECK((value_at(*read.find("b"), 1) == -1.0f && value_at(*read.find("b"), 3) == 2.0f));
    CHECK(read.find("c") == nullptr);
}

TEST_CASE("safetensors: cut at every byte, a file is refused") {
    const std::vector<std::byte> bytes = sample();
    for (std::size_t n = 0; n < bytes.size(); ++n) {
        // A copy, so that a sanitizer sees what is read beyond its end.
        const std::vector<std::byte> cut(bytes.begin(), bytes.begin() + static_cast<long>(n));
        INFO(n);
        CHECK_THAT(refusal(cut), StartsWith("x: is "));
    }
    std::vector<std::byte> longer = bytes;
    longer.push_back({});
    CHECK_THAT(refusal(longer), ContainsSubstring("goes on for 1 bytes"));
}

TEST_CASE("safetensors: what the format forbids is refused") {
    struct fault {
        const char *header, *why;
        std::size_t data = 0;
    };
    const fault faults[] = {
        {"", "does not begin with {"},
        {"[]", "does not begin with {"},
        {" {}", "does not begin with {"},
        {"{", "is not JSON"},
        {"{}x", "is not JSON"},
        {R"({"a":1})", "not described by an object"},
        {R"({"a":{}})", "has no dtype"},
        {R"({"a":{"dtype":"F32"}})", "has no shape"},
        {R"({"a":{"dtype":"F32","shape":[1]}})", "no pair of data_offsets"},
        {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0]}})", "no pair of data_offsets"},
        {R"({"a":{"dtype":"F3","shape":[1],"data_offsets":[0,4]}})", "dtype 'F3'", 4},
        {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"x":0}})", "a field", 4},
        {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{}})", "'a' twice", 4},
        {R"({"a":{"dtype":"F32","dtype":"F16","shape":[1],"data_offsets":[0,4]}})", "twice", 4},
        {R"({"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}})", "no count", 4},
        {R"({"a":{"dtype":"F32","shape":[1.5],"data_offsets":[0,4]}})", "no count", 4},
        {R"({"a":{"dtype":"F32","shape":["1"],"data_offsets":[0,4]}})", "no count", 4},
        {R"({"a":{"dtype":"F32","shape":[18446744073709551616],"data_offsets":[0,4]}})", "no count",
         4},
        {R"({"a":{"dtype":"F32","shape":[9223372036854775807,2],"data_offsets":[0,4]}})",
         "too large", 4},
        {R"({"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}})",
         "too large"},
        {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}})", "no range", 4},
        {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}})", "need 8", 4},
        {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})", "ends at 0", 8},
        {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},)"
         R"("b":{"dtype":"F32","shape":[1],"data_offsets":[2,6]}})",
         "ends at 4", 8},
        {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},)"
         R"("b":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}})",
         "ends at 4", 12},
        {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", "is truncated", 3},
        {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", "goes on", 5},
        {R"({"__metadata__":7})", "__metadata__"},
        {R"({"__metadata__":{"a":7}})", "__metadata__"},
    };
    for (const fault& f : faults) {
        const std::string why = refusal(with_header(f.header, f.data));
        INFO(f.header);
        CHECK_THAT(why, StartsWith("x: ") && ContainsSubstring(f.why));
        CHECK(why.find('\n') == why.npos);
    }
    CHECK_NOTHROW(file("x", with_header("{}", 0)));
    CHECK_NOTHROW(file("x", with_header(R"({"__metadata__":{"format":"pt"}}   )", 0)));
}

TEST_CASE("safetensors: a header that claims to be long, or nests deep, costs nothing") {
    std::vector<std::byte> bytes(16);
    for (const std::uint64_t length :
         {std::uint64_t{9}, std::uint64_t{100'000'001}, std::uint64_t{1} << 62,
          std::numeric_limits<std::uint64_t>::max()}) {
        formats::store_as(bytes.data(), length);
        CHECK_THAT(refusal(bytes), StartsWith("x: is "));
    }
    const std::string deep(100000, '[');
    CHECK_THAT(refusal(with_header("{\"a\":" + deep, 0)), ContainsSubstring("nests too deep"));
    CHECK_THAT(refusal(with_header("{\"a\":1e999}", 0)), ContainsSubstring("is not JSON"));
    CHECK_THAT(refusal(with_header("{\"\xff\":1}", 0)), ContainsSubstring("is not JSON"));
}
