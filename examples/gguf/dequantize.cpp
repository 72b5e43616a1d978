// SPDX-License-Identifier: MIT
// Room gguf. Enters: one row of a tensor. Leaves: floats, which the type's format makes.
#include "gguf/dequantize.hpp"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <utility>
#include <vector>

#include "formats/rows.hpp"
#include "gguf/quoted.hpp"
#include "support/error.hpp"

namespace tbx::gguf {

namespace {

void dequantize_levels(const tensor& source, const formats::format& of, std::int64_t row,
                       float* out) {
    const formats::matrix_rows all(of, source.data, source.shape());
    std::vector<std::int8_t> values(static_cast<std::size_t>(all.cols()));
    std::vector<float> scales(static_cast<std::size_t>(all.scales_per_row()));
    const formats::fault found = all.read(row, values.data(), scales.data());
    if (found != formats::fault::none)
        throw error("tensor " + quoted(source.name),
                    "row " + std::to_string(row) +
                        (found == formats::fault::scale
                             ? ": a scale is not a finite number"
                             : ": holds a code that is none of -1, 0, +1"));
    const std::int64_t width = all.scale_cols();
    for (std::int64_t first = 0; first < all.cols(); first += width) {
        const float scale = scales[static_cast<std::size_t>(first / width)];
        for (std::int64_t c = first; c < std::min(first + width, all.cols()); ++c)
            out[c] = scale * static_cast<float>(values[static_cast<std::size_t>(c)]);
    }
}

}  // namespace

bool can_dequantize(tensor_type type) noexcept {
    return few_levels(type) != nullptr || numbers(type) != nullptr;
}

void dequantize_row(const tensor& source, std::int64_t row, std::span<float> out) {
    const auto columns = source.columns();
    if (row < 0 || row >= source.rows() || std::cmp_less(out.size(), columns)) {
        throw error(source.name, "row or output out of range");
    }
    if (const formats::format* of = few_levels(source.type))
        return dequantize_levels(source, *of, row, out.data());
    const formats::dense_format* of = numbers(source.type);
    if (of == nullptr)
        throw error(source.name, "values of type " + name_of(source.type) + " cannot be read");
    const std::int64_t row_bytes = columns / of->cols * of->bytes;
    const std::byte* at = source.data.data() + row * row_bytes;
    if (source.type == tensor_type::f32 && trilobit::little_endian) {
        std::memcpy(out.data(), at, static_cast<std::size_t>(row_bytes));
        return;
    }
    for (std::int64_t c = 0; c < columns; c += of->cols, at += of->bytes)
        of->decode(at, out.data() + c);
}

}  // namespace tbx::gguf
