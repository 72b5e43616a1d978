// SPDX-License-Identifier: MIT
// Tests of examples/model/forward.hpp on dummy models: right against the lesson, and the same bits
// however tokens are batched and threads are counted.
#include "model/forward.hpp"

#include <cmath>
#include <cstring>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include "../gguf/edited_model.hpp"
#include "../support/scratch_folder.hpp"
#include "gguf/dequantize.hpp"
#include "gguf/quantize.hpp"
#include "model/head.hpp"
#include "model/random_weights.hpp"
#include "model/shapes.hpp"
#include "same_bits.hpp"

#define main lesson_main
#include "08_transformer.cpp"
#undef main

using namespace tbx;
using Catch::Matchers::ContainsSubstring;

namespace {

constexpr auto two_bit = trilobit::layout_id::ternary_2bit;
const std::vector<model::token_id> text = {5, 300, 17, 17, 511, 0,  42, 77, 140, 260, 3,
                                           9, 450, 33, 2,  128, 64, 91, 6,  333, 12};

/// A dummy file, loaded.
struct loaded {
    testing::scratch_folder folder;
    gguf::reader file;
    model::compute cpu;
    model::transformer m;

    static std::string write(const testing::scratch_folder& into, std::string_view shape,
                             gguf::tensor_type type) {
        model::write_dummy(into.path("m.gguf"), model::config_of_shape(shape), type, 3, {});
        return into.path("m.gguf");
    }
    loaded(std::string_view shape, gguf::tensor_type type, int threads = 2,
           trilobit::layout_id layout = two_bit)
        : file(write(folder, shape, type)),
          cpu(threads),
          m(model::load_transformer(cpu, file, layout, {})) {}

    explicit loaded(gguf::reader from)
        : file(std::move(from)), cpu(2), m(model::load_transformer(cpu, file, two_bit, {})) {}

    /// Logits of all tokens, given in batches of `step`.
    std::vector<float> logits(std::size_t step) {
        model::state s(m.config, std::ssize(text), static_cast<std::int64_t>(step));
        std::vector<float> all;
        for (std::span<const model::token_id> left(text); !left.empty();) {
            const std::size_t n = std::min(step, left.size());
            const auto some = model::forward(cpu, m, s, left.first(n), model::logits_of::all);
            all.insert(all.end(), some.data, some.data + some.rows * some.cols);
            left = left.subspan(n);
        }
        return all;
    }
};

}  // namespace

TEST_CASE("float models compute what the lesson computes by plain loops") {
    const std::string shape = GENERATE("tiny", "tiny-llama");
    loaded l(shape, gguf::tensor_type::f32);
    const std::vector<float> all = l.logits(text.size());
    lesson::transformer plain(l.file);
    double worst = 0, size = 0;
    for (std::size_t t = 0; t < text.size(); ++t) {
        const std::vector<float> right = plain.next(static_cast<std::size_t>(text[t]));
        REQUIRE(all.size() == text.size() * right.size());
        for (std::size_t i = 0; i < right.size(); ++i) {
            worst =
                std::max(worst, std::fabs(double{right[i]} - double{all[t * right.size() + i]}));
            size = std::max(size, std::fabs(double{right[i]}));
        }
    }
    INFO("worst " << worst << " of " << size);
    CHECK(worst < 2e-3 * size);  // keys and values are kept as halves
}

TEST_CASE("batches, threads and layouts change no bit") {
    const auto [shape, type] = GENERATE(table<std::string, gguf::tensor_type>({
        {"tiny", gguf::tensor_type::tq2_0},
        {"tiny", gguf::tensor_type::i2_s},
        {"tiny-llama", gguf::tensor_type::tq1_0},
        {"tiny-llama", gguf::tensor_type::f16},
        {"tiny-qwen2", gguf::tensor_type::tq2_0},
        {"tiny-qwen3", gguf::tensor_type::q2_0},
        {"tiny-minicpm", gguf::tensor_type::tq2_0},
        {"tiny-maple", gguf::tensor_type::tq2_0},
        {"tiny-maple", gguf::tensor_type::f16},
        {"tiny-gemma3", gguf::tensor_type::i2_s},
    }));
    const std::vector<float> whole = loaded(shape, type, 1).logits(text.size());
    CHECK(std::isfinite(whole.back()));
    for (const std::size_t step : {1u, 2u, 8u, 13u})
        CHECK(testing::same_bits(whole, loaded(shape, type, 3).logits(step)));
    for (const auto layout :
         {trilobit::layout_id::ternary_base3, trilobit::layout_id::ternary_planes})
        CHECK(testing::same_bits(whole, loaded(shape, type, 2, layout).logits(5)));
}

