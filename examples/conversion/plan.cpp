// SPDX-License-Identifier: MIT
// Room conversion. Enters: surveys of matrices. Leaves: plans, or refusals; see plan.hpp.
#include "conversion/plan.hpp"

#include <algorithm>
#include <cmath>
#include <initializer_list>

#include <trilobit/pack/header.hpp>

#include "formats/layout.hpp"
#include "support/error.hpp"

namespace tbx::conversion {

namespace {

using formats::kind;

constexpr std::initializer_list<kind> all_kinds{kind::binary, kind::ternary, kind::quaternary,
                                                kind::quaternary_low, kind::quaternary_odd};

const char* text_of(kind k) noexcept {
    constexpr const char* texts[] = {"two signs", "-1, 0 and +1", "-1, 0, 1 and 2",
                                     "-2, -1, 0 and 1", "-3, -1, 1 and 3"};
    return texts[static_cast<std::size_t>(k)];
}

// Does a format give this scale back? Asked of a matrix as small as it has.
bool keeps_scale(const formats::format& f, float scale) {
    for (const std::int64_t cols : {std::int64_t{256}, std::int64_t{320}}) {
        const formats::shape shape{4, cols};
        const auto bytes = f.bytes(shape);
        if (!bytes) continue;
        std::vector<std::byte> tensor(static_cast<std::size_t>(*bytes));
        std::vector<std::int8_t> values(static_cast<std::size_t>(cols));
        for (std::size_t i = 0; i < values.size(); ++i)  // three of four, for those that want that
            values[i] = formats::has_zero(f.values) && i % 4 == 0 ? 0 : 1;
        std::vector<float> scales(static_cast<std::size_t>(f.scales_per_row(cols)), scale);
        if (f.write(tensor, shape, 0, values.data(), scales.data()) != formats::fault::none)
            return false;
        std::ranges::fill(scales, 0.0f);
        (void)f.read(tensor, shape, 0, nullptr, scales.data());
        return std::ranges::all_of(scales, [scale](float s) { return s == scale; });
    }
    return true;  // of formats whose shapes are few; they have one float for the tensor
}

// One of those that a tensor holds; the tensor outlives it.
gguf::float_rows matrix_of(const gguf::float_rows& t, std::int64_t number) {
    gguf::float_rows one;
    one.name = t.name;
    one.rows = t.rows / t.matrices();
    one.cols = t.cols;
    one.group = t.group;
    one.read = [&t, first = number * one.rows](std::int64_t row, std::span<float> out) {
        t.read(first + row, out);
    };
    return one;
}

}  // namespace

std::string scale_name(std::string_view weight) {
    return std::string(weight.substr(0, weight.rfind(".weight"))) + ".scale";
}

std::int64_t encoder::plan::run(std::int64_t cols, const formats::format* levels) const noexcept {
    if (how == way::image) return shape.scale.segment_cols(cols);
    return levels->scales == formats::scale_per::group ? levels->group : cols;
}

float quantise_run(std::span<const float> weights, kind k, std::int8_t* values) {
    const float scale = scale_of_run(k, trilobit::values_of(weights.data(), std::ssize(weights)));
    for (std::size_t i = 0; i < weights.size(); ++i)
        values[i] =
            scale == 0 ? std::int8_t{0} : static_cast<std::int8_t>(std::lround(weights[i] / scale));
    return scale;
}

float round_run(std::span<const float> weights, kind k, std::int8_t* values) {
    double size = 0;
    for (const float w : weights) size += std::fabs(double{w});
    size /= static_cast<double>(weights.size());
    double over = 0, under = 0;
    for (std::size_t i = 0; i < weights.size(); ++i) {
        const double w = weights[i];
        const int value =
            k == kind::binary ? (w < 0 ? -1 : 1) : (w > size / 2 ? 1 : 0) - (w < -size / 2 ? 1 : 0);
        values[i] = static_cast<std::int8_t>(value);
        over += w * value;
        under += value * value;
    }
    const auto scale = static_cast<float>(under > 0 ? over / under : 0);
    return trilobit::f16_to_f32(trilobit::f32_to_f16(scale));
}

void encoder::fail(const gguf::float_rows& t, const std::string& what) const {
    throw error(source, t.name + ": " + what);
}

// The scale that all weights of a matrix share, exact or by absmean; 0: they have several, or all
// are 0.
matrix_scales encoder::scales_of(const gguf::float_rows& t, const plan& p, const survey& of) const {
    const target& to = *p.to;
    const bool runs = to.levels->scales != formats::scale_per::tensor;
    if (of.fits_tensor(p.kind)) return {of.unit(p.kind)};
    if (to.levels->scales == formats::scale_per::group && of.fits_runs(p.kind, to.levels->group))
        return {};
    if (to.levels->scales == formats::scale_per::row && of.fits_runs(p.kind, 0)) return {};
    if (p.may.runs && runs && (p.kind == kind::ternary || p.kind == kind::binary))
        return {.rounded = true};
    if (of.is_quantised())
        fail(t, to.name +
                    ": the weights are quantised already, with several scales or other "
                    "levels where this type holds " +
                    text_of(p.kind) + " with one for the tensor" +
                    (to.levels->scales == formats::scale_per::group
                         ? " or each " + std::to_string(to.levels->group) + " columns"
                     : to.levels->scales == formats::scale_per::row ? " or each row"
                                                                    : ""));
    if (!p.may.ternarise || !formats::holds(p.kind, 0))
        fail(t, "its weights are not " + std::string(text_of(p.kind)) + " times a scale" +
                    (formats::holds(p.kind, 0) ? "; --ternarize rounds them to -1, 0 and +1" : ""));
    const float scale = trilobit::absmean::scale(of.sums());
    return {scale, true, trilobit::quotient(1.0f, scale)};
}

void encoder::plan_levels(const gguf::float_rows& t, plan& p) const {
    const target& to = *p.to;
    p.kind = to.levels->values;
    float common = 0;
    bool several = false;
    std::vector<bool> zeros;
    for (std::int64_t i = 0; i < t.matrices(); ++i) {
        const survey of(cpu, matrix_of(t, i), source);
        const matrix_scales found = scales_of(t, p, of);
        zeros.push_back(of.fits_tensor(p.kind) && found.all == 0);
        if (common == 0) common = found.all;
        several |= found.all != common && !zeros.back();
        p.each.push_back(found);
    }
    t.forget();
    if (several && to.levels->scales == formats::scale_per::tensor)
        fail(t, to.name + ": its " + std::to_string(p.each.size()) +
                    " matrices have several scales, and this type holds one for the tensor");
    for (std::size_t i = 0; i < zeros.size(); ++i) {
        matrix_scales& one = p.each[i];
        if (zeros[i]) one.all = common > 0 && !several ? common : 1;  // any does
        p.apart |= one.all > 0 && !keeps_scale(*to.levels, one.all);
    }
    // llama.cpp multiplies Maple's experts by no scale beside them.
    if (p.apart && t.extent.size() > 2)
        fail(t, to.name + " has halves for scales and " + std::to_string(common) +
                    " is none; IQ2_BN and packed keep those of experts");
    if (to.levels == &formats::stq1_0 && p.rounded())
        fail(t, to.name + " holds one zero in each four weights, which no rounding gives");
}

void encoder::plan_image(const gguf::float_rows& t, plan& p) const {
    const target& to = *p.to;
    std::vector<survey> surveys;
    for (std::int64_t i = 0; i < t.matrices(); ++i)
        surveys.emplace_back(cpu, matrix_of(t, i), source);
    t.forget();
    const auto all = [&](auto test) { return std::ranges::all_of(surveys, test); };
    using trilobit::scale_spec;
    scale_spec spec = scale_spec::tensor();
    std::optional<kind> found;
    const auto try_fit = [&](auto fits, const scale_spec& coarse) {
        for (const kind k : all_kinds)
            if (!found && all([&](const survey& of) { return fits(of, k); })) {
                found = k;
                spec = coarse;
            }
    };
    try_fit([](const survey& of, kind k) { return of.fits_tensor(k); }, scale_spec::tensor());
    try_fit([](const survey& of, kind k) { return of.fits_runs(k, 0); }, scale_spec::row());
    for (const int width : {256, 128, 64, 32})
        if (t.group == 0 || t.group == width) {
            const bool halves = all([&](const survey& of) { return of.halves(width); });
            try_fit([&](const survey& of, kind k) { return of.fits_runs(k, width); },
                    scale_spec::group(width, halves ? trilobit::scale_type::f16
                                                    : trilobit::scale_type::f32));
        }
    p.kind = found.value_or(kind::ternary);
    if (!found && std::ranges::any_of(surveys, &survey::is_quantised))
        fail(t, "the weights are quantised already, with levels or scales that no image has");
    if (!found && !p.may.ternarise)
        fail(t, "its weights are not few levels times a scale; --ternarize rounds them to -1, 0 "
                "and +1");
    for (const survey& of : surveys) {
        matrix_scales& one = p.each.emplace_back();
        if (spec.per != trilobit::granularity::tensor) continue;
        one.rounded = !found;
        one.all = one.rounded ? trilobit::absmean::scale(of.sums()) : of.unit(p.kind);
        if (one.all == 0) one.all = 1;
        one.inverse = trilobit::quotient(1.0f, one.all);
    }
    if (to.layout) {
        // Ternary values are among the four levels; two signs are among both.
        bool holds = false;
        trilobit::visit_layout(*to.layout, [&]<class L>() {
            holds = true;
            for (int v = -3; v <= 3; ++v)
                holds &= !formats::holds(p.kind, v) || L::kind::holds(static_cast<std::int8_t>(v));
        });
        if (!holds)
            fail(t, "its weights are " + std::string(text_of(p.kind)) + " times a scale, which " +
                        std::string(trilobit::layout_name(*to.layout)) + " does not hold");
    }
    const auto layout =
        to.layout.value_or(formats::layout_of(p.kind, trilobit::layout_id::ternary_2bit));
    trilobit::visit_layout(layout, [&]<class L>() {
        p.shape = trilobit::packed_shape::of<L>(t.rows / t.matrices(), t.cols, spec);
    });
}

const target* encoder::named_for(const gguf::float_rows& t) const noexcept {
    for (const named_target& n : named)
        if (n.tensor == t.name) return &n.to;
    return nullptr;
}

encoder::plan encoder::plan_of(const gguf::float_rows& t) const {
    plan p;
    p.from = &t;
    p.type = t.type;
    p.may = may;
    if (const target* mine = named_for(t)) {
        p.to = mine;
        p.may = {.ternarise = true, .round = true, .runs = true};
    } else if (t.linear) {
        p.to = &for_layers;
    }
    if (p.to != nullptr && p.to->packed) {
        p.how = way::image;
        p.type = gguf::tensor_type::i8;
        plan_image(t, p);
        const auto bytes = trilobit::packed_bytes(p.shape);
        if (!bytes.ok()) fail(t, bytes.error().text);
        p.image_bytes = bytes.value();
        p.bytes = t.matrices() * p.image_bytes;
        return p;
    }
    if (p.to != nullptr && (p.to->levels != nullptr || p.to->dense != nullptr) &&
        t.type != p.to->type) {
        p.how = p.to->levels != nullptr ? way::levels : way::dense;
        p.type = p.to->type;
        if (p.how == way::levels) plan_levels(t, p);
        const std::string apart = scale_name(t.name);
        if (p.apart &&
            std::ranges::any_of(tensors, [&](const auto& other) { return other.name == apart; }))
            fail(t, p.to->name + " has halves for scales and " +
                        std::to_string(p.each.front().all) +
                        " is none, and a scale beside it is there already");
    }
    const auto bytes = gguf::tensor_bytes(p.type, t.cols, t.rows);
    if (!bytes)
        fail(t, "rows of " + std::to_string(t.cols) + " values are not whole blocks of " +
                    gguf::name_of(p.type));
    p.bytes = *bytes;
    return p;
}

}  // namespace tbx::conversion
