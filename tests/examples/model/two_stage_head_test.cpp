// SPDX-License-Identifier: MIT
// Tests of examples/model/two_stage_head.hpp: what it finds has the bits and the order of all
// logits, whatever the weights are.
#include "model/two_stage_head.hpp"

#include <bit>
#include <cmath>
#include <limits>
#include <memory>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "gguf/quantize.hpp"
#include "model/sampler.hpp"

using namespace tbx;
using model::number_type;
using model::scored;

namespace {

constexpr float not_a_number = std::numeric_limits<float>::quiet_NaN();
constexpr float inf = std::numeric_limits<float>::infinity();

std::vector<float> numbers(std::int64_t count, std::uint64_t seed, float size = 1.0f) {
    model::random_numbers random(seed);
    std::vector<float> out(static_cast<std::size_t>(count));
    // Sums of uniform numbers: something like the bell that trained weights follow.
    for (float& v : out) v = size * (random.uniform() + random.uniform() + random.uniform() - 1.5f);
    return out;
}

/// A head of given weights, and its logits both ways.
struct subject {
    std::int64_t rows, cols;
    model::compute cpu;
    std::vector<std::byte> bytes;
    model::linear full;
    std::unique_ptr<model::two_stage_head> head;

    subject(const std::vector<float>& w, std::int64_t width, number_type type = number_type::f16,
            float scale = 1.0f, int threads = 2)
        : rows(std::ssize(w) / width),
          cols(width),
          cpu(threads),
          bytes(gguf::quantize(type == number_type::f32    ? gguf::tensor_type::f32
                               : type == number_type::bf16 ? gguf::tensor_type::bf16
                               : type == number_type::q8_0 ? gguf::tensor_type::q8_0
                                                           : gguf::tensor_type::f16,
                               w, width)),
          full{model::dense_matrix{type, rows, cols, bytes.data(), {}}, scale},
          head(std::make_unique<model::two_stage_head>(cpu, full)) {}

    std::vector<float> logits(const std::vector<float>& x) {
        std::vector<float> out(static_cast<std::size_t>(rows));
        model::multiply(cpu, {x.data(), 1, cols}, {{full, {out.data(), 1, rows}}});
        return out;
    }

    /// The k best by a plain sort of all logits.
    std::vector<scored> expected(const std::vector<float>& x, std::int64_t k) {
        std::vector<scored> all;
        for (const float l : logits(x)) all.push_back({static_cast<std::int32_t>(all.size()), l});
        std::stable_sort(all.begin(), all.end(),
                         [](const scored& a, const scored& b) { return a.logit > b.logit; });
        all.resize(static_cast<std::size_t>(std::min(k, rows)));
        return all;
    }

    bool agrees(const std::vector<float>& x, std::int64_t k) {
        const auto right = expected(x, k);
        const auto got = head->best(cpu, x.data(), k);
        bool same = got.size() == right.size();
        for (std::size_t i = 0; same && i < right.size(); ++i)
            same = got[i].id == right[i].id && std::bit_cast<std::uint32_t>(got[i].logit) ==
                                                   std::bit_cast<std::uint32_t>(right[i].logit);
        return same;
    }
};

}  // namespace

TEST_CASE("the best tokens are those of the full head, to the bit") {
    const auto type =
        GENERATE(number_type::f32, number_type::f16, number_type::bf16, number_type::q8_0);
    const std::int64_t cols = GENERATE(32, 96, 256, 672);
    const float scale = GENERATE(1.0f, -0.37f);
    constexpr std::int64_t rows = 700;
    subject s(numbers(rows * cols, 1, 0.05f), cols, type, scale);
    REQUIRE(s.head->usable());
    for (std::uint64_t seed = 0; seed < 10; ++seed) {
        const auto x = numbers(cols, 100 + seed, 3.0f);
        for (const std::int64_t k : {1, 2, 7, 40, 699, 700, 5000}) CHECK(s.agrees(x, k));
    }
}

