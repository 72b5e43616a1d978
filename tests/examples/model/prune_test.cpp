// SPDX-License-Identifier: MIT
// Tests of examples/model/prune.hpp: dead neurons are not loaded, and no bit of any logit shows it.
#include "model/prune.hpp"

#include <cmath>
#include <cstring>
#include <functional>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include "../gguf/edited_model.hpp"
#include "../support/scratch_folder.hpp"
#include "gguf/dequantize.hpp"
#include "gguf/quantize.hpp"
#include "gguf/reader.hpp"
#include "gguf/weight_rows.hpp"
#include "model/forward.hpp"
#include "model/random_weights.hpp"
#include "model/sampler.hpp"
#include "model/shapes.hpp"
#include "same_bits.hpp"

using namespace tbx;
using Catch::Matchers::ContainsSubstring;

namespace {

constexpr auto two_bits = trilobit::layout_id::ternary_2bit;
constexpr std::int64_t ffn = 512;  // of the shapes below

bool no_gate(std::int64_t neuron) { return neuron % 7 == 1 || neuron % 7 == 5; }
bool no_up(std::int64_t neuron) { return neuron % 7 == 3 || neuron % 7 == 5; }
bool no_down(std::int64_t neuron) { return neuron % 11 == 0; }
bool dead(std::int64_t neuron) { return no_gate(neuron) || no_up(neuron); }

/// A dummy model, changed: `edit` is called with the name and the bytes of each tensor.
using edit = std::function<void(std::string_view, std::int64_t cols, std::vector<std::byte>&)>;

std::string write_model(const testing::scratch_folder& folder, std::string_view shape,
                        gguf::tensor_type type, const edit& change) {
    model::write_dummy(folder.path("whole.gguf"), model::config_of_shape(shape), type, 5, {});
    return testing::edited_model(
        gguf::reader(folder.path("whole.gguf")), folder.path("m.gguf"),
        [&](testing::edited_tensor& t) { change(t.name, t.extent[0], t.bytes); });
}

/// Zeros where `is_zero` says so of a row and a column.
template <class IsZero>
void put_zeros(gguf::tensor_type type, std::int64_t cols, std::vector<std::byte>& bytes,
               IsZero is_zero) {
    gguf::tensor t;
    t.type = type;
    t.dimensions = 2;
    t.extent = {cols, cols == ffn ? 256 : ffn, 1, 1};
    t.data = bytes;
    std::vector<float> values(static_cast<std::size_t>(t.rows() * cols));
    for (std::int64_t r = 0; r < t.rows(); ++r) {
        const auto row = std::span(values).subspan(static_cast<std::size_t>(r * cols),
                                                   static_cast<std::size_t>(cols));
        gguf::dequantize_row(t, r, row);
        for (std::int64_t c = 0; c < cols; ++c)
            if (is_zero(r, c)) row[static_cast<std::size_t>(c)] = 0.0f;
    }
    bytes = gguf::few_levels(type) != nullptr ? gguf::ternarise(type, values, cols)
                                              : gguf::quantize(type, values, cols);
}

/// The first layer has dead neurons, the second none, and sub-norms are no longer all ones.
edit some_dead(gguf::tensor_type type) {
    return [type](std::string_view name, std::int64_t cols, std::vector<std::byte>& bytes) {
        const auto row_of = [](auto of) {
            return [of](std::int64_t r, std::int64_t) { return of(r); };
        };
        if (name == "blk.0.ffn_gate.weight") put_zeros(type, cols, bytes, row_of(no_gate));
        if (name == "blk.0.ffn_up.weight") put_zeros(type, cols, bytes, row_of(no_up));
        if (name == "blk.0.ffn_down.weight")
            put_zeros(type, cols, bytes, [](std::int64_t, std::int64_t c) { return no_down(c); });
        if (!name.ends_with("ffn_sub_norm.weight")) return;
        model::random_numbers random(8);
        std::vector<float> weights(static_cast<std::size_t>(cols));
        for (float& w : weights) w = 0.5f + random.uniform();
        std::memcpy(bytes.data(), weights.data(), bytes.size());
    };
}

/// What load_transformer() would make if it did not prune.
model::transformer load_whole(model::compute& cpu, const gguf::reader& file,
                              trilobit::layout_id layout) {
    model::transformer m = model::load_transformer(cpu, file, layout, {});
    for (std::size_t i = 0; i < m.weights.layers.size(); ++i) {
        model::layer_weights& l = m.weights.layers[i];
        const auto tensor = [&](const char* name) -> const gguf::tensor& {
            return file.require_tensor("blk." + std::to_string(i) + "." + name + ".weight");
        };
        l.gate = model::load_linear(cpu, file, tensor("ffn_gate"), layout, {});
        l.up = model::load_linear(cpu, file, tensor("ffn_up"), layout, {});
        l.down = model::load_linear(cpu, file, tensor("ffn_down"), layout, {});
        if (!m.config.sub_norms) continue;
        l.ffn_sub_norm = {model::vector(ffn), ffn};
        gguf::dequantize_row(tensor("ffn_sub_norm"), 0, l.ffn_sub_norm.weights);
    }
    return m;
}

/// The logits of all tokens of a text, in batches of `step`.
std::vector<float> logits(model::compute& cpu, const model::transformer& m, std::size_t step) {
    const std::vector<model::token_id> prompt = {5,  300, 17,  17, 511, 0,  42,
                                                 77, 140, 260, 3,  9,   450};
    model::state s(m.config, std::ssize(prompt), static_cast<std::int64_t>(step));
    std::vector<float> all;
    for (std::span<const model::token_id> left(prompt); !left.empty();) {
        const std::size_t n = std::min(step, left.size());
        const auto some = model::forward(cpu, m, s, left.first(n), model::logits_of::all);
        all.insert(all.end(), some.data, some.data + some.rows * some.cols);
        left = left.subspan(n);
    }
    return all;
}

}  // namespace

