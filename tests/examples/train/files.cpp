// SPDX-License-Identifier: MIT
// Room tests/examples/train: what is written is what was trained.
// Enters: random parameters. Leaves: a failure where a file gives back another model.
#include <catch2/catch_approx.hpp>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <iterator>
#include <set>

#include "gguf/graph_keys.hpp"
#include "gguf/reader.hpp"
#include "gguf/weight_rows.hpp"
#include "model/config.hpp"
#include "scratch.hpp"
#include "support/error.hpp"
#include "train/decoder.hpp"
#include "train/model.hpp"
#include "train/model_file.hpp"
#include "train/trainer.hpp"

using namespace tbx::train;
using tbx::gguf::tensor_type;

TEST_CASE("a ternary file holds exactly the trits and the scale of training") {
    const scratch::folder folder;
    const model_config c = scratch::tiny();
    const train_state s = fresh_state(c, 4);
    const parameter_layout layout(c);
    const auto type = GENERATE(tensor_type::tq2_0, tensor_type::i2_s);
    const std::string path = folder / "m.gguf";
    save_model(path, "tiny", c, s.parameters, scratch::letters(c.vocab), type);

    const tbx::gguf::reader file(path);
    CHECK(file.get<std::string>("general.architecture") == "bitnet-b1.58");
    const slot& down = layout.at(layout.layers[0].down);
    const tbx::gguf::weight_rows rows(file, file.require_tensor(down.name));
    const auto weights = std::span(s.parameters).subspan(down.offset, down.size());
    std::vector<std::int8_t> trits(down.size()), row(static_cast<std::size_t>(down.cols));
    const float scale = round_weights(rounding::absmean, weights, trits);
    std::vector<float> scales(static_cast<std::size_t>(rows.scales_per_row()));
    for (int r = 0; r < down.rows; ++r) {
        rows.decode(r, row, scales);
        CHECK(std::equal(row.begin(), row.end(), trits.begin() + r * down.cols));
        CHECK(std::set<float>(scales.begin(), scales.end()) == std::set<float>{scale});
    }

    // Read back, it computes what training computed, but for the embedding's half precision.
    const loaded_model m = load_model(path);
    CHECK(m.vocabulary.tokens == scratch::letters(c.vocab).tokens);
    CHECK(m.config.already_rounded);
    transformer<portable_backend> trained(c), loaded(m.config);
    trained.load(s.parameters);
    loaded.load(m.parameters);
    const std::vector<int> tokens = {1, 5, 3, 16, 7};
    const auto a = trained.forward(tokens, 1, 5), b = loaded.forward(tokens, 1, 5);
    for (std::size_t i = 0; i < a.size(); ++i) CHECK(b[i] == Catch::Approx(a[i]).margin(2e-2));
    // Written again, it is the same file.
    save_model(folder / "n.gguf", "tiny", m.config, m.parameters, m.vocabulary, type);
    const tbx::gguf::reader again(folder / "n.gguf");
    for (const auto& t : file.tensors()) {
        const auto& u = again.require_tensor(t.name);
        const std::size_t meant = type == tensor_type::i2_s && t.type == type ? 28 : 0;
        CHECK(std::equal(t.data.begin(), t.data.end() - static_cast<std::ptrdiff_t>(meant),
                         u.data.begin()));
    }
}

