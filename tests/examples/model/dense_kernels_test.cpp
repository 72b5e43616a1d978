// SPDX-License-Identifier: MIT
// Tests of examples/model/dense_kernels.hpp: right against double arithmetic and the gguf room, and
// the same bits on every instruction set of this machine.
#include "model/dense_kernels.hpp"

#include <bit>
#include <cmath>
#include <cstring>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/generators/catch_generators_range.hpp>

#include <trilobit/core/float16.hpp>
#include <trilobit/dispatch/dispatch.hpp>

#include "gguf/dequantize.hpp"
#include "gguf/quantize.hpp"
#include "model/linear.hpp"
#include "model/sampler.hpp"
#include "same_bits.hpp"

using namespace tbx;
using model::number_type;

namespace {

std::span<const model::dense_kernels* const> tables() {
    return trilobit::dispatch::per_arch<model::dense_kernels, model::dense_of>::available();
}

std::vector<float> numbers(std::size_t count, std::uint64_t seed) {
    model::random_numbers random(seed);
    std::vector<float> out(count);
    for (float& v : out) v = random.uniform() * 4.0f - 2.0f;
    return out;
}

/// All types of ordinary numbers.
std::vector<gguf::tensor_type> types_of_numbers() {
    std::vector<gguf::tensor_type> all = gguf::readable_types();
    std::erase_if(all, [](gguf::tensor_type type) { return gguf::numbers(type) == nullptr; });
    return all;
}

std::vector<std::byte> encode(gguf::tensor_type type, const std::vector<float>& values,
                              std::int64_t cols) {
    const formats::dense_format& of = *gguf::numbers(type);
    if (of.cols == 1 || type == gguf::tensor_type::q8_0) return gguf::quantize(type, values, cols);
    // Any bytes are a row of the others, if only their scales are sound halves.
    model::random_numbers random(5);
    std::vector<std::byte> bytes(
        static_cast<std::size_t>(gguf::tensor_bytes(type, cols, 1).value()));
    for (std::byte& b : bytes) b = static_cast<std::byte>(random.bits());
    for (std::size_t block = 0; block < bytes.size(); block += static_cast<std::size_t>(of.bytes))
        for (int i = 0; i < of.count; ++i) {
            const std::uint16_t d = trilobit::f32_to_f16(0.01f * random.uniform());
            std::memcpy(bytes.data() + block + of.first + 2 * i, &d, 2);
        }
    return bytes;
}

gguf::tensor tensor_of(gguf::tensor_type type, const std::vector<std::byte>& bytes,
                       std::int64_t cols) {
    gguf::tensor t;
    t.name = "t";
    t.type = type;
    t.dimensions = 1;
    t.extent[0] = cols;
    t.data = bytes;
    return t;
}

}  // namespace

TEST_CASE("rows decode to the floats that their format defines; dot products are right") {
    const auto in_file = GENERATE(Catch::Generators::from_range(types_of_numbers()));
    CAPTURE(gguf::name_of(in_file));
    REQUIRE(model::dense_type(in_file).has_value());  // else floats would be made of them
    const number_type type = *model::dense_type(in_file);
    CHECK(model::name_of(type) == gguf::name_of(in_file));
    CHECK(model::row_bytes(type, 512) == gguf::tensor_bytes(in_file, 512, 1));
    for (const std::int64_t blocks : {1, 2, 3, 5}) {
        const bool plain = model::block_elements(type) == 1;
        for (const std::int64_t cols :
             plain ? std::vector<std::int64_t>{1, 31, 32, 33, 172, 256}
                   : std::vector<std::int64_t>{blocks * model::block_elements(type)}) {
            const auto values = numbers(static_cast<std::size_t>(cols), 7);
            const auto row = encode(in_file, values, cols);
            std::vector<float> expected(values.size()), x = numbers(values.size(), 8);
            gguf::dequantize_row(tensor_of(in_file, row, cols), 0, expected);
            double sum = 0, size = 0;
            for (std::size_t i = 0; i < x.size(); ++i) {
                sum += double{expected[i]} * double{x[i]};
                size += std::fabs(double{expected[i]} * double{x[i]});
            }
            float first = 0;
            for (const auto* run : tables()) {
                INFO(run->name << " " << model::name_of(type) << " " << cols);
                std::vector<float> decoded(values.size(), NAN);
                run->decode(type, row.data(), cols, decoded.data());
                CHECK(testing::same_bits(decoded, expected));
                const float alone = run->dot(type, row.data(), x.data(), cols);
                CHECK(std::fabs(double{alone} - sum) <= 1e-6 * size);
                if (run == tables().front()) first = alone;
                CHECK(alone == first);
            }
        }
    }
}

