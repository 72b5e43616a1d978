// SPDX-License-Identifier: MIT
// Tests of the encoder: every type gives back exactly the weights that it was given, or refuses; a
// scale that a type's blocks cannot hold lies beside them; and what rounding costs is told right.
#include "conversion/encode.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <cmath>

#include "../support/scratch_folder.hpp"
#include "gguf/dequantize.hpp"
#include "gguf/packed.hpp"
#include "gguf/reader.hpp"
#include "made_rows.hpp"
#include "support/error.hpp"

using namespace tbx;
using namespace tbx::conversion;
using Catch::Matchers::ContainsSubstring;
using testing::made_rows;
using testing::scratch_folder;
using testing::trit;
using value_of = std::function<float(std::int64_t, std::int64_t)>;

namespace {

constexpr std::int64_t rows = 128, cols = 512;

target target_of(gguf::tensor_type type) {
    return {gguf::name_of(type), type, gguf::few_levels(type), gguf::numbers(type)};
}
target packed() {
    target t{"packed", gguf::tensor_type::i8};
    t.packed = true;
    return t;
}

std::vector<loss> encode_rows(const std::string& path, const target& to, permission may,
                              gguf::float_rows from) {
    static model::compute cpu(2);
    std::vector<gguf::float_rows> all;
    all.push_back(std::move(from));
    encoder e(cpu, "x", to, may, {}, std::move(all), [](double) {});
    gguf::writer out(path, to.packed ? 64 : 32);
    if (to.packed) out.set("trilobit.packed_version", std::uint32_t{TRILOBIT_PACKED_VERSION});
    e.declare(out);
    e.write(out, [](double) {});
    out.finish();
    return e.losses();
}
std::vector<loss> encode(const std::string& path, const target& to, permission may,
                         value_of value) {
    return encode_rows(path, to, may, made_rows(rows, cols, std::move(value)));
}

/// How many of the rows' numbers, times `scale`, are others.
std::int64_t count_wrong(const gguf::float_rows& from, const value_of& value, float scale = 1) {
    std::vector<float> row(cols);
    std::int64_t wrong = 0;
    for (std::int64_t r = 0; r < from.rows; ++r) {
        from.read(r, row);
        for (std::int64_t c = 0; c < cols; ++c)
            wrong += scale * row[static_cast<std::size_t>(c)] != value(r, c);
    }
    return wrong;
}

void check_values(const std::string& path, const value_of& value) {
    const gguf::reader file(path);
    const auto tensors = conversion::rows_of(file, true);
    float scale = 1;
    if (const gguf::tensor* apart = file.find_tensor("blk.0.attn_q.scale"); apart != nullptr)
        gguf::dequantize_row(*apart, 0, {&scale, 1});
    CHECK(tensors.front().rows == rows);
    CHECK(count_wrong(tensors.front(), value, scale) == 0);
}

}  // namespace

TEST_CASE("every type that can be written keeps ternary weights of any scale") {
    const scratch_folder folder;
    int kept = 0;
    for (const float scale : {0.5f, 0.3f, 1e-6f, 1e6f}) {
        const value_of value = [scale](auto r, auto c) { return scale * trit(r * 5 + c); };
        for (const gguf::tensor_type type : gguf::readable_types()) {
            const formats::format* levels = gguf::few_levels(type);
            // Tiles of TL1 and TL2 have tables of shapes; two signs have no zero; STQ1_0 has one in
            // four.
            if (levels == nullptr || levels->values == formats::kind::binary ||
                !gguf::tensor_bytes(type, cols, rows) || type == gguf::tensor_type::stq1_0 ||
                type == gguf::tensor_type::i2_s_arm || type == gguf::tensor_type::i2_s_1x4)
                continue;
            INFO(gguf::name_of(type) << " " << scale);
            const std::string path = folder.path("t.gguf");
            CHECK(encode(path, target_of(type), {}, value).empty());
            check_values(path, value);
            ++kept;
        }
        CHECK(encode(folder.path("p.gguf"), packed(), {}, value).empty());
        check_values(folder.path("p.gguf"), value);
    }
    CHECK(kept >= 4 * 7);
}

