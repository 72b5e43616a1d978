// SPDX-License-Identifier: MIT
// Room gguf. Enters: one row of a tensor. Leaves: floats. Each function is one format's definition;
// the order of bits and of the float operations is the format's, not ours.
#include "gguf/dequantize.hpp"

#include <cstddef>
#include <cstring>
#include <utility>

#include "formats/bytes.hpp"
#include "gguf/ternary_codes.hpp"
#include "support/error.hpp"
#include "trilobit/core/float16.hpp"

namespace tbx::gguf {

namespace {

// One block -> its values. `b` points at the block's bytes.
using block_decoder = void (*)(const std::byte* b, float* out);

void decode_f32(const std::byte* b, float* out) { *out = load_as<float>(b); }
void decode_f16(const std::byte* b, float* out) { *out = load_f16(b); }
void decode_bf16(const std::byte* b, float* out) {
    *out = trilobit::bf16_to_f32(load_as<std::uint16_t>(b));
}

void decode_q8_0(const std::byte* b, float* out) {
    const float d = load_f16(b);
    for (int i = 0; i < 32; ++i) out[i] = d * static_cast<float>(load_as<std::int8_t>(b + 2 + i));
}

void decode_q4_0(const std::byte* b, float* out) {
    const float d = load_f16(b);
    for (int i = 0; i < 16; ++i) {
        const unsigned q = bits_of(b[2 + i]);
        out[i] = d * static_cast<float>(static_cast<int>(q & 15u) - 8);
        out[i + 16] = d * static_cast<float>(static_cast<int>(q >> 4) - 8);
    }
}

void decode_q6_k(const std::byte* b, float* out) {
    const float d = load_f16(b + 208);
    for (int half = 0; half < 2; ++half) {
        const std::byte* low = b + 64 * half;
        const std::byte* high = b + 128 + 32 * half;
        const std::byte* scales = b + 192 + 8 * half;
        // Quarter q of the half: its low nibbles are in one half of ql's bytes, its two high bits
        // in bits 2q of qh.
        for (int q = 0; q < 4; ++q) {
            for (int i = 0; i < 32; ++i) {
                const unsigned nibbles = bits_of(low[i + 32 * (q & 1)]);
                const unsigned four = q < 2 ? nibbles & 15u : nibbles >> 4;
                const unsigned two = (bits_of(high[i]) >> (2 * q)) & 3u;
                const int value = static_cast<int>(four | two << 4) - 32;
                const auto scale = load_as<std::int8_t>(scales + 2 * q + i / 16);
                out[128 * half + 32 * q + i] =
                    d * static_cast<float>(scale) * static_cast<float>(value);
            }
        }
    }
}

template <void (*Codes)(const std::byte*, std::uint8_t*), int ScaleOffset>
void decode_codes_256(const std::byte* b, float* out) {
    std::uint8_t codes[256];
    Codes(b, codes);
    const float d = load_f16(b + ScaleOffset);
    for (int i = 0; i < 256; ++i) out[i] = d * static_cast<float>(codes[i] - 1);
}

void decode_q1_0(const std::byte* b, float* out) {
    const float d = load_f16(b);
    for (int i = 0; i < 128; ++i) out[i] = (bits_of(b[2 + i / 8]) >> (i % 8)) & 1u ? d : -d;
}

void decode_q2_0(const std::byte* b, float* out) {
    const float d = load_f16(b);
    for (int i = 0; i < 64; ++i) {
        const int code = static_cast<int>((bits_of(b[2 + i / 4]) >> (2 * (i % 4))) & 3u);
        out[i] = d * static_cast<float>(code - 1);
    }
}

block_decoder decoder_of(tensor_type type) noexcept {
    switch (type) {
        case tensor_type::f32:
            return decode_f32;
        case tensor_type::f16:
            return decode_f16;
        case tensor_type::bf16:
            return decode_bf16;
        case tensor_type::q8_0:
            return decode_q8_0;
        case tensor_type::q4_0:
            return decode_q4_0;
        case tensor_type::q6_k:
            return decode_q6_k;
        case tensor_type::tq1_0:
            return decode_codes_256<tq1_0_codes, tq1_0_scale_offset>;
        case tensor_type::tq2_0:
            return decode_codes_256<tq2_0_codes, tq2_0_scale_offset>;
        case tensor_type::q1_0:
            return decode_q1_0;
        case tensor_type::q2_0:
            return decode_q2_0;
        default:
            return nullptr;
    }
}

void decode_i2_s_row(const tensor& source, const std::byte* row, float* out) {
    const float scale = i2_s_scale(source);
    std::uint8_t codes[128];
    for (std::int64_t c = 0; c < source.columns(); c += 128) {
        i2_s_codes(row + c / 4, codes);
        for (int i = 0; i < 128; ++i) out[c + i] = scale * static_cast<float>(codes[i] - 1);
    }
}

}  // namespace

bool can_dequantize(tensor_type type) noexcept {
    return type == tensor_type::i2_s || decoder_of(type) != nullptr;
}

void dequantize_row(const tensor& source, std::int64_t row, std::span<float> out) {
    const auto columns = source.columns();
    if (row < 0 || row >= source.rows() || std::cmp_less(out.size(), columns)) {
        throw error(source.name, "row or output out of range");
    }
    const block_shape block = block_of(source.type).value_or(block_shape{});
    const std::int64_t row_bytes = columns / block.values * block.bytes;
    const std::byte* at = source.data.data() + row * row_bytes;
    if (source.type == tensor_type::i2_s) return decode_i2_s_row(source, at, out.data());
    if (source.type == tensor_type::f32 && trilobit::little_endian) {
        std::memcpy(out.data(), at, static_cast<std::size_t>(row_bytes));
        return;
    }
    const block_decoder decode = decoder_of(source.type);
    if (decode == nullptr) {
        throw error(source.name, "values of type " + name_of(source.type) + " cannot be read");
    }
    for (std::int64_t c = 0; c < columns; c += block.values, at += block.bytes) {
        decode(at, out.data() + c);
    }
}

}  // namespace tbx::gguf