TEST_CASE("TQ1_0, TQ2_0 and I2_S hold the same model") {
    // The one scale is stored as f16 by the first two, as f32 by the third.
    const auto tq1 = loaded("tiny", gguf::tensor_type::tq1_0).logits(4);
    CHECK(testing::same_bits(tq1, loaded("tiny", gguf::tensor_type::tq2_0).logits(4)));
    const auto i2s = loaded("tiny", gguf::tensor_type::i2_s).logits(4);
    double dot = 0, a = 0, b = 0;
    for (std::size_t i = 0; i < i2s.size(); ++i) {
        dot += double{i2s[i]} * double{tq1[i]};
        a += double{i2s[i]} * double{i2s[i]};
        b += double{tq1[i]} * double{tq1[i]};
    }
    CHECK(dot / std::sqrt(a * b) > 0.999);
}

TEST_CASE("logits only for the rows asked for") {
    loaded l("tiny", gguf::tensor_type::tq2_0);
    const std::vector<float> all = l.logits(text.size());
    model::state s(l.m.config, 64, 64);
    const auto last = model::forward(l.cpu, l.m, s, text, model::logits_of::last);
    REQUIRE(last.rows == 1);
    CHECK(std::memcmp(last.data, all.data() + all.size() - 512, 512 * sizeof(float)) == 0);
    CHECK(s.cache.length == std::ssize(text));
    CHECK(model::forward(l.cpu, l.m, s, text, model::logits_of::none).empty());
    s.cache.length = 0;  // forgets everything
    const auto again = model::forward(l.cpu, l.m, s, text, model::logits_of::last);
    CHECK(std::memcmp(again.data, all.data() + all.size() - 512, 512 * sizeof(float)) == 0);
}

TEST_CASE("two stages predict with the bits of all logits") {
    loaded l("tiny", gguf::tensor_type::tq2_0);
    model::two_stage_head two_stage(l.cpu, l.m.weights.head);
    model::state s(l.m.config, 64, 64);
    const auto all = l.logits(text.size());
    const std::span<const float> last(all.data() + all.size() - 512, 512);
    for (const std::int64_t k : {1, 40}) {
        s.cache.length = 0;
        const auto view = model::predict(l.cpu, l.m, s, text, {&two_stage, k});
        CHECK(view.logits.empty());
        REQUIRE(std::ssize(view.best) == k);
        for (const model::scored& b : view.best)
            CHECK(b.logit == last[static_cast<std::size_t>(b.id)]);
        CHECK(view.best.front().logit == *std::max_element(last.begin(), last.end()));
    }
    for (const model::head_use& all_logits : {model::head_use{}, {&two_stage, 0}}) {
        s.cache.length = 0;
        const auto view = model::predict(l.cpu, l.m, s, text, all_logits);
        CHECK(view.best.empty());
        CHECK(std::equal(view.logits.begin(), view.logits.end(), last.begin(), last.end()));
    }
    l.m.weights.output_norm.weights[3] =
        NAN;  // no bound holds for what this makes, and no logit is a number
    for (const model::head_use& head : {model::head_use{&two_stage, 1}, {}}) {
        s.cache.length = 0;
        CHECK_THROWS_WITH(model::predict(l.cpu, l.m, s, text, head),
                          ContainsSubstring("the logits at position 20 hold NaN or infinity"));
    }
    s.cache.length = 0;
    CHECK_THROWS_WITH(model::forward(l.cpu, l.m, s, text, model::logits_of::all),
                      ContainsSubstring("the logits at position 0 hold NaN or infinity"));
}

