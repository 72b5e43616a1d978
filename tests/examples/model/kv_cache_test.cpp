// SPDX-License-Identifier: MIT
// Tests of the keys and values that are kept: what attention makes of them is what plain loops in
// double make of them, as near as their numbers are; and no bit depends on how tokens are batched.
#include "model/kv_cache.hpp"

#include <cmath>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "model/attention.hpp"
#include "model/forward.hpp"
#include "model/random_weights.hpp"
#include "model/sampler.hpp"
#include "model/shapes.hpp"
#include "same_bits.hpp"

using namespace tbx;
using model::kept_as;

namespace {

/// Random keys, values and queries of one layer, whose heads are wider than a part and no multiple.
struct kept_text {
    model::config c;
    std::int64_t positions;
    std::vector<float> k, v, q;

    explicit kept_text(std::int64_t count) : positions(count) {
        c.layers = 1;
        c.heads = 4;
        c.kv_heads = 2;
        c.key_dim = 48;
        c.value_dim = 40;
        model::random_numbers random(7);
        const auto fill = [&](std::vector<float>& to, std::int64_t width) {
            to.resize(static_cast<std::size_t>(count * width));
            for (float& x : to) x = 4 * random.uniform() - 2;
        };
        fill(k, c.k_width());
        fill(v, c.v_width());
        fill(q, c.q_width());
    }

    void store(model::kv_cache& cache, const model::dense_kernels& run, std::int64_t batch) {
        for (std::int64_t at = 0; at < positions; at += batch) {
            const std::int64_t n = std::min(batch, positions - at);
            for (std::int64_t h = 0; h < c.kv_heads; ++h)
                cache.store(run, 0, h, {k.data() + at * c.k_width(), n, c.k_width()},
                            {v.data() + at * c.v_width(), n, c.v_width()});
            cache.length += n;
        }
    }

    /// What the last `tokens` find, `together` at once.
    std::vector<float> found(const model::kv_cache& full, const model::dense_kernels& run,
                             std::int64_t tokens, std::int64_t together) {
        auto& cache = const_cast<model::kv_cache&>(full);
        const std::int64_t length = cache.length;
        cache.length = positions - tokens;
        std::vector<float> out(static_cast<std::size_t>(tokens * c.attention_width()));
        const model::const_matrix queries(q.data() + cache.length * c.q_width(), tokens,
                                          c.q_width());
        for (std::int64_t t = 0; t < tokens; t += together)
            for (std::int64_t h = 0; h < c.kv_heads; ++h)
                model::attend_head(run, c, cache, 0, h, positions, queries,
                                   {out.data(), tokens, c.attention_width()}, t,
                                   std::min(t + together, tokens));
        cache.length = length;
        return out;
    }

    /// The same of the last token by plain loops.
    std::vector<double> plain() const {
        std::vector<double> out;
        const float* query = q.data() + (positions - 1) * c.q_width();
        for (std::int64_t h = 0; h < c.heads; ++h) {
            const std::int64_t from = h / (c.heads / c.kv_heads);
            std::vector<double> weights;
            double sum = 0;
            for (std::int64_t p = 0; p < positions; ++p) {
                double score = 0;
                for (std::int64_t d = 0; d < c.key_dim; ++d)
                    score +=
                        double{query[h * c.key_dim + d]} *
                        double{k[static_cast<std::size_t>(p * c.k_width() + from * c.key_dim + d)]};
                weights.push_back(std::exp(score / std::sqrt(static_cast<double>(c.key_dim))));
                sum += weights.back();
            }
            for (std::int64_t d = 0; d < c.value_dim; ++d) {
                double mixed = 0;
                for (std::int64_t p = 0; p < positions; ++p)
                    mixed +=
                        weights[static_cast<std::size_t>(p)] *
                        double{
                            v[static_cast<std::size_t>(p * c.v_width() + from * c.value_dim + d)]};
                out.push_back(mixed / sum);
            }
        }
        return out;
    }
};

}  // namespace

TEST_CASE("attention is near plain loops, as near as the kept numbers are") {
    // Values lie in -2..2. Halves are off by 2^-11 of a number, int8 by half of 2 / 127; a key's
    // error moves a score, whose weight then moves by as much of itself: a few times each in all.
    const auto [type, worst] = GENERATE(
        table<kept_as, double>({{kept_as::f32, 2e-5}, {kept_as::f16, 2e-3}, {kept_as::q8, 2e-2}}));
    kept_text kept(77);
    const std::vector<double> right = kept.plain();
    for (const trilobit::kernel_table* arch : trilobit::dispatch::available()) {
        const model::dense_kernels& run = model::dense_kernels_for(arch->name);
        model::kv_cache cache(kept.c, kept.positions, type);
        kept.store(cache, run, 5);
        const std::vector<float> out = kept.found(cache, run, 1, 1);
        REQUIRE(out.size() == right.size());
        double most = 0;
        for (std::size_t i = 0; i < out.size(); ++i)
            most = std::max(most, std::fabs(double{out[i]} - right[i]));
        INFO(std::string(arch->name) << ", off by " << most);
        CHECK(most < worst);
        CHECK((type == kept_as::f32 || most > worst / 1000));
    }
}

