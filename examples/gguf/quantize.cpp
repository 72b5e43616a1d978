// SPDX-License-Identifier: MIT
// Room gguf. Enters: float rows, or trits and a scale. Leaves: tensor bytes as the format's own
// tools write them; I2_S's 28 meaningless tail bytes are zero.
#include "gguf/quantize.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "gguf/ternary_codes.hpp"
#include "support/error.hpp"
#include "support/finite.hpp"
#include "trilobit/core/float16.hpp"
#include "trilobit/weights/quantize.hpp"

namespace tbx::gguf {

namespace {

[[noreturn]] void fail(tensor_type type, const std::string& what) {
    throw error(name_of(type), what);
}

std::vector<std::byte> make_tensor(tensor_type type, std::size_t count, std::int64_t columns) {
    if (columns <= 0 || static_cast<std::int64_t>(count) % columns != 0) {
        fail(type,
             std::to_string(count) + " values are not whole rows of " + std::to_string(columns));
    }
    const auto bytes = tensor_bytes(type, columns, static_cast<std::int64_t>(count) / columns);
    if (!bytes) fail(type, "rows of " + std::to_string(columns) + " values are not whole blocks");
    return std::vector<std::byte>(static_cast<std::size_t>(*bytes));
}

float largest_magnitude(tensor_type type, const float* x, int count) {
    float largest = 0;
    for (int i = 0; i < count; ++i) {
        // Also refuses NaN, for which every comparison is false.
        if (!support::is_finite(x[i])) fail(type, "a value is not a finite number");
        largest = std::max(largest, std::fabs(x[i]));
    }
    return largest;
}

// A scale that half precision cannot hold would turn the whole block into infinities.
std::uint16_t half_scale(tensor_type type, float scale) {
    if (!(scale < 65520.0f)) fail(type, "a scale is too large for half precision");
    return trilobit::f32_to_f16(scale);
}

// Below the normal halves few bits are left. Activations are kept to a 254th: so close must the
// scale of their weights come, or a promise of losing nothing would be broken in silence.
std::uint16_t ternary_scale(tensor_type type, float scale) {
    const std::uint16_t half = half_scale(type, scale);
    if (std::fabs(trilobit::f16_to_f32(half) - scale) > scale / 254)
        fail(type, "a scale is too small for half precision");
    return half;
}

std::uint16_t half_value(float value) {
    const std::uint16_t half = trilobit::f32_to_f16(value);
    if (support::is_finite(value) && !support::is_finite(trilobit::f16_to_f32(half)))
        fail(tensor_type::f16, "a value is too large for half precision");
    return half;
}

std::uint16_t brain_value(float value) {
    const std::uint16_t brain = trilobit::f32_to_bf16(value);
    if (support::is_finite(value) && !support::is_finite(trilobit::bf16_to_f32(brain)))
        fail(tensor_type::bf16, "a value is too large for this type");
    return brain;
}

void encode_q8_0(const float* x, std::byte* out) {
    const float d = largest_magnitude(tensor_type::q8_0, x, 32) / 127.0f;
    const float inverse = d != 0 ? 1.0f / d : 0.0f;
    store_as(out, half_scale(tensor_type::q8_0, d));
    for (int i = 0; i < 32; ++i) {
        // Half away from zero, as the reference. A subnormal d makes `inverse` infinite.
        const float q = support::is_finite(inverse) ? std::round(x[i] * inverse) : 0.0f;
        store_as(out + 2 + i, static_cast<std::int8_t>(q));
    }
}

void encode_tq(tensor_type type, const float* x, std::byte* out) {
    const float d = largest_magnitude(type, x, 256);
    std::uint8_t codes[256];
    for (int i = 0; i < 256; ++i) {
        // |x| <= d, so the quotient rounds to a trit.
        codes[i] = static_cast<std::uint8_t>(d != 0 ? std::lround(x[i] / d) + 1 : 1);
    }
    const bool one = type == tensor_type::tq1_0;
    one ? tq1_0_pack(codes, out) : tq2_0_pack(codes, out);
    store_as(out + (one ? tq1_0_scale_offset : tq2_0_scale_offset), ternary_scale(type, d));
}

// Has each run of `width` columns one magnitude beside zero?
bool quantised_by(std::span<const float> values, std::int64_t columns, std::int64_t width) {
    const auto count = static_cast<std::int64_t>(values.size());
    for (std::int64_t row = 0; row < count; row += columns)
        for (std::int64_t c = 0; c < columns; c += width)
            if (!trilobit::values_of(values.data() + row + c, std::min(width, columns - c))
                     .fit<trilobit::ternary>())
                return false;
    return true;
}

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

}  // namespace

std::vector<std::byte> quantize(tensor_type type, std::span<const float> values,
                                std::int64_t columns) {
    std::vector<std::byte> bytes = make_tensor(type, values.size(), columns);
    const block_shape block = block_of(type).value_or(block_shape{});
    std::byte* out = bytes.data();
    for (std::size_t i = 0; i < values.size();
         i += static_cast<std::size_t>(block.values), out += block.bytes) {
        const float* x = values.data() + i;
        switch (type) {
            case tensor_type::f32:
                store_as(out, *x);
                break;
            case tensor_type::f16:
                store_as(out, half_value(*x));
                break;
            case tensor_type::bf16:
                store_as(out, brain_value(*x));
                break;
            case tensor_type::q8_0:
                encode_q8_0(x, out);
                break;
            case tensor_type::tq1_0:
            case tensor_type::tq2_0:
                encode_tq(type, x, out);
                break;
            default:
                fail(type, "floats cannot be stored in this type");
        }
    }
    return bytes;
}

std::vector<std::byte> ternarise(tensor_type type, std::span<const float> values,
                                 std::int64_t columns) {
    if (columns <= 0) fail(type, "rows of no values");
    const auto count = static_cast<std::int64_t>(values.size());
    std::vector<std::int8_t> trits(values.size());
    float scale = 0;
    const trilobit::status s = trilobit::ternarize_absmean(
        {values.data(), count / columns, columns}, trilobit::scale_spec::tensor(),
        {trits.data(), count / columns, columns}, &scale);
    if (!s.ok()) fail(type, s.text);
    if (quantised_by(values, count, count)) return encode_ternary(type, trits, columns, scale);
    const bool tensor_scale = type == tensor_type::i2_s;
    if (!tensor_scale && quantised_by(values, columns, 256)) return quantize(type, values, columns);
    // 32 columns divide the groups of every format.
    if (quantised_by(values, columns, 32) || has_few_magnitudes(values))
        fail(type, std::string("the weights are quantised already, with several scales where this "
                               "type holds one: for the tensor") +
                       (tensor_scale ? "" : " or each 256 columns"));
    return encode_ternary(type, trits, columns, scale);
}

std::vector<std::byte> encode_ternary(tensor_type type, std::span<const std::int8_t> trits,
                                      std::int64_t columns, float scale) {
    if (type != tensor_type::i2_s && type != tensor_type::tq1_0 && type != tensor_type::tq2_0) {
        fail(type, "is not a ternary type");
    }
    if (!support::is_finite(scale) || scale < 0)
        fail(type, "the scale is not a finite, positive number");
    std::vector<std::byte> bytes = make_tensor(type, trits.size(), columns);
    const auto [width, block_bytes] = block_of(type).value_or(block_shape{});
    std::byte* out = bytes.data();
    std::uint8_t codes[256];
    for (std::size_t i = 0; i < trits.size(); i += static_cast<std::size_t>(width)) {
        for (std::size_t j = 0; j < static_cast<std::size_t>(width); ++j) {
            const int trit = trits[i + j];
            if (trit < -1 || trit > 1) fail(type, "a value is none of -1, 0, +1");
            codes[j] = static_cast<std::uint8_t>(trit + 1);
        }
        if (type == tensor_type::i2_s) {
            i2_s_pack(codes, out);
        } else if (type == tensor_type::tq2_0) {
            tq2_0_pack(codes, out);
            store_as(out + tq2_0_scale_offset, ternary_scale(type, scale));
        } else {
            tq1_0_pack(codes, out);
            store_as(out + tq1_0_scale_offset, ternary_scale(type, scale));
        }
        out += block_bytes;
    }
    if (type == tensor_type::i2_s) store_as(out, scale);
    return bytes;
}

}  // namespace tbx::gguf
