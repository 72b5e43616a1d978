// SPDX-License-Identifier: MIT
// Room gguf. Enters: a tensor of few levels. Leaves: values and scales, row by row, refusing
// whatever the format has no meaning for: a corrupted file must not become a model that babbles.
#include "gguf/weight_rows.hpp"

#include <algorithm>
#include <utility>

#include "gguf/quoted.hpp"

namespace tbx::gguf {

namespace {

const formats::format& format_of(const reader& from, const tensor& which) {
    const formats::format* found = few_levels(which.type);
    if (found == nullptr)
        from.fail("tensor " + quoted(which.name) + " is " + name_of(which.type) +
                  ", whose weights are not of few levels");
    return *found;
}

}  // namespace

weight_rows::weight_rows(const reader& from, const tensor& which)
    : source(which), file(from.name()), all(format_of(from, which), which.data, which.shape()) {}

void weight_rows::refuse(std::int64_t row, formats::fault what) const {
    const char* text = what == formats::fault::scale ? "a scale is not a finite number"
                                                     : "holds a code that is none of -1, 0, +1";
    throw error(file,
                "tensor " + quoted(source.name) + ", row " + std::to_string(row) + ": " + text);
}

bool weight_rows::is_zero(std::int64_t row) const {
    std::vector<std::int8_t> values(static_cast<std::size_t>(columns()));
    std::vector<float> scales(static_cast<std::size_t>(scales_per_row()));
    (void)all.read_alike(row, values.data(), scales.data());
    return std::all_of(values.begin(), values.end(), [](std::int8_t v) { return v == 0; });
}

void weight_rows::decode(std::int64_t row, std::span<std::int8_t> values,
                         std::span<float> scales) const {
    if (row < 0 || row >= rows() || std::cmp_less(values.size(), columns()) ||
        std::cmp_less(scales.size(), scales_per_row()))
        throw error(file, "tensor " + quoted(source.name) + ", row " + std::to_string(row) +
                              ": row or output out of range");
    const formats::fault found = all.read(row, values.data(), scales.data());
    if (found != formats::fault::none) refuse(row, found);
}

}  // namespace tbx::gguf
