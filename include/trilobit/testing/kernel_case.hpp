// SPDX-License-Identifier: MIT
// Room testing. Enters: shapes, scales, groupings and a seed. Leaves: a multiplication whose right
// answer the oracle has worked out, and a sentence that describes it.
#pragma once

#include "trilobit/version.hpp"

#include <string>
#include <vector>

#include "trilobit/matmul/table.hpp"
#include "trilobit/reference/matmul.hpp"
#include "trilobit/testing/guarded_buffer.hpp"
#include "trilobit/testing/random.hpp"
#include "trilobit/weights/quantize.hpp"

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI::testing {

/// What a matrix is filled with: any of its kind's values, or their ends.
enum class fill { random, highest, lowest, alternating, zero };

struct kernel_case {
    activation_id activation = activation_id::int8;
    std::int64_t rows = 0, cols = 0, tokens = 0;
    scale_spec scale;
    int activation_group = 0;
    fill weights = fill::random, activations = fill::random;
    std::uint64_t seed = 1;
    /// Percent of the activations that are zero whatever their fill, in runs of so many columns.
    int zeros = 0, zero_run = 1;

    [[nodiscard]] activation_shape activation_of() const noexcept {
        return {activation, tokens, cols, activation_group};
    }
};

inline std::string describe(const kernel_case& c) {
    constexpr const char* fills[] = {"random", "highest", "lowest", "alternating", "zero"};
    std::string text = std::to_string(c.rows) + " x " + std::to_string(c.cols) + " " +
                       fills[static_cast<int>(c.weights)] + " weights with ";
    text += c.scale.type == scale_type::f16 ? "f16 scales per " : "f32 scales per ";
    text += c.scale.per == granularity::tensor ? "tensor"
            : c.scale.per == granularity::row  ? "row"
                                               : "group of " + std::to_string(c.scale.group_cols);
    text += ", " + std::to_string(c.tokens) + " tokens, " + fills[static_cast<int>(c.activations)] +
            " activations";
    if (c.activation_group != 0) text += " in groups of " + std::to_string(c.activation_group);
    if (c.zeros != 0)
        text +=
            ", " + std::to_string(c.zeros) + " % zeros in runs of " + std::to_string(c.zero_run);
    return text + ", seed " + std::to_string(c.seed);
}

/// The operands of a case and the oracle's y. Activations lie at the end of readable memory.
struct kernel_operands {
    std::vector<std::int8_t> weights;  // (rows, cols)
    std::vector<float> weight_scales;  // in the order of scale_spec::count, as they are stored
    guarded_buffer values;             // (tokens, value_stride)
    guarded_buffer scales;             // (tokens, segments), float
    std::vector<float> expected;       // (tokens, rows)
    activation_shape shape;

    [[nodiscard]] quantized_view quantized(const kernel_case& c) const noexcept {
        return {{weights.data(), c.rows, c.cols}, weight_scales.data(), c.scale};
    }
    [[nodiscard]] activation_view activations() const noexcept {
        activation_view view;
        static_cast<activation_shape&>(view) = shape;
        view.values = values.as<const std::int8_t>();
        view.scales = scales.as<const float>();
        return view;
    }
};

namespace detail {

/// A value of a set that `holds` tells, `low` and `high` being its ends.
template <class Holds>
std::int8_t pick(fill how, std::int64_t i, std::int64_t low, std::int64_t high, Holds holds,
                 generator& r) noexcept {
    std::int64_t value = 0;
    switch (how) {
        case fill::random:
            do value = r.between(low, high);
            while (!holds(static_cast<std::int8_t>(value)));
            break;
        case fill::highest:
            value = high;
            break;
        case fill::lowest:
            value = low;
            break;
        case fill::alternating:
            value = i % 2 == 0 ? high : low;
            break;
        case fill::zero:
            value = holds(0) ? 0 : high;
            break;
    }
    return static_cast<std::int8_t>(value);
}

/// y by the oracle, of operands whose activations are in place.
inline void work_out(const kernel_case& c, kernel_operands& o) {
    const std::int64_t segments = c.scale.segments(c.cols);
    std::vector<float> by_row;  // the oracle knows no per-tensor scale
    for (std::int64_t n = 0; n < c.rows * segments; ++n)
        by_row.push_back(
            o.weight_scales[static_cast<std::size_t>(c.scale.per == granularity::tensor ? 0 : n)]);
    o.expected.assign(static_cast<std::size_t>(c.tokens * c.rows), 0.0f);
    const reference::operand w{{o.weights.data(), c.rows, c.cols},
                               by_row.data(),
                               c.scale.per == granularity::group ? c.scale.group_cols : 0};
    const reference::operand x{
        {o.values.as<const std::int8_t>(), c.tokens, c.cols, o.shape.value_stride()},
        o.scales.as<const float>(),
        c.activation_group};
    reference::matmul(w, x, {o.expected.data(), c.tokens, c.rows});
}

}  // namespace detail

/// Draws the operands of a case for weights of `Kind`, straight as integers: activations reach
/// values, such as -128, that no float is quantised to.
template <class Kind>
kernel_operands make_operands(const kernel_case& c) {
    generator r(c.seed);
    kernel_operands o;
    o.shape = c.activation_of();
    for (std::int64_t n = 0; n < c.rows; ++n) {
        for (std::int64_t k = 0; k < c.cols; ++k)
            o.weights.push_back(
                detail::pick(c.weights, n + k, Kind::lowest, Kind::highest, &Kind::holds, r));
        fit_row<Kind>(o.weights.data() + n * c.cols, c.cols);
    }
    for (std::int64_t i = 0; i < c.scale.count(c.rows, c.cols); ++i) {
        const float s = i % 7 == 6 ? 0.0f : r.spread();
        o.weight_scales.push_back(c.scale.type == scale_type::f16 ? f16_to_f32(f32_to_f16(s)) : s);
    }
    o.values = guarded_buffer(o.shape.value_bytes());
    o.scales = guarded_buffer(o.shape.scale_bytes(), 4);
    std::int64_t low = 0, high = 0;
    const auto any_but_zero = [&](std::int8_t v) {
        return v != 0 || c.activation != activation_id::sign;
    };
    visit_activation(c.activation, [&]<class Act>() { low = Act::lowest, high = Act::highest; });
    if (o.values.size() != 0) std::memset(o.values.data(), 0, o.values.size());
    for (std::int64_t m = 0; m < c.tokens; ++m)
        for (std::int64_t k = 0; k < c.cols; ++k)
            o.values.as<std::int8_t>()[m * o.shape.value_stride() + k] =
                detail::pick(c.activations, m + k, low, high, any_but_zero, r);
    for (std::int64_t m = 0; c.zeros != 0 && m < c.tokens; ++m)
        for (std::int64_t k = 0; k < c.cols; k += c.zero_run)
            if (r.between(1, 100) <= c.zeros)
                std::memset(
                    o.values.as<std::int8_t>() + m * o.shape.value_stride() + k, 0,
                    static_cast<std::size_t>(std::min<std::int64_t>(c.zero_run, c.cols - k)));
    for (std::int64_t i = 0; i < c.tokens * o.shape.segments(); ++i)
        o.scales.as<float>()[i] = std::fabs(r.spread());
    detail::work_out(c, o);
    return o;
}

/// Draws cases of one activation kind so that every width, height, count of tokens, scale spec and
/// grouping comes up, and most pairs of them, within `max_work` multiply-adds each.
class case_source {
    static constexpr std::int64_t widths[] = {0,  1,  2,   3,   15,  16,  17,   31,   33,   63,  64,
                                              65, 67, 127, 129, 257, 521, 1031, 2048, 2053, 3200};
    static constexpr std::int64_t heights[] = {0,  1,  2,  3,  15, 16,  17,  31,
                                               33, 63, 64, 65, 67, 127, 129, 197};
    static constexpr std::int64_t counts[] = {0, 1, 2, 3, 4, 5, 31, 32, 33};
    static constexpr scale_type stored[] = {scale_type::f32, scale_type::f16};
    static constexpr int weight_groups[] = {0, 1, 32, 64, 128, 256};  // 0 tensor, 1 row
    static constexpr int activation_groups[] = {0, 32, 0, 256, 0, 64, 128};
    generator r;
    deck<std::int64_t> width{widths}, height{heights}, count{counts};
    deck<scale_type> type{stored};
    deck<int> weight_group{weight_groups}, activation_group{activation_groups};
    std::int64_t max_work;

public:
    case_source(std::uint64_t seed, std::int64_t work) : r(seed), max_work(work) {}
    kernel_case next(activation_id activation) {
        kernel_case c;
        c.activation = activation;
        c.cols = width.deal(r);
        c.rows = height.deal(r);
        c.tokens = count.deal(r);
        while (c.rows * c.cols * c.tokens > max_work && c.tokens > 5) c.tokens -= 29;  // 2, 3, 4
        while (c.rows * c.cols * c.tokens > max_work && c.rows > 16) c.rows -= 16;
        const int group = weight_group.deal(r);
        const scale_type t = type.deal(r);
        c.scale = group == 0   ? scale_spec::tensor(t)
                  : group == 1 ? scale_spec::row(t)
                               : scale_spec::group(group, t);
        c.activation_group = activation_group.deal(r);
        c.seed = r.bits() >> 32;
        return c;
    }
};

}  // namespace trilobit::inline TRILOBIT_ABI::testing

#include "trilobit/core/end.hpp"