TEST_CASE("a binary file holds exactly the signs, the scale and the rule of training") {
    const scratch::folder folder;
    model_config c = scratch::tiny();
    find_graph("bitnet")->set(c);
    c.weights = weight_rule::binary;
    c.activations = GENERATE(activation_rule::int8, activation_rule::a4_8, activation_rule::sign);
    const train_state s = fresh_state(c, 4);
    const parameter_layout layout(c);
    const std::string path = folder / "m.gguf";
    save_model(path, "tiny", c, s.parameters, scratch::letters(c.vocab));

    const tbx::gguf::reader file(path);
    const slot& down = layout.at(layout.layers[0].down);
    CHECK(file.require_tensor(down.name).type == tensor_type::q1_0);
    const tbx::gguf::weight_rows rows(file, file.require_tensor(down.name));
    const auto weights = std::span(s.parameters).subspan(down.offset, down.size());
    std::vector<std::int8_t> signs(down.size()), row(static_cast<std::size_t>(down.cols));
    const float scale = round_weights(rounding::sign_around_mean, weights, signs);
    std::vector<float> scales(static_cast<std::size_t>(rows.scales_per_row()));
    for (int r = 0; r < down.rows; ++r) {
        rows.decode(r, row, scales);
        CHECK(std::equal(row.begin(), row.end(), signs.begin() + r * down.cols));
        CHECK(std::set<float>(scales.begin(), scales.end()) == std::set<float>{scale});
    }
    const loaded_model m = load_model(path);
    CHECK(m.config.already_rounded);
    CHECK(m.config.weights == weight_rule::binary);
    CHECK(m.config.activations == c.activations);

    // The runner runs what it knows the rule of.
    CHECK(file.has(tbx::gguf::activation_rule_key) == (c.activations != activation_rule::int8));
    if (c.activations == activation_rule::int8)
        CHECK_NOTHROW(tbx::model::read_config(file));
    else
        CHECK_THROWS_WITH(tbx::model::read_config(file),
                          Catch::Matchers::ContainsSubstring("trilobit.activations"));
}

TEST_CASE("one token at a time is the same model as whole sequences") {
    model_config c = scratch::tiny();
    const int kind = GENERATE(0, 1, 2, 3);
    if (kind == 1) c.quantised = false;
    if (kind == 3) c.weights = weight_rule::binary, c.activations = activation_rule::a4_8;
    if (kind == 2) {
        c.quantised = false;
        find_graph("llama")->set(c);
    }
    const train_state s = fresh_state(c, 9);
    transformer<portable_backend> model(c);
    model.load(s.parameters);
    const std::vector<int> tokens = {1, 5, 3, 16, 7, 7, 2};
    const auto whole = model.forward(tokens, 1, 7);
    decoder steps(c, s.parameters, 1);
    for (int t = 0; t < 7; ++t) {
        const auto logits =
            steps.step(std::vector{tokens[static_cast<std::size_t>(t)]}, std::vector{t});
        // A last bit may tip an int8 activation over: hence the width for ternary models.
        for (int i = 0; i < c.vocab; ++i)
            CHECK(logits[static_cast<std::size_t>(i)] ==
                  Catch::Approx(whole[static_cast<std::size_t>(t * c.vocab + i)])
                      .margin(c.quantised ? 2e-2 : 1e-4));
    }
}

TEST_CASE("a matrix with several scales is not taken for one with the largest") {
    const scratch::folder folder;
    const model_config c = scratch::tiny();
    save_model(folder / "m", "tiny", c, fresh_state(c, 4).parameters, scratch::letters(c.vocab));
    std::ifstream in(folder / "m", std::ios::binary);
    std::string bytes{std::istreambuf_iterator<char>(in), {}};
    const std::string name = "blk.0.ffn_down.weight";
    const tbx::gguf::reader file("m", std::as_bytes(std::span(bytes)));
    const auto data = file.require_tensor(name).data;
    const std::byte* start = std::as_bytes(std::span(bytes)).data();
    bytes[static_cast<std::size_t>(data.data() - start) + 65] ^= 4;  // the first block's scale
    scratch::write(folder / "n", bytes);
    CHECK_NOTHROW(load_model(folder / "m"));
    CHECK_THROWS_WITH(load_model(folder / "n"),
                      Catch::Matchers::EndsWith(name + " is not ternary with one scale"));
}

TEST_CASE("files that are no models are refused") {
    const scratch::folder folder;
    scratch::write(folder / "x", "not a model");
    CHECK_THROWS_AS(load_model(folder / "x"), tbx::error);
    CHECK_THROWS_AS(load_model(folder / "absent"), tbx::error);
}
