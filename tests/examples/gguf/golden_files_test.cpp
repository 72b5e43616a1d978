// SPDX-License-Identifier: MIT
// Tests of room gguf on files that llama.cpp and bitnet.cpp wrote; skipped where they are absent.
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "gguf/dequantize.hpp"
#include "gguf/quantize.hpp"
#include "gguf/weight_rows.hpp"

using namespace tbx;

namespace {

std::string external(const char* name) {
    const std::string path = std::string(TRILOBIT_EXTERNAL_DATA) + "/" + name;
    if (!std::filesystem::exists(path)) SKIP("not here: " + path);
    return path;
}

std::vector<float> floats(const gguf::tensor& t) {
    std::vector<float> out(static_cast<std::size_t>(t.columns() * t.rows()));
    for (std::int64_t r = 0; r < t.rows(); ++r) {
        gguf::dequantize_row(t, r,
                             std::span(out).subspan(static_cast<std::size_t>(r * t.columns())));
    }
    return out;
}

}  // namespace

TEST_CASE("Q8_0 tensors equal those that llama.cpp made of the same f16 file") {
    const gguf::reader half(external("golden/tiny-llama-f16.gguf"));
    const gguf::reader eight(external("golden/tiny-llama-Q8_0.gguf"));
    REQUIRE(half.tensors().size() == eight.tensors().size());
    int compared = 0;
    for (const gguf::tensor& t : eight.tensors()) {
        if (t.type != gguf::tensor_type::q8_0) continue;
        const auto bytes = gguf::quantize(t.type, floats(half.require_tensor(t.name)), t.columns());
        CAPTURE(t.name);
        CHECK(std::equal(bytes.begin(), bytes.end(), t.data.begin(), t.data.end()));
        ++compared;
    }
    CHECK(compared > 10);
}

TEST_CASE("ternary tensors of the peers decode, and encode to the same bytes again") {
    const char* name =
        GENERATE("golden/tiny-bitnet-TQ2_0.gguf", "golden/tiny-bitnet-b158-I2_S.gguf");
    const gguf::reader file(external(name));
    int compared = 0;
    for (const gguf::tensor& t : file.tensors()) {
        if (gguf::few_levels(t.type) == nullptr) continue;
        CAPTURE(name, t.name);
        const gguf::weight_rows rows(file, t);
        std::vector<std::int8_t> trits(static_cast<std::size_t>(t.columns() * t.rows()));
        std::vector<float> scales(static_cast<std::size_t>(rows.scales_per_row()));
        const auto values = floats(t);
        const auto columns = static_cast<std::size_t>(t.columns());
        const std::size_t group = t.type == gguf::tensor_type::i2_s ? columns : 256;
        bool agree = true;
        for (std::size_t r = 0; r < static_cast<std::size_t>(t.rows()); ++r) {
            const auto row = std::span(trits).subspan(r * columns, columns);
            rows.decode(static_cast<std::int64_t>(r), row, scales);
            for (std::size_t c = 0; c < columns; ++c) {
                agree &= values[r * columns + c] == scales[c / group] * static_cast<float>(row[c]);
            }
        }
        CHECK(agree);
        const bool i2_s = t.type == gguf::tensor_type::i2_s;
        const auto bytes = i2_s ? gguf::encode_ternary(t.type, trits, t.columns(), scales[0])
                                : gguf::quantize(t.type, values, t.columns());
        // Behind I2_S's scale are 28 bytes of no meaning.
        const std::size_t meant = bytes.size() - (i2_s ? 28 : 0);
        REQUIRE(bytes.size() == t.data.size());
        CHECK(std::equal(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(meant),
                         t.data.begin()));
        ++compared;
    }
    CHECK(compared == 14);
}

TEST_CASE("a Q6_K embedding of llama.cpp reads as plausible weights") {
    const gguf::reader file(external("golden/tiny-bitnet-TQ2_0.gguf"));
    const gguf::tensor& t = file.require_tensor("token_embd.weight");
    double sum = 0;
    double squares = 0;
    const auto values = floats(t);
    for (const float value : values) {
        REQUIRE(std::isfinite(value));
        sum += static_cast<double>(value);
        squares += static_cast<double>(value) * static_cast<double>(value);
    }
    // Random normal weights around 0.
    const auto count = static_cast<double>(values.size());
    CHECK(std::fabs(sum / count) < 0.05 * std::sqrt(squares / count));
}

TEST_CASE("vocabulary files are read") {
    const gguf::reader gpt2(external("vocab/ggml-vocab-gpt-2.gguf"));
    CHECK(gpt2.strings("tokenizer.ggml.tokens").size() == 50257);
    CHECK(gpt2.strings("tokenizer.ggml.merges").size() == 50000);
    const gguf::reader spm(external("vocab/ggml-vocab-llama-spm.gguf"));
    CHECK(spm.strings("tokenizer.ggml.tokens")[1] == "<s>");
    CHECK(spm.array<float>("tokenizer.ggml.scores").size() == 32000);
}