TEST_CASE("several scales are kept where a type has room, and are never flattened") {
    const scratch_folder folder;
    const std::string path = folder.path("t.gguf");
    const auto by_groups = [](int width) -> value_of {
        return [width](auto r, auto c) {
            return 0.25f * static_cast<float>(1 + c / width % 3) * trit(r + c);
        };
    };
    struct room {
        gguf::tensor_type type;
        int width;
    };
    for (const room& t : {room{gguf::tensor_type::tq2_0, 256},
                          {gguf::tensor_type::pq2_0, 128},
                          {gguf::tensor_type::q2_0, 64},
                          {gguf::tensor_type::iq2_bn, 512}}) {
        INFO(gguf::name_of(t.type));
        CHECK(encode(path, target_of(t.type), {}, by_groups(t.width)).empty());
        check_values(path, by_groups(t.width));
        for (const bool ternarise : {false, true})
            CHECK_THROWS_WITH(
                encode(path, target_of(t.type), {.ternarise = ternarise}, by_groups(t.width / 2)),
                ContainsSubstring("x: blk.0.attn_q.weight: ") &&
                    ContainsSubstring("several scales"));
    }
    for (const int width : {32, 64, 128, 256}) {
        encode(path, packed(), {}, by_groups(width));
        check_values(path, by_groups(width));
    }
    CHECK_THROWS_WITH(encode(path, packed(), {.ternarise = true}, by_groups(16)),
                      ContainsSubstring("quantised already"));
}

TEST_CASE("two signs and four levels go where they fit") {
    const scratch_folder folder;
    const std::string path = folder.path("t.gguf");
    const value_of signs = [](auto r, auto c) { return (r + c * c) % 3 == 0 ? 0.3f : -0.3f; };
    for (const auto type :
         {gguf::tensor_type::q1_0, gguf::tensor_type::q2_0, gguf::tensor_type::i2_s}) {
        encode(path, target_of(type), {}, signs);
        check_values(path, signs);
    }
    const value_of four = [](auto r, auto c) {
        return 0.25f * static_cast<float>((r + c) % 4 - 1);
    };
    encode(path, target_of(gguf::tensor_type::q2_0), {}, four);
    check_values(path, four);
    encode(path, packed(), {}, four);
    check_values(path, four);
    CHECK_THROWS_AS(encode(path, target_of(gguf::tensor_type::i2_s), {.ternarise = true}, four),
                    error);
    target base3 = packed();
    base3.layout = trilobit::layout_id::ternary_base3;
    CHECK_THROWS_WITH(encode(path, base3, {}, four), ContainsSubstring("does not hold"));
    CHECK_THROWS_WITH(encode(path, target_of(gguf::tensor_type::q1_0), {.ternarise = true}, four),
                      ContainsSubstring("two signs"));
}

TEST_CASE("masters are rounded when that is allowed, and the error is the true one") {
    const scratch_folder folder;
    const std::string path = folder.path("t.gguf");
    const value_of masters = [](auto r, auto c) {
        return 0.1f * std::sin(static_cast<float>(r * cols + c) * 1.7f);
    };
    double mean = 0, all = 0, lost = 0;
    for (std::int64_t r = 0; r < rows; ++r)
        for (std::int64_t c = 0; c < cols; ++c) mean += std::fabs(double{masters(r, c)});
    mean /= rows * cols;
    for (std::int64_t r = 0; r < rows; ++r)
        for (std::int64_t c = 0; c < cols; ++c) {
            const double w = masters(r, c),
                         t = std::fabs(w) > mean / 2 ? std::copysign(mean, w) : 0;
            lost += (w - t) * (w - t);
            all += w * w;
        }
    for (const target& to :
         {target_of(gguf::tensor_type::tq2_0), target_of(gguf::tensor_type::i2_s),
          target_of(gguf::tensor_type::iq1_bn), packed()}) {
        INFO(to.name);
        CHECK_THROWS_WITH(encode(path, to, {}, masters), ContainsSubstring("--ternarize"));
        const auto losses = encode(path, to, {.ternarise = true}, masters);
        REQUIRE(losses.size() == 1);
        CHECK(losses[0].tensor == "blk.0.attn_q.weight");
        CHECK(std::fabs(losses[0].error - std::sqrt(lost / all)) < 1e-4);
    }
    CHECK_THROWS_WITH(encode(path, target_of(gguf::tensor_type::q8_0), {}, masters),
                      ContainsSubstring("would round"));
    const auto rounded = encode(path, target_of(gguf::tensor_type::q8_0), {.round = true}, masters);
    REQUIRE(rounded.size() == 1);
    CHECK((rounded[0].error > 1e-4 && rounded[0].error < 0.02));
    CHECK(encode(path, target_of(gguf::tensor_type::f32), {}, masters).empty());
    check_values(path, masters);
}