TEST_CASE("many dot products have the bits of each alone") {
    const auto in_file = GENERATE(Catch::Generators::from_range(types_of_numbers()));
    const number_type type = model::dense_type(in_file).value();
    const std::int64_t cols =
        model::block_elements(type) == 1 ? GENERATE(1, 32, 100, 256) : GENERATE(256, 768);
    constexpr std::int64_t most = 19;
    const auto row = encode(in_file, numbers(static_cast<std::size_t>(cols), 1), cols);
    const auto x = numbers(static_cast<std::size_t>((cols + 3) * most), 2);
    for (const auto* run : tables())
        for (std::int64_t count = 0; count <= most; ++count) {
            INFO(run->name << " " << model::name_of(type) << " " << cols << " " << count);
            std::vector<float> y(static_cast<std::size_t>(most * 2), -1.0f);
            run->dot_many(type, row.data(), x.data(), cols + 3, count, cols, y.data(), 2);
            bool equal = true;
            for (std::int64_t t = 0; t < most; ++t) {
                const float alone = run->dot(type, row.data(), x.data() + t * (cols + 3), cols);
                equal = equal && y[static_cast<std::size_t>(2 * t)] == (t < count ? alone : -1.0f);
                equal = equal && y[static_cast<std::size_t>(2 * t + 1)] == -1.0f;
            }
            CHECK(equal);
        }
}

TEST_CASE("combine adds in ascending order, one chain an element") {
    constexpr std::int64_t terms = 70, a_stride = 75, b_stride = 64, out_stride = 40, most = 13;
    const auto a = numbers(most * a_stride, 3);
    std::vector<std::uint16_t> b(terms * b_stride);
    model::random_numbers random(4);
    for (auto& h : b) h = trilobit::f32_to_f16(random.uniform() - 0.5f);
    for (const auto* run : tables())
        for (std::int64_t count = 1; count <= most; ++count) {
            std::vector<float> out(most * out_stride, -1.0f);
            run->combine(a.data(), a_stride, count, b.data(), b_stride, terms, out.data(),
                         out_stride);
            bool equal = true;
            for (std::int64_t q = 0; q < count; ++q)
                for (std::int64_t l = 0; l < 32; ++l) {
                    float sum = 0;
                    for (std::int64_t k = 0; k < terms; ++k) {
                        // volatile: no contraction here either
                        volatile float product =
                            a[static_cast<std::size_t>(q * a_stride + k)] *
                            trilobit::f16_to_f32(b[static_cast<std::size_t>(k * b_stride + l)]);
                        sum += product;
                    }
                    equal = equal && out[static_cast<std::size_t>(q * out_stride + l)] == sum;
                }
            INFO(run->name << " " << count);
            CHECK(equal);
            CHECK(out[static_cast<std::size_t>((count - 1) * out_stride + 32)] == -1.0f);
        }
}