TEST_CASE("tables of every type of numbers stay in the file, with the logits of their floats") {
    const auto type =
        GENERATE(gguf::tensor_type::q4_0, gguf::tensor_type::iq4_nl, gguf::tensor_type::q4_k,
                 gguf::tensor_type::q5_k, gguf::tensor_type::q6_k, gguf::tensor_type::q8_0);
    const bool tied = GENERATE(false, true);
    CAPTURE(gguf::name_of(type), tied);
    const testing::scratch_folder folder;
    model::config shape = model::config_of_shape("tiny-llama");
    shape.tied_head = tied;
    model::write_dummy(folder.path("rare"), shape, gguf::tensor_type::tq2_0, 3, {}, type);
    loaded rare{gguf::reader(folder.path("rare"))};
    loaded floats{gguf::reader(
        testing::edited_model(rare.file, folder.path("floats"), [&](testing::edited_tensor& t) {
            if (t.type != type) return;
            std::vector<float> all(static_cast<std::size_t>(t.extent[0] * t.extent[1]));
            for (std::int64_t r = 0; r < t.extent[1]; ++r)
                gguf::dequantize_row(
                    rare.file.require_tensor(t.name), r,
                    std::span(all).subspan(static_cast<std::size_t>(r * t.extent[0])));
            t.type = gguf::tensor_type::f32;
            t.bytes = gguf::quantize(t.type, all, t.extent[0]);
        }))};
    const auto of_file = [&](const model::dense_matrix& table, const char* name) {
        return table.owned.data() == nullptr &&
               table.data == rare.file.require_tensor(name).data.data();
    };
    CHECK(of_file(*rare.m.weights.embedding.dense(), "token_embd.weight"));
    CHECK(of_file(std::get<model::dense_matrix>(rare.m.weights.head.weights),
                  tied ? "token_embd.weight" : "output.weight"));
    for (const std::size_t step : {std::size_t{1}, text.size()})
        CHECK(testing::same_bits(rare.logits(step), floats.logits(step)));
}

TEST_CASE("what does not fit is refused") {
    loaded l("tiny", gguf::tensor_type::tq2_0);
    model::state s(l.m.config, 10, 8);
    const auto run = [&](std::vector<model::token_id> tokens) {
        (void)model::forward(l.cpu, l.m, s, tokens, model::logits_of::none);
    };
    CHECK_THROWS_WITH(run({512}), ContainsSubstring("token 512"));
    CHECK_THROWS_WITH(run({-1}), ContainsSubstring("token -1"));
    CHECK_THROWS_AS(run({}), error);
    CHECK_THROWS_AS(run(std::vector<model::token_id>(9, 1)), error);
    run(std::vector<model::token_id>(8, 1));
    CHECK_THROWS_WITH(run({1, 1, 1}), ContainsSubstring("10 positions is full"));
    run({1, 1});
    CHECK_THROWS_AS(run({1}), error);
}

TEST_CASE("random weights in memory are the same in every layout, with or without a head") {
    model::compute cpu(2);
    const auto logits = [&](trilobit::layout_id layout) {
        const auto m = model::random_transformer(cpu, model::config_of_shape("tiny"), layout,
                                                 model::number_type::f16, 9, {});
        model::state s(m.config, 32, 32);
        const auto out = model::forward(cpu, m, s, text, model::logits_of::last);
        return std::vector<float>(out.data, out.data + out.cols);
    };
    const auto first = logits(two_bit);
    CHECK(std::isfinite(first[0]));
    CHECK(testing::same_bits(first, logits(trilobit::layout_id::ternary_base3)));
    CHECK(testing::same_bits(first, logits(trilobit::layout_id::ternary_planes)));
    CHECK(logits(trilobit::layout_id::binary_1bit).size() == first.size());

    const auto headless = model::random_transformer(cpu, model::config_of_shape("tiny"), two_bit,
                                                    std::nullopt, 9, {});
    model::state s(headless.config, 32, 32);
    CHECK(model::forward(cpu, headless, s, text, model::logits_of::all).empty());
    CHECK(headless.bytes_per_token() >= headless.config.linear_weights() / 4);

    std::vector<int> seen(3);
    std::vector<std::int8_t> trits(9000);
    model::random_trits(1, 2, 3, trits);
    for (const std::int8_t t : trits) ++seen.at(static_cast<std::size_t>(t + 1));
    for (const int times : seen) CHECK(std::abs(times - 3000) < 250);
}