TEST_CASE("any width will do, the tail of a row counts too") {
    for (const std::int64_t cols : {1, 2, 31, 33, 63, 64, 65, 100, 129}) {
        subject s(numbers(200 * cols, 2), cols, number_type::f32);
        for (std::uint64_t seed = 0; seed < 5; ++seed) {
            const auto x = numbers(cols, seed);
            CHECK((s.agrees(x, 1) && s.agrees(x, 10)));
        }
    }
}

TEST_CASE("few rows are scored exactly, else two stages are no use") {
    constexpr std::int64_t rows = 4000, cols = 512;
    subject s(numbers(rows * cols, 3, 0.05f), cols);
    for (std::uint64_t seed = 0; seed < 20; ++seed) CHECK(s.agrees(numbers(cols, seed), 1));
    CHECK(s.head->calls() == 20);
    CHECK(s.head->rows_rescored() >= 20);
    CHECK(s.head->rows_rescored() < 20 * rows / 100);
    CHECK(s.head->mean_bytes() < 0.55 * static_cast<double>(s.full.bytes()));
}

TEST_CASE("equal logits are ordered by id") {
    constexpr std::int64_t rows = 300, cols = 64;
    auto w = numbers(rows * cols, 4);
    const auto copy = [&](std::int64_t from, std::int64_t to) {
        std::copy_n(w.begin() + from * cols, cols, w.begin() + to * cols);
    };
    const auto x = numbers(cols, 5);
    const auto winner = subject(w, cols).expected(x, 1).front().id;
    for (const std::int64_t to : {0, 1, 150, 298, 299}) copy(winner, to);
    subject some(w, cols);
    CHECK(some.expected(x, 1).front().id == 0);
    for (const std::int64_t k : {1, 2, 3, 5, 6, 7, 50}) CHECK(some.agrees(x, k));
    for (std::int64_t r = 0; r < rows; ++r) copy(7, r);
    subject all(w, cols);
    for (const std::int64_t k : {1, 2, 299, 300}) CHECK(all.agrees(x, k));

    // Rows that differ by less than int8 can tell, in the last place of one weight.
    for (std::int64_t r = 0; r < rows; ++r)
        w[static_cast<std::size_t>(r * cols + r % cols)] *= 1.002f;
    subject close(w, cols);
    for (const std::int64_t k : {1, 2, 10}) CHECK(close.agrees(x, k));
    // A zero x: every logit is a zero, of either sign.
    for (const float zero : {0.0f, -0.0f})
        for (const std::int64_t k : {1, 5, 300})
            CHECK(some.agrees(std::vector<float>(cols, zero), k));
    subject nothing(std::vector<float>(100 * cols, 0.0f), cols);
    for (const std::int64_t k : {1, 5, 100}) CHECK(nothing.agrees(x, k));
}

TEST_CASE("a vocabulary of one, two or three") {
    for (const std::int64_t rows : {1, 2, 3})
        for (const std::int64_t k : {1, 2, 3, 4}) {
            subject s(numbers(rows * 40, 6), 40, number_type::f32);
            CHECK(s.agrees(numbers(40, 7), k));
        }
}

TEST_CASE("huge and tiny numbers, and outliers") {
    constexpr std::int64_t rows = 300, cols = 96;
    const float of_w = GENERATE(1e-44f, 1e-38f, 1e-25f, 1.0f, 1e15f, 1e37f);
    const float of_x = GENERATE(1e-44f, 1e-38f, 1e-25f, 1.0f, 1e15f, 1e37f);
    subject s(numbers(rows * cols, 8, of_w), cols, number_type::f32);
    auto x = numbers(cols, 9, of_x);
    const auto check = [&] {
        // Where sums overflow, nothing is found, and that is right: the full head's are refused.
        const auto logits = s.logits(x);
        const bool sound =
            std::all_of(logits.begin(), logits.end(), [](float l) { return std::isfinite(l); });
        for (const std::int64_t k : {1, 2, 20, 300})
            CHECK((sound ? s.agrees(x, k) : s.head->best(s.cpu, x.data(), k).empty()));
    };
    check();
    x[17] *= 1e4f;
    if (std::isfinite(x[17])) check();
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = i == 50 ? of_x : 0.0f;
    check();
}