TEST_CASE("dead neurons are not loaded, and every logit keeps its bits") {
    const std::string shape = GENERATE("tiny", "tiny-llama");
    const auto type =
        GENERATE(gguf::tensor_type::tq1_0, gguf::tensor_type::tq2_0, gguf::tensor_type::i2_s);
    const testing::scratch_folder folder;
    const gguf::reader file(write_model(folder, shape, type, some_dead(type)));
    std::int64_t dying = 0;
    for (std::int64_t n = 0; n < ffn; ++n) dying += dead(n);
    model::compute cpu(2);
    for (const auto layout :
         {two_bits, trilobit::layout_id::ternary_base3, trilobit::layout_id::ternary_planes}) {
        const auto pruned = model::load_transformer(cpu, file, layout, {});
        const auto whole = load_whole(cpu, file, layout);
        CHECK(pruned.pruned_neurons() == dying);
        CHECK(whole.pruned_neurons() == 0);
        const model::layer_weights& l = pruned.weights.layers[0];
        CHECK((l.gate.rows() == ffn - dying && l.up.rows() == ffn - dying));
        CHECK(l.down.cols() == ffn - dying);
        CHECK(pruned.weights.layers[1].down.cols() == ffn);
        CHECK(pruned.bytes_per_token() < whole.bytes_per_token());
        const auto right = logits(cpu, whole, 13);
        CHECK(std::isfinite(right.back()));
        CHECK(testing::same_bits(logits(cpu, pruned, 13), right));
        CHECK(testing::same_bits(logits(cpu, pruned, 1), right));
    }
}

TEST_CASE("a layer of which every neuron is dead keeps one") {
    const testing::scratch_folder folder;
    const gguf::reader file(write_model(
        folder, "tiny", gguf::tensor_type::tq2_0,
        [](std::string_view name, std::int64_t cols, std::vector<std::byte>& bytes) {
            if (name == "blk.1.ffn_up.weight")
                put_zeros(gguf::tensor_type::tq2_0, cols, bytes, [](auto, auto) { return true; });
        }));
    model::compute cpu(1);
    const auto pruned = model::load_transformer(cpu, file, two_bits, {});
    CHECK(pruned.pruned_neurons() == ffn - 1);
    CHECK(testing::same_bits(logits(cpu, pruned, 5),
                             logits(cpu, load_whole(cpu, file, two_bits), 5)));
}

TEST_CASE("floats, and a down projection with scales in groups, stay whole") {
    const testing::scratch_folder folder;
    model::compute cpu(1);
    const auto neurons_of = [&](gguf::tensor_type type, const edit& change) {
        const gguf::reader file(write_model(folder, "tiny", type, change));
        return ffn - model::load_transformer(cpu, file, two_bits, {}).pruned_neurons();
    };
    CHECK(neurons_of(gguf::tensor_type::f16, some_dead(gguf::tensor_type::f16)) == ffn);
    CHECK(neurons_of(gguf::tensor_type::tq2_0, [](auto name, auto cols, auto& bytes) {
              some_dead(gguf::tensor_type::tq2_0)(name, cols, bytes);
              const std::uint16_t other = trilobit::f32_to_f16(0.5f);
              if (name == "blk.0.ffn_down.weight") std::memcpy(bytes.data() + 64, &other, 2);
          }) == ffn);
}

TEST_CASE("a damaged row is refused though its neuron is dead") {
    const testing::scratch_folder folder;
    const gguf::reader file(
        write_model(folder, "tiny", gguf::tensor_type::i2_s, [](auto name, auto cols, auto& bytes) {
            some_dead(gguf::tensor_type::i2_s)(name, cols, bytes);
            if (name == "blk.0.ffn_up.weight") bytes[64 * 8] = std::byte{0xff};  // neuron 8
        }));
    model::compute cpu(1);
    CHECK(no_gate(8));
    CHECK_THROWS_WITH(
        model::load_transformer(cpu, file, two_bits, {}),
        ContainsSubstring("blk.0.ffn_up.weight', row 8: holds a code that is none of"));
}
