// SPDX-License-Identifier: MIT
// Room gguf. Enters: a ternary tensor. Leaves: trits and scales, row by row, refusing whatever the
// format has no meaning for: a corrupted file must not become a model that babbles.
#include "gguf/ternary_rows.hpp"

#include <algorithm>
#include <utility>

#include "gguf/ternary_codes.hpp"
#include "support/finite.hpp"

namespace tbx::gguf {

namespace {

// Writes `count` trits; false if a code is 3.
bool to_trits(const std::uint8_t* codes, int count, std::int8_t* trits) noexcept {
    unsigned seen = 0;
    for (int i = 0; i < count; ++i) {
        seen |= codes[i] & (codes[i] >> 1);
        trits[i] = static_cast<std::int8_t>(codes[i] - 1);
    }
    return (seen & 1u) == 0;
}

}  // namespace

ternary_rows::ternary_rows(const reader& from, const tensor& which)
    : source(which), file(from.name()) {
    if (!is_ternary(which.type)) {
        from.fail("tensor '" + std::string(which.name) + "' is " + name_of(which.type) +
                  ", not ternary");
    }
    if (which.type == tensor_type::i2_s) {
        tensor_scale = i2_s_scale(which);
        if (!support::is_finite(tensor_scale)) fail(0, "the scale is not a finite number");
    }
}

void ternary_rows::fail(std::int64_t row, std::string_view what) const {
    throw error(file, "tensor '" + std::string(source.name) + "', row " + std::to_string(row) +
                          ": " + std::string(what));
}

std::span<const std::byte> ternary_rows::bytes_of(std::int64_t row) const noexcept {
    const auto [width, bytes] = block_of(source.type).value_or(block_shape{});
    const auto size = static_cast<std::size_t>(columns() / width * bytes);
    return source.data.subspan(static_cast<std::size_t>(row) * size, size);
}

// The codes of a block; returns its scale.
float ternary_rows::read_block(const std::byte* block, std::uint8_t* codes) const noexcept {
    if (source.type == tensor_type::i2_s) {
        i2_s_codes(block, codes);
        return tensor_scale;
    }
    if (source.type == tensor_type::tq2_0) {
        tq2_0_codes(block, codes);
        return load_f16(block + tq2_0_scale_offset);
    }
    tq1_0_codes(block, codes);
    return load_f16(block + tq1_0_scale_offset);
}

std::optional<float> ternary_rows::only_scale() const noexcept {
    if (source.type == tensor_type::i2_s) return tensor_scale;
    const auto bytes =
        static_cast<std::size_t>(block_of(source.type).value_or(block_shape{}).bytes);
    const auto offset = static_cast<std::size_t>(
        source.type == tensor_type::tq2_0 ? tq2_0_scale_offset : tq1_0_scale_offset);
    std::uint16_t common = 0;
    for (std::size_t block = 0; block < source.data.size(); block += bytes) {
        const auto scale = load_as<std::uint16_t>(source.data.data() + block + offset);
        if (scale == 0) continue;
        if (common != 0 && scale != common) return std::nullopt;
        common = scale;
    }
    return trilobit::f16_to_f32(common);
}

bool ternary_rows::is_zero(std::int64_t row) const noexcept {
    const auto [width, bytes] = block_of(source.type).value_or(block_shape{});
    const auto all = bytes_of(row);
    std::uint8_t codes[256];
    for (const std::byte* block = all.data(); block < all.data() + all.size(); block += bytes) {
        const float scale = read_block(block, codes);
        if (scale != 0 && std::any_of(codes, codes + width, [](auto code) { return code != 1; }))
            return false;
    }
    return true;
}

void ternary_rows::decode(std::int64_t row, std::span<std::int8_t> values,
                          std::span<float> scales) const {
    if (row < 0 || row >= rows() || std::cmp_less(values.size(), columns()) ||
        std::cmp_less(scales.size(), scales_per_row())) {
        fail(row, "row or output out of range");
    }
    const auto [width, bytes] = block_of(source.type).value_or(block_shape{});
    const std::byte* block = bytes_of(row).data();
    std::uint8_t codes[256];
    for (std::int64_t b = 0; b < columns() / width; ++b, block += bytes) {
        const float scale = read_block(block, codes);
        scales[source.type == tensor_type::i2_s ? 0 : static_cast<std::size_t>(b)] = scale;
        if (!support::is_finite(scale)) fail(row, "a scale is not a finite number");
        if (!to_trits(codes, static_cast<int>(width), values.data() + b * width)) {
            fail(row, "holds a code that is none of -1, 0, +1");
        }
    }
}

}  // namespace tbx::gguf