TEST_CASE("one row or one weight far above the others") {
    constexpr std::int64_t rows = 500, cols = 128;
    auto w = numbers(rows * cols, 10, 0.02f);
    for (std::int64_t r = 0; r < rows; r += 3) w[static_cast<std::size_t>(r * cols + 5)] = 900.0f;
    for (std::int64_t c = 0; c < cols; ++c) w[static_cast<std::size_t>(77 * cols + c)] *= 1e5f;
    subject s(w, cols);
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
        auto x = numbers(cols, seed);
        CHECK((s.agrees(x, 1) && s.agrees(x, 9)));
        x[5] = 0;  // now the codes of these rows say nothing
        CHECK((s.agrees(x, 1) && s.agrees(x, 9)));
    }
}

TEST_CASE("NaN and infinity: nothing at all, and the full head is asked") {
    constexpr std::int64_t rows = 100, cols = 64;
    auto w = numbers(rows * cols, 11);
    const auto x = numbers(cols, 12);
    subject sound(w, cols, number_type::f32);
    for (const float bad : {not_a_number, inf, -inf}) {
        auto y = x;
        y[40] = bad;
        CHECK(sound.head->best(sound.cpu, y.data(), 3).empty());
    }
    CHECK(sound.head->rows_rescored() == 3 * rows);
    w[31 * cols + 3] = x[3] > 0 ? inf : -inf;  // the best of all
    w[62 * cols + 3] = -w[31 * cols + 3];      // the worst
    subject endless(w, cols, number_type::f32);
    for (const std::int64_t k : {1, 2, 99, 100})
        CHECK(endless.head->best(endless.cpu, x.data(), k).empty());
    auto zero = x;
    zero[3] = 0;  // times infinity is NaN
    CHECK(endless.head->best(endless.cpu, zero.data(), 1).empty());
    w[5 * cols + 60] = not_a_number;
    subject wrong(w, cols, number_type::f32);
    CHECK(wrong.head->best(wrong.cpu, x.data(), 1).empty());
    CHECK_FALSE(subject(w, cols, number_type::f32, not_a_number).head->usable());
}

TEST_CASE("threads change nothing, and neither does the call before") {
    constexpr std::int64_t rows = 1000, cols = 128;
    const auto w = numbers(rows * cols, 13, 0.1f);
    subject one(w, cols, number_type::f16, 1.0f, 1), three(w, cols, number_type::f16, 1.0f, 3);
    for (std::uint64_t seed = 0; seed < 30; ++seed) {
        const auto x = numbers(cols, seed);
        const std::int64_t k = 1 + static_cast<std::int64_t>(seed) * 7;
        CHECK((one.agrees(x, k) && three.agrees(x, k)));
    }
    CHECK(one.head->rows_rescored() == three.head->rows_rescored());
}

TEST_CASE("a sampler draws the same from the list as from all logits") {
    constexpr std::int64_t rows = 900, cols = 128;
    subject s(numbers(rows * cols, 14, 0.2f), cols);
    for (const model::sampling& how : {model::sampling{},
                                       {.temperature = 0.8f, .top_k = 40, .seed = 3},
                                       {.temperature = 1.5f, .top_k = 5, .top_p = 0.7f, .seed = 4},
                                       {.temperature = 0.01f, .top_k = 900, .seed = 5}}) {
        model::sampler from_all(s.cpu.dense, how), from_list(s.cpu.dense, how);
        for (std::uint64_t seed = 0; seed < 40; ++seed) {
            const auto x = numbers(cols, seed);
            const auto logits = s.logits(x);
            const model::prediction best{
                .logits = {}, .best = s.head->best(s.cpu, x.data(), how.tokens_needed())};
            CHECK(from_list.next(best) ==
                  from_all.next(model::prediction{.logits = logits, .best = {}}));
        }
    }
    CHECK(model::sampling{.temperature = 1.0f, .top_p = 0.5f}.tokens_needed() == 0);
}
