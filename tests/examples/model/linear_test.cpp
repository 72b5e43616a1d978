// SPDX-License-Identifier: MIT
// Tests of examples/model/linear.hpp and of what load_transformer refuses.
#include "model/linear.hpp"

#include <cmath>
#include <cstring>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include "../support/scratch_folder.hpp"
#include "gguf/dequantize.hpp"
#include "gguf/quantize.hpp"
#include "gguf/reader.hpp"
#include "gguf/writer.hpp"
#include "model/random_weights.hpp"
#include "model/sampler.hpp"
#include "model/shapes.hpp"
#include "model/weights.hpp"

using namespace tbx;
using Catch::Matchers::ContainsSubstring;

namespace {

constexpr auto ternary = trilobit::layout_id::ternary_2bit;

std::string write_tensor(const testing::scratch_folder& folder, gguf::tensor_type type,
                         std::int64_t cols, std::int64_t rows,
                         const std::vector<std::byte>& bytes) {
    gguf::writer out(folder.path("t.gguf"));
    out.set("general.architecture", "llama");
    out.add_tensor("w", type, {cols, rows});
    out.append(bytes);
    out.finish();
    return folder.path("t.gguf");
}

/// Integers up to 127 with one of them there: BitNet's quantiser keeps such activations exactly.
std::vector<float> exact_activations(std::int64_t cols, std::int64_t tokens) {
    model::random_numbers random(11);
    std::vector<float> x(static_cast<std::size_t>(cols * tokens));
    for (float& v : x) v = static_cast<float>(static_cast<int>(random.bits() % 255) - 127);
    for (std::int64_t t = 0; t < tokens; ++t) x[static_cast<std::size_t>(t * cols)] = 127.0f;
    return x;
}

void check_product(const gguf::reader& file, const model::linear& w, model::compute& cpu,
                   std::int64_t tokens) {
    const gguf::tensor& t = file.require_tensor("w");
    const auto x = exact_activations(t.columns(), tokens);
    std::vector<float> y(static_cast<std::size_t>(tokens * t.rows()));
    model::multiply(cpu, {x.data(), tokens, t.columns()}, {{w, {y.data(), tokens, t.rows()}}});
    std::vector<float> row(static_cast<std::size_t>(t.columns()));
    double worst = 0;
    for (std::int64_t r = 0; r < t.rows(); ++r) {
        gguf::dequantize_row(t, r, row);
        for (std::int64_t m = 0; m < tokens; ++m) {
            double sum = 0, size = 0;
            for (std::int64_t i = 0; i < t.columns(); ++i) {
                const double p = double{row[static_cast<std::size_t>(i)]} *
                                 double{x[static_cast<std::size_t>(m * t.columns() + i)]};
                sum += p;
                size += std::fabs(p);
            }
            worst =
                std::max(worst, std::fabs(sum * double{w.scale} -
                                          double{y[static_cast<std::size_t>(m * t.rows() + r)]}) /
                                    (size + 1e-9));
        }
    }
    CHECK(worst < 2e-6);
}

}  // namespace

TEST_CASE("equal block scales collapse to one, different ones stay") {
    const bool differ = GENERATE(false, true);
    const std::int64_t cols = 768, rows = 37;
    std::vector<std::int8_t> trits(static_cast<std::size_t>(rows * cols));
    for (std::int64_t r = 0; r < rows; ++r)
        model::random_trits(1, 2, r, {trits.data() + r * cols, static_cast<std::size_t>(cols)});
    std::vector<std::byte> bytes =
        gguf::encode_ternary(gguf::tensor_type::tq2_0, trits, cols, 0.25f);
    const std::uint16_t zero = 0, double_scale = trilobit::f32_to_f16(0.5f);
    // A block that says 0 holds nothing, whatever its codes are, and stands in nobody's way.
    std::memcpy(bytes.data() + 5 * 66 + 64, &zero, 2);
    if (differ) std::memcpy(bytes.data() + 7 * 66 + 64, &double_scale, 2);

    const testing::scratch_folder folder;
    const gguf::reader file(write_tensor(folder, gguf::tensor_type::tq2_0, cols, rows, bytes));
    model::compute cpu(2);
    for (const auto layout :
         {ternary, trilobit::layout_id::ternary_base3, trilobit::layout_id::ternary_planes}) {
        double last = 0;
        model::linear w = model::load_linear(cpu, file, file.require_tensor("w"), layout,
                                             [&](double done) { last = done; });
        REQUIRE(w.packed() != nullptr);
        CHECK(w.packed()->scale.per ==
              (differ ? trilobit::granularity::group : trilobit::granularity::tensor));
        CHECK(last == 1.0);
        check_product(file, w, cpu, 1);
        w.scale = 3.0f;
        check_product(file, w, cpu, 5);
    }
}

