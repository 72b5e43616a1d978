// SPDX-License-Identifier: MIT
// A model has one passport, whatever computes it, and no two models have the same.
#include "model/passport.hpp"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <set>

#include "model/random_weights.hpp"
#include "model/shapes.hpp"

using namespace tbx;

namespace {

struct family {
    const char* shape;
    model::number_type head;
    bool turned_otherwise = false;  // RoPE with a base and divisors of its own
};

model::transformer make(const family& f) {
    model::compute cpu(1);
    model::config c = model::config_of_shape(f.shape);
    if (f.turned_otherwise) c.rope_base = 500000.0f, c.rope_divisor = 3.0f;
    auto m = model::random_transformer(cpu, c, trilobit::layout_id::ternary_base3, f.head, 7, {});
    if (f.turned_otherwise)
        for (std::int64_t i = 0; i < c.rope_dim / 2; ++i)
            m.weights.rope_divisors.push_back(1.0f + static_cast<float>(i) * 0.37f);
    return m;
}

}  // namespace

TEST_CASE("every back end gives a model of any family the same passport") {
    using type = model::number_type;
    std::set<std::string> all;
    std::size_t models = 0;
    for (const family& f :
         {family{"tiny", type::f16}, family{"tiny", type::f32}, family{"tiny", type::q8_0},
          family{"tiny-llama", type::bf16}, family{"tiny-llama", type::q6_k},
          family{"tiny", type::f16, true}, family{"tiny-llama", type::f16, true}}) {
        const model::transformer m = make(f);
        std::set<std::string> found;
        for (const trilobit::kernel_table* arch : trilobit::dispatch::available())
            for (const std::int64_t batch : {1, 8, 256}) {
                model::compute cpu(batch == 8 ? 2 : 1, {}, *arch);
                model::state s(m.config, model::passport_positions, batch);
                found.insert(model::passport(cpu, m, s));
            }
        INFO(f.shape << " " << model::name_of(f.head));
        CHECK(found.size() == 1);
        all.merge(found);
        ++models;
    }
    CHECK(all.size() == models);
}

TEST_CASE("the prompt of a passport is in the vocabulary and fits") {
    for (const std::int64_t vocab : {1, 2, 512, 7919, 128256, 1 << 24}) {
        const auto prompt = model::passport_prompt(vocab);
        CHECK(std::ssize(prompt) == model::passport_positions);
        CHECK(std::all_of(prompt.begin(), prompt.end(), [&](auto i) { return i < vocab; }));
        CHECK(prompt.front() == 7919 % vocab);
    }
    const model::transformer m = make({"tiny", model::number_type::f16});
    model::compute cpu(1);
    model::state s(m.config, model::passport_positions - 1, 8);
    CHECK_THROWS_AS(model::passport(cpu, m, s), error);
}
