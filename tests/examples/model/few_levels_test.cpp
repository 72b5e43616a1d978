// SPDX-License-Identifier: MIT
// Tests of examples/model: tensors of every type of few levels become packed matrices of the layout
// for their values, with the scales of the file, the fewest that say the same.
#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <string>
#include <vector>

#include <trilobit/pack/pack.hpp>
#include <trilobit/testing/random.hpp>

#include "../support/scratch_folder.hpp"
#include "formats/format.hpp"
#include "gguf/quantize.hpp"
#include "gguf/reader.hpp"
#include "gguf/writer.hpp"
#include "model/linear.hpp"

using namespace tbx;
using gguf::tensor_type;
using trilobit::layout_id;
using trilobit::scale_spec;

namespace {

constexpr std::int64_t level_rows = 64, level_cols = 512;

std::vector<std::int8_t> random_values(formats::kind of, std::uint64_t seed, bool three_of_four) {
    trilobit::testing::generator random(seed);
    std::vector<std::int8_t> values(level_rows * level_cols);
    for (auto& v : values)
        v = static_cast<std::int8_t>(formats::lowest_of(of) +
                                     formats::step_of(of) *
                                         random.between(0, formats::levels_of(of) - 1));
    if (three_of_four)
        for (std::size_t i = 0; i < values.size(); ++i)
            values[i] = i % 64 < 16 ? 0 : values[i] < 0 ? -1 : 1;
    return values;
}

struct loaded_tensor {
    testing::scratch_folder folder;
    gguf::reader file;
    model::compute cpu{2, {}};

    loaded_tensor(tensor_type type, const std::vector<std::int8_t>& values,
                  const std::vector<float>& scales)
        : file(write(type, values, scales)) {}

    std::string write(tensor_type type, const std::vector<std::int8_t>& values,
                      const std::vector<float>& scales) {
        gguf::writer out(folder.path("t.gguf"));
        out.set("general.architecture", "llama");
        out.add_tensor("w", type, {level_cols, level_rows});
        out.append(gguf::encode_levels(type, values, level_cols, scales));
        out.finish();
        return folder.path("t.gguf");
    }
    model::linear load(layout_id asked) {
        return model::load_linear(cpu, file, file.require_tensor("w"), asked, {});
    }
};

/// Is the tensor packed as these values and scales are?
void check_same(const model::linear& w, layout_id layout, const std::vector<std::int8_t>& values,
                const scale_spec& spec, const std::vector<float>& scales) {
    const auto wanted = trilobit::pack(
        layout,
        trilobit::quantized_view{{values.data(), level_rows, level_cols}, scales.data(), spec});
    REQUIRE(wanted.status().ok());
    const auto& got = std::get<trilobit::any_packed_matrix>(w.weights);
    CHECK(got.view().layout == layout);
    CHECK(got.view().scale == spec);
    CHECK(std::ranges::equal(got.bytes(), wanted.bytes()));
}

/// All readable from a file without a word of the user's.
std::vector<tensor_type> types() {
    std::vector<tensor_type> found;
    for (const tensor_type type : gguf::readable_types())
        if (gguf::few_levels(type) != nullptr && type != tensor_type::i2_s_arm &&
            type != tensor_type::i2_s_1x4)
            found.push_back(type);
    return found;
}

layout_id layout_of(formats::kind of) {
    return of == formats::kind::binary       ? layout_id::binary_1bit
           : of == formats::kind::quaternary ? layout_id::quaternary_2bit
                                             : layout_id::ternary_2bit;
}

}  // namespace

TEST_CASE("each type is packed into the layout for its values, one scale where all are alike") {
    int count = 0;
    for (const tensor_type type : types()) {
        CAPTURE(gguf::name_of(type));
        const formats::format& f = *gguf::few_levels(type);
        const auto values = random_values(f.values, 3, type == tensor_type::stq1_0);
        const std::vector<float> scales(
            static_cast<std::size_t>(level_rows * f.scales_per_row(level_cols)), 0.375f);
        loaded_tensor t(type, values, scales);
        REQUIRE(t.file.tensors()[0].type == type);
        check_same(t.load(layout_id::ternary_2bit), layout_of(f.values), values,
                   scale_spec::tensor(), {0.375f});
        ++count;
    }
    CHECK(count == 13);
}

TEST_CASE("ternary weights lie in the layout that was asked for, whatever else the type holds") {
    for (const tensor_type type : {tensor_type::tq1_0, tensor_type::q2_0, tensor_type::pq2_0})
        for (const layout_id asked :
             {layout_id::ternary_2bit, layout_id::ternary_base3, layout_id::ternary_planes}) {
            const auto values = random_values(formats::kind::ternary, 4, false);
            const std::vector<float> scales(
                static_cast<std::size_t>(level_rows *
                                         gguf::few_levels(type)->scales_per_row(level_cols)),
                0.5f);
            loaded_tensor t(type, values, scales);
            check_same(t.load(asked), asked, values, scale_spec::tensor(), {0.5f});
        }
}

TEST_CASE("scales of rows and of groups stay the file's") {
    for (const tensor_type type : types()) {
        const formats::format& f = *gguf::few_levels(type);
        if (f.scales == formats::scale_per::tensor) continue;
        CAPTURE(gguf::name_of(type));
        const auto values = random_values(f.values, 5, type == tensor_type::stq1_0);
        const std::int64_t each = f.scales_per_row(level_cols);
        std::vector<float> by_row, repeated, by_group;
        for (std::int64_t r = 0; r < level_rows; ++r) {
            by_row.push_back(0.25f + static_cast<float>(r) / 256);
            for (std::int64_t g = 0; g < each; ++g) {
                repeated.push_back(by_row.back());
                by_group.push_back(by_row.back() + static_cast<float>(g) / 1024);
            }
        }
        loaded_tensor alike(type, values, repeated);
        check_same(alike.load(layout_id::ternary_2bit), layout_of(f.values), values,
                   scale_spec::row(), by_row);
        if (f.scales != formats::scale_per::group) continue;
        loaded_tensor differ(type, values, by_group);
        check_same(differ.load(layout_id::ternary_2bit), layout_of(f.values), values,
                   scale_spec::group(f.group), by_group);
    }
}

TEST_CASE("a scale of 0 makes zeros of weights that have one, and stays where they have none") {
    const std::vector<std::int8_t> ones(level_rows * level_cols, 1);
    std::vector<float> scales(level_rows * level_cols / 256, 0.5f);
    scales[3] = 0.0f;
    loaded_tensor ternary(tensor_type::tq2_0, ones, scales);
    auto wanted = ones;
    std::fill_n(wanted.begin() + 3 * 256, 256, std::int8_t{0});
    check_same(ternary.load(layout_id::ternary_2bit), layout_id::ternary_2bit, wanted,
               scale_spec::tensor(), {0.5f});

    scales.assign(level_rows * level_cols / 128, 0.5f);
    scales[3] = 0.0f;
    loaded_tensor binary(tensor_type::q1_0, ones, scales);
    check_same(binary.load(layout_id::ternary_2bit), layout_id::binary_1bit, ones,
               scale_spec::group(128), scales);
}
