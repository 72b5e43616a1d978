// SPDX-License-Identifier: MIT
// Room gguf. Enters: float rows, or values and scales. Leaves: tensor bytes as the format's own
// tools write them; bytes without meaning are zero.
#include "gguf/quantize.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "formats/rows.hpp"
#include "support/error.hpp"
#include "support/finite.hpp"
#include "trilobit/weights/quantize.hpp"

namespace tbx::gguf {

namespace {

using formats::fault;
using formats::kind;

[[noreturn]] void fail(tensor_type type, const std::string& what) {
    throw error(name_of(type), what);
}

std::vector<std::byte> make_tensor(tensor_type type, std::size_t count, std::int64_t columns) {
    if (columns <= 0 || static_cast<std::int64_t>(count) % columns != 0) {
        fail(type,
             std::to_string(count) + " values are not whole rows of " + std::to_string(columns));
    }
    const auto rows = static_cast<std::int64_t>(count) / columns;
    const auto bytes = tensor_bytes(type, columns, rows);
    if (!bytes)
        fail(type, std::to_string(rows) + " rows of " + std::to_string(columns) +
                       " values are not whole blocks");
    return std::vector<std::byte>(static_cast<std::size_t>(*bytes));
}

const formats::format& levels_of(tensor_type type) {
    const formats::format* of = few_levels(type);
    if (of == nullptr) fail(type, "is not a type of few levels");
    return *of;
}

std::vector<std::byte> encode_dense(tensor_type type, const formats::dense_format& of,
                                    std::span<const float> values, std::int64_t columns) {
    if (of.encode == nullptr) fail(type, "floats cannot be stored in this type");
    std::vector<std::byte> bytes = make_tensor(type, values.size(), columns);
    std::byte* out = bytes.data();
    for (std::size_t i = 0; i < values.size();
         i += static_cast<std::size_t>(of.cols), out += of.bytes)
        switch (of.encode(values.data() + i, out)) {
            case fault::none:
                break;
            case fault::code:
                fail(type, "a value is not a finite number");
            case fault::scale:
                fail(type, of.cols > 1 ? "a scale is too large for half precision"
                           : of.numbers == formats::stored::f16
                               ? "a value is too large for half precision"
                               : "a value is too large for this type");
        }
    return bytes;
}

/// x / max|x| of each group, rounded half away from zero.
std::vector<std::byte> encode_by_largest(tensor_type type, const formats::format& of,
                                         std::span<const float> values, std::int64_t columns) {
    std::vector<std::int8_t> trits(values.size());
    std::vector<float> scales;
    const auto group = static_cast<std::size_t>(of.group);
    (void)make_tensor(type, values.size(), columns);  // the shape is one of whole groups
    for (std::size_t first = 0; first < values.size(); first += group) {
        float largest = 0;
        for (std::size_t i = first; i < first + group; ++i) {
            // Also refuses NaN, for which every comparison is false.
            if (!support::is_finite(values[i])) fail(type, "a value is not a finite number");
            largest = std::max(largest, std::fabs(values[i]));
        }
        // |x| <= largest, so the quotient rounds to a trit.
        for (std::size_t i = first; i < first + group && largest != 0; ++i)
            trits[i] = static_cast<std::int8_t>(std::lround(values[i] / largest));
        scales.push_back(largest);
    }
    return encode_levels(type, trits, columns, scales);
}

/// Calls f.template operator()<Kind>() with the library's.
template <class F>
void visit_kind(kind k, F&& f) {
    switch (k) {
        case kind::binary:
            return f.template operator()<trilobit::binary>();
        case kind::ternary:
            return f.template operator()<trilobit::ternary>();
        case kind::quaternary:
            return f.template operator()<trilobit::quaternary<2>>();
        case kind::quaternary_odd:
            return f.template operator()<trilobit::quaternary<3>>();
        case kind::quaternary_low:
            return f.template operator()<trilobit::quaternary<4>>();
    }
}

/// Floats that may be a scale times values of a kind, for each run of `width` columns.
struct level_runs {
    std::span<const float> values;
    std::int64_t columns, width;