namespace {

constexpr std::int64_t experts = 3, rows_of_one = 32;

/// What `encode` does, with a tensor of experts.
std::vector<loss> encode_stack(const std::string& path, const target& to, permission may,
                               value_of value) {
    auto stack =
        made_rows(experts * rows_of_one, cols, std::move(value), "blk.0.ffn_up_exps.weight");
    stack.extent = {cols, rows_of_one, experts};
    return encode_rows(path, to, may, std::move(stack));
}

void check_stack(const std::string& path, const value_of& value) {
    const gguf::reader file(path);
    const auto tensors = conversion::rows_of(file, true);
    const gguf::float_rows& stack = tensors.front();
    CHECK((stack.linear && stack.matrices() == experts && stack.rows == experts * rows_of_one));
    CHECK(count_wrong(stack, value) == 0);
}

}  // namespace

TEST_CASE("experts keep a scale of their own each, in rows, in blocks or in their images") {
    const scratch_folder folder;
    const std::string path = folder.path("t.gguf");
    // One of the sizes that no half is, and one expert that is nothing but zeros.
    const auto sizes = [](float first, float second) -> value_of {
        return [=](auto r, auto c) {
            return (r < rows_of_one       ? first
                    : r < 2 * rows_of_one ? 0.0f
                                          : second) *
                   trit(r * 5 + c);
        };
    };
    for (const bool halves : {true, false}) {
        const value_of value = halves ? sizes(0.5f, 0.25f) : sizes(0.25f, 0.3f);
        for (const auto type : {gguf::tensor_type::tq2_0, gguf::tensor_type::tq1_0,
                                gguf::tensor_type::q2_0, gguf::tensor_type::iq2_bn}) {
            INFO(gguf::name_of(type));
            if (!halves && type != gguf::tensor_type::iq2_bn) {
                CHECK_THROWS_WITH(encode_stack(path, target_of(type), {}, value),
                                  ContainsSubstring("x: blk.0.ffn_up_exps.weight: ") &&
                                      ContainsSubstring("halves for scales"));
                continue;
            }
            CHECK(encode_stack(path, target_of(type), {}, value).empty());
            check_stack(path, value);
        }
        CHECK(encode_stack(path, packed(), {}, value).empty());
        check_stack(path, value);
        const gguf::reader file(path);
        CHECK(file.tensors().front().extent[1] == experts);
        CHECK(gguf::packed_images(file, file.tensors().front()).size() == experts);
        CHECK_THROWS_WITH(encode_stack(path, target_of(gguf::tensor_type::i2_s), {}, value),
                          ContainsSubstring("x: blk.0.ffn_up_exps.weight: I2_S: its 3 matrices") &&
                              ContainsSubstring("several scales"));
    }
    encode_stack(path, target_of(gguf::tensor_type::i2_s), {}, sizes(0.3f, 0.3f));
    check_stack(path, sizes(0.3f, 0.3f));
    // Of rows, and of groups.
    const value_of rows_own = [](auto r, auto c) {
        return (1.0f + static_cast<float>(r % 4)) * trit(r + c);
    };
    for (const target& to : {target_of(gguf::tensor_type::tq2_0), packed()}) {
        encode_stack(path, to, {}, rows_own);
        check_stack(path, rows_own);
    }
}

TEST_CASE("masters of experts are rounded each by its own mean") {
    const scratch_folder folder;
    const std::string path = folder.path("t.gguf");
    const value_of masters = [](auto r, auto c) {
        return static_cast<float>(1 + r / rows_of_one * 7) *
               std::sin(static_cast<float>(r * cols + c) * 1.7f);
    };
    for (const target& to : {target_of(gguf::tensor_type::iq2_bn), packed()}) {
        INFO(to.name);
        CHECK_THROWS_WITH(encode_stack(path, to, {}, masters), ContainsSubstring("--ternarize"));
        const auto losses = encode_stack(path, to, {.ternarise = true}, masters);
        REQUIRE(losses.size() == 1);
        // A sine's own loss: a mean of all experts would lose far more.
        CHECK((losses[0].error > 0.2 && losses[0].error < 0.5));
    }
}