TEST_CASE("dense matrices of every type multiply, alone and in batches") {
    const auto type = GENERATE(gguf::tensor_type::f32, gguf::tensor_type::f16,
                               gguf::tensor_type::bf16, gguf::tensor_type::q8_0);
    const std::int64_t cols = 96, rows = 77;
    model::random_numbers random(2);
    std::vector<float> values(static_cast<std::size_t>(rows * cols));
    for (float& v : values) v = random.uniform() - 0.5f;
    const testing::scratch_folder folder;
    const gguf::reader file(
        write_tensor(folder, type, cols, rows, gguf::quantize(type, values, cols)));
    model::compute cpu(3);
    const model::linear w = model::load_linear(cpu, file, file.require_tensor("w"), ternary, {});
    CHECK(w.packed() == nullptr);
    CHECK(w.bytes() == static_cast<std::int64_t>(file.require_tensor("w").data.size()));
    for (const std::int64_t tokens : {1, 2, 13, 30}) check_product(file, w, cpu, tokens);
}

TEST_CASE("a layout that cannot hold zeros is refused with a sentence") {
    const testing::scratch_folder folder;
    const std::vector<std::int8_t> trits(256 * 4, 0);
    const gguf::reader file(
        write_tensor(folder, gguf::tensor_type::i2_s, 256, 4,
                     gguf::encode_ternary(gguf::tensor_type::i2_s, trits, 256, 1.0f)));
    model::compute cpu(1);
    CHECK_THROWS_WITH(model::load_linear(cpu, file, file.require_tensor("w"),
                                         trilobit::layout_id::binary_1bit, {}),
                      ContainsSubstring("outside the values of the layout"));
}

TEST_CASE("a code that is no trit is found whatever thread meets it") {
    const testing::scratch_folder folder;
    const std::vector<std::int8_t> trits(256 * 64, 1);
    auto bytes = gguf::encode_ternary(gguf::tensor_type::i2_s, trits, 256, 1.0f);
    bytes[3000] = std::byte{0xff};
    const gguf::reader file(write_tensor(folder, gguf::tensor_type::i2_s, 256, 64, bytes));
    model::compute cpu(4);
    CHECK_THROWS_AS(model::load_linear(cpu, file, file.require_tensor("w"), ternary, {}), error);
}

TEST_CASE("models with wrong, missing or unknown tensors are refused") {
    const testing::scratch_folder folder;
    const model::config shape = model::config_of_shape("tiny");
    model::write_dummy(folder.path("m.gguf"), shape, gguf::tensor_type::tq2_0, 1, {});
    const gguf::reader good(folder.path("m.gguf"));
    model::compute cpu(1);
    CHECK_NOTHROW(model::load_transformer(cpu, good, ternary, {}));

    // The same file again, with one tensor renamed, added or of another width.
    const auto spoiled = [&](std::string_view which, const std::string& name, bool twice,
                             bool narrow) {
        gguf::writer out(folder.path("bad.gguf"));
        for (const gguf::entry& e : good.entries()) {
            const std::string key(e.key);
            if (e.type == gguf::value_type::string) out.set(key, good.get<std::string>(key));
            if (e.type == gguf::value_type::u32) out.set(key, good.get<std::uint32_t>(key));
            if (e.type == gguf::value_type::f32) out.set(key, good.get<float>(key));
        }
        std::vector<std::span<const std::byte>> data;
        for (const gguf::tensor& t : good.tensors()) {
            const bool hit = t.name == which;
            if (!hit || twice) {
                out.add_tensor(t.name, t.type,
                               std::span(t.extent.data(), static_cast<std::size_t>(t.dimensions)));
                data.push_back(t.data);
            }
            if (hit) {
                const std::int64_t cols = narrow ? t.extent[0] / 2 : t.extent[0];
                out.add_tensor(name, t.type, {cols});
                data.push_back(t.data.first(static_cast<std::size_t>(cols) * 4));
            }
        }
        for (const auto bytes : data) out.append(bytes);
        out.finish();
        const gguf::reader file(folder.path("bad.gguf"));
        (void)model::load_transformer(cpu, file, ternary, {});
    };
    CHECK_THROWS_WITH(spoiled("blk.1.ffn_norm.weight", "blk.1.ffn_morm.weight", false, false),
                      ContainsSubstring("blk.1.ffn_norm.weight"));
    CHECK_THROWS_WITH(spoiled("blk.1.attn_norm.weight", "blk.1.attn_q.bias", true, false),
                      ContainsSubstring("blk.1.attn_q.bias"));
    CHECK_THROWS_WITH(spoiled("output_norm.weight", "output_norm.weight", false, true),
                      ContainsSubstring("1 x 128 values where the model needs 1 x 256"));
}