TEST_CASE("what a token finds has the same bits alone and beside others, stored in any steps") {
    const kept_as type = GENERATE(kept_as::f32, kept_as::f16, kept_as::q8);
    kept_text kept(100);
    const model::dense_kernels& run = model::dense_kernels_for("generic");
    model::kv_cache once(kept.c, 100, type), steps(kept.c, 100, type);
    kept.store(once, run, 100);
    kept.store(steps, run, 7);
    const auto alone = kept.found(once, run, 8, 1);
    CHECK(testing::same_bits(alone, kept.found(once, run, 8, 8)));
    CHECK(testing::same_bits(alone, kept.found(steps, run, 8, 3)));
}

TEST_CASE("scores of a pass do not grow with the positions") {
    model::config c;
    c.heads = 32;
    c.kv_heads = 8;
    for (const std::int64_t positions : {1, 100, 4096, 32768, 131072, 1 << 20}) {
        const std::int64_t tokens = model::tokens_of_pass(c, positions);
        CHECK((tokens >= 1 && tokens <= model::attention_tokens));
        CHECK((tokens == 1 || tokens * 4 * positions <= model::attention_scores));
    }
    CHECK(model::tokens_of_pass(c, 4096) == 8);
    CHECK(model::tokens_of_pass(c, 32768) == 2);
    // And no bit depends on it: 8 tokens by themselves at 20000 positions.
    kept_text kept(20000);
    CHECK(model::tokens_of_pass(kept.c, 20000) == 6);
    const model::dense_kernels& run = model::dense_kernels_for("generic");
    model::kv_cache cache(kept.c, kept.positions);
    kept.store(cache, run, 4096);
    CHECK(testing::same_bits(kept.found(cache, run, 8, 8), kept.found(cache, run, 8, 1)));
}

TEST_CASE("the kinds take the memory that they say, and keep a model's logits near") {
    model::compute cpu(2);
    const auto m = model::random_transformer(cpu, model::config_of_shape("tiny"),
                                             trilobit::layout_id::ternary_2bit,
                                             model::number_type::f16, 3, {});
    const auto logits = [&](kept_as type, std::int64_t batch) {
        model::state s(m.config, 64, batch, type);
        // 2 layers, 2 heads of 64 and 64.
        const std::int64_t head = type == kept_as::f32 ? 512 : type == kept_as::f16 ? 256 : 136;
        CHECK(s.cache.bytes_per_position(2) == 4 * head);
        CHECK(s.cache.bytes() == 64 * 4 * head);
        std::vector<model::token_id> tokens;
        for (int i = 0; i < 40; ++i) tokens.push_back(i * 37 % 512);
        std::vector<float> all;
        for (std::span<const model::token_id> left(tokens); !left.empty();) {
            const auto some = left.first(std::min(left.size(), static_cast<std::size_t>(batch)));
            const auto got = model::forward(cpu, m, s, some, model::logits_of::all);
            all.insert(all.end(), got.data, got.data + got.rows * got.cols);
            left = left.subspan(some.size());
        }
        return all;
    };
    const auto exact = logits(kept_as::f32, 40);
    for (const kept_as type : {kept_as::f32, kept_as::f16, kept_as::q8}) {
        const auto near = logits(type, 40);
        CHECK(testing::same_bits(near, logits(type, 1)));
        CHECK(testing::same_bits(near, logits(type, 7)));
        double lost = 0, all = 0;
        for (std::size_t i = 0; i < near.size(); ++i) {
            lost += (double{near[i]} - double{exact[i]}) * (double{near[i]} - double{exact[i]});
            all += double{exact[i]} * double{exact[i]};
        }
        const double off = std::sqrt(lost / all);
        INFO("off by " << off);
        // Activations are rounded to int8 beside: 1 / 256 of the largest, a few times over.
        CHECK(off < (type == kept_as::f32 ? 1e-30 : 0.05));
        CHECK((type == kept_as::f32 || off > 0));
    }
}

TEST_CASE("a number that is none is not hidden by int8") {
    kept_text kept(3);
    kept.v[static_cast<std::size_t>(kept.c.v_width())] = INFINITY;
    const model::dense_kernels& run = model::dense_kernels_for("generic");
    model::kv_cache cache(kept.c, 3, kept_as::q8);
    kept.store(cache, run, 3);
    CHECK(!std::isfinite(kept.found(cache, run, 1, 1).front()));
}