    template <class F>
    void each(F&& f) const {
        const auto count = static_cast<std::int64_t>(values.size());
        for (std::int64_t row = 0; row < count; row += columns)
            for (std::int64_t c = 0; c < columns; c += width)
                f(values.data() + row + c, std::min(width, columns - c));
    }
    [[nodiscard]] bool fit(kind k) const {
        bool all = true;
        each([&](const float* run, std::int64_t length) {
            if (!all) return;
            visit_kind(k, [&]<class Kind>() {
                all = trilobit::values_of(run, length).template fit<Kind>();
            });
        });
        return all;
    }
    /// Of runs that fit.
    void split(kind k, std::vector<std::int8_t>& levels, std::vector<float>& scales) const {
        each([&](const float* run, std::int64_t length) {
            float scale = 0;
            visit_kind(k, [&]<class Kind>() {
                scale = trilobit::values_of(run, length).template unit<Kind>();
            });
            scales.push_back(scale);
            for (std::int64_t i = 0; i < length; ++i)
                levels.push_back(scale == 0
                                     ? std::int8_t{0}
                                     : static_cast<std::int8_t>(std::lround(run[i] / scale)));
        });
    }
};

// Weights of training differ almost all; a matrix put together of parts that were quantised with a
// scale each, or of four-bit levels, has a handful.
bool has_few_magnitudes(std::span<const float> values) {
    constexpr std::size_t few = 16;
    std::vector<float> seen;
    for (const float v : values) {
        const float size = std::fabs(v);
        if (size == 0 || std::find(seen.begin(), seen.end(), size) != seen.end()) continue;
        if (seen.size() == few) return false;
        seen.push_back(size);
    }
    return true;
}

/// Of scales that a format did not take.
const char* scale_complaint(std::span<const float> scales) {
    if (!support::all_finite(scales)) return "a scale is not a finite number";
    for (const float scale : scales)
        if (std::fabs(scale) >= 65520.0f) return "a scale is too large for half precision";
    return "a scale is too small for half precision";
}

const char* parts_of(const formats::format& of) {
    switch (of.scales) {
        case formats::scale_per::row:
            return " or each row";
        case formats::scale_per::group:
            return " or each group of columns";
        default:
            return "";
    }
}

}  // namespace

std::vector<std::byte> quantize(tensor_type type, std::span<const float> values,
                                std::int64_t columns) {
    if (const formats::dense_format* of = numbers(type))
        return encode_dense(type, *of, values, columns);
    if (type != tensor_type::tq1_0 && type != tensor_type::tq2_0)
        fail(type, "floats cannot be stored in this type");
    return encode_by_largest(type, levels_of(type), values, columns);
}

std::vector<std::byte> ternarise(tensor_type type, std::span<const float> values,
                                 std::int64_t columns) {
    const formats::format& of = levels_of(type);
    if (columns <= 0) fail(type, "rows of no values");
    const auto count = static_cast<std::int64_t>(values.size());
    for (const float& v : values)
        if (!support::is_finite(v)) fail(type, "A weight is NaN or infinite.");
    std::vector<std::int8_t> levels;
    std::vector<float> scales;
    // One scale for all is kept as one, also where zeros alone share the type's.
    if (const level_runs whole{values, std::max<std::int64_t>(count, 1), count};
        count > 0 && whole.fit(of.values)) {
        whole.split(of.values, levels, scales);
        return encode_ternary(type, levels, columns, scales[0]);
    }
    const std::int64_t width = of.group > 0 ? of.group : columns;
    if (const level_runs parts{values, columns, width};
        of.scales != formats::scale_per::tensor && parts.fit(of.values)) {
        parts.split(of.values, levels, scales);
        return encode_levels(type, levels, columns, scales);
    }
    // 32 columns divide the groups of every format.
    if (level_runs{values, columns, 32}.fit(of.values) || has_few_magnitudes(values))
        fail(type, std::string("the weights are quantised already, with several scales where this "
                               "type holds one: for the tensor") +
                       parts_of(of));
    levels.resize(values.size());
    float scale = 0;
    const bool binary = of.values == kind::binary;
    const trilobit::matrix_view<const float> from{values.data(), count / columns, columns};
    const trilobit::matrix_view<std::int8_t> to{levels.data(), count / columns, columns};
    const auto tensor = trilobit::scale_spec::tensor();
    const trilobit::status s = binary ? trilobit::binarize_sign(from, tensor, to, &scale)
                                      : trilobit::ternarize_absmean(from, tensor, to, &scale);
    if (!s.ok()) fail(type, s.text);
    return encode_ternary(type, levels, columns, scale);
}

std::vector<std::byte> encode_levels(tensor_type type, std::span<const std::int8_t> values,
                                     std::int64_t columns, std::span<const float> scales) {
    const formats::format& of = levels_of(type);
    std::vector<std::byte> bytes = make_tensor(type, values.size(), columns);
    const formats::shape shape{static_cast<std::int64_t>(values.size()) / columns, columns};
    const std::int64_t each = of.scales_per_row(columns);
    if (std::ssize(scales) != shape.rows * each)
        fail(type, "there are not as many scales as parts");
    for (std::int64_t r = 0; r < shape.rows; ++r) {
        switch (of.write(bytes, shape, r, values.data() + r * columns, scales.data() + r * each)) {
            case fault::none:
                break;
            case fault::code:
                fail(type, type == tensor_type::stq1_0
                               ? "of four weights that it stores together not exactly one is 0"
                           : of.values == kind::ternary ? "a value is none of -1, 0, +1"
                                                        : "a value is none of its levels");
            case fault::scale:
                fail(type, scale_complaint(scales.subspan(static_cast<std::size_t>(r * each),
                                                          static_cast<std::size_t>(each))));
        }
    }
    return bytes;
}

std::vector<std::byte> encode_ternary(tensor_type type, std::span<const std::int8_t> values,
                                      std::int64_t columns, float scale) {
    const formats::format& of = levels_of(type);
    if (!support::is_finite(scale) || scale < 0)
        fail(type, "the scale is not a finite, positive number");
    if (columns <= 0) fail(type, "rows of no values");
    const std::int64_t rows = static_cast<std::int64_t>(values.size()) / columns;
    return encode_levels(
        type, values, columns,
        std::vector<float>(static_cast<std::size_t>(rows * of.scales_per_row(columns)), scale));
}

}  // namespace tbx::gguf