TEST_CASE("halves: all 65536 are read exactly, and written to the nearest, saturating") {
    std::vector<std::uint16_t> all(65536);
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<std::uint16_t>(i);
    const std::vector<float> x = [] {
        auto v = numbers(100000, 9);
        model::random_numbers random(10);
        for (std::size_t i = 0; i < v.size(); i += 2)  // every exponent
            v[i] = std::bit_cast<float>(static_cast<std::uint32_t>(random.bits()));
        for (const float edge :
             {0.0f, -0.0f, 65504.0f, 65519.0f, 65520.0f, -1e30f, 6e-8f, 2.9e-8f, 3e-8f})
            v.push_back(edge);
        return v;
    }();
    for (const auto* run : tables()) {
        INFO(run->name);
        std::vector<float> read(all.size());
        run->decode(number_type::f16, reinterpret_cast<const std::byte*>(all.data()),
                    std::ssize(all), read.data());
        int wrong = 0;
        for (std::size_t i = 0; i < all.size(); ++i) {
            const float expected = trilobit::f16_to_f32(all[i]);
            wrong += std::isnan(expected)
                         ? !std::isnan(read[i])
                         : std::bit_cast<int>(expected) != std::bit_cast<int>(read[i]);
        }
        CHECK(wrong == 0);
        std::vector<std::uint16_t> written(x.size());
        run->to_f16(written.data(), x.data(), std::ssize(x));
        for (std::size_t i = 0; i < x.size(); ++i) {
            std::uint16_t expected = trilobit::f32_to_f16(x[i]);
            if ((expected & 0x7fffu) == 0x7c00u)
                expected = static_cast<std::uint16_t>(expected - 1);
            const bool nan = std::isnan(x[i]);
            wrong += nan ? !std::isnan(trilobit::f16_to_f32(written[i])) : written[i] != expected;
        }
        CHECK(wrong == 0);
    }
}

TEST_CASE("exponential, gates and sums: accurate, and equal everywhere") {
    std::vector<float> x;
    for (float v = -86.0f; v < 60.0f; v += 0.37f) x.push_back(v);
    const auto up = numbers(x.size(), 3);
    std::vector<float> first_exp, first_silu;
    float first_sum = 0;
    for (const auto* run : tables()) {
        INFO(run->name);
        std::vector<float> e = x, silu = x, relu = x;
        const float sum = run->exp_and_sum(e.data(), 1.5f, 0.9f, std::ssize(e));
        run->silu_gate(silu.data(), up.data(), std::ssize(x));
        run->squared_relu_gate(relu.data(), up.data(), std::ssize(x));
        double total = 0, worst = 0, worst_silu = 0;
        bool relu_right = true;
        for (std::size_t i = 0; i < x.size(); ++i) {
            const double right = std::exp(double{(x[i] - 1.5f) * 0.9f});
            if ((x[i] - 1.5f) * 0.9f < -64.0f)
                CHECK(e[i] == 0.0f);
            else
                worst = std::max(worst, std::fabs(double{e[i]} / right - 1.0));
            total += right;
            const double gate = double{x[i]} / (1.0 + std::exp(-double{x[i]})) * double{up[i]};
            worst_silu =
                std::max(worst_silu, std::fabs(double{silu[i]} - gate) / (std::fabs(gate) + 1e-30));
            const float positive = std::max(x[i], 0.0f);
            relu_right = relu_right && relu[i] == positive * positive * up[i];
        }
        CHECK(worst < 4e-7);
        CHECK(worst_silu < 1e-6);
        CHECK(relu_right);
        CHECK(std::fabs(double{sum} / total - 1.0) < 1e-6);
        if (run == tables().front()) first_exp = e, first_silu = silu, first_sum = sum;
        CHECK(testing::same_bits(e, first_exp));
        CHECK(testing::same_bits(silu, first_silu));
        CHECK(sum == first_sum);
    }
}

TEST_CASE("a back end gets the table that it can run") {
    CHECK(model::dense_kernels_for("sse4_2").name == "generic");
    CHECK(model::dense_kernels_for("unheard-of").name == "generic");
    for (const trilobit::kernel_table* arch : trilobit::dispatch::available()) {
        const std::string_view name = model::dense_kernels_for(arch->name).name;
        INFO(arch->name << " with " << name);
        if (arch->name.starts_with("avx5")) CHECK(name == "avx512bw");
        if (arch->name == "avx2" || arch->name == "avxvnni") CHECK(name == "avx2");
    }
}
