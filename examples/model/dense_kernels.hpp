// SPDX-License-Identifier: MIT
// Room examples/model. Enters: rows of float-like numbers as their file stores them, and float
// activations. Leaves: dot products and the few other float loops of a transformer.
//
// One source, compiled once per instruction set. Every sum runs in 32 fixed lanes (element i goes
// to lane i mod 32, ascending), the lanes are added in one fixed tree, and products are never
// contracted into fused multiply-adds: all tables return the same bits on every machine, and a dot
// product has the same bits whether it was computed alone or beside others.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tbx::model {

enum class number_type : std::uint8_t { f32, f16, bf16, q8_0, q6_k, q4_0, iq4_nl, q4_k, q5_k };

/// Elements of a row come in blocks: a row holds a whole number of them.
constexpr std::int64_t block_elements(number_type type) noexcept {
    switch (type) {
        case number_type::f32:
        case number_type::f16:
        case number_type::bf16:
            return 1;
        case number_type::q8_0:
        case number_type::q4_0:
        case number_type::iq4_nl:
            return 32;
        case number_type::q6_k:
        case number_type::q4_k:
        case number_type::q5_k:
            return 256;
    }
    return 1;
}

constexpr std::int64_t block_bytes(number_type type) noexcept {
    switch (type) {
        case number_type::f32:
            return 4;
        case number_type::f16:
        case number_type::bf16:
            return 2;
        case number_type::q8_0:
            return 34;
        case number_type::q6_k:
            return 210;
        case number_type::q4_0:
        case number_type::iq4_nl:
            return 18;
        case number_type::q4_k:
            return 144;
        case number_type::q5_k:
            return 176;
    }
    return 0;
}

constexpr std::int64_t row_bytes(number_type type, std::int64_t cols) noexcept {
    return cols / block_elements(type) * block_bytes(type);
}

std::string_view name_of(number_type type) noexcept;

/// A plain table of functions: what is behind it may use any instruction set, the caller none.
struct dense_kernels {
    std::string_view name;  // of the instruction set
    /// out[0..cols) = the row as floats, exactly.
    void (*decode)(number_type type, const std::byte* row, std::int64_t cols, float* out);
    /// sum of row[i] * x[i].
    float (*dot)(number_type type, const std::byte* row, const float* x, std::int64_t cols);
    /// y[t * y_stride] = sum of row[i] * x[t * x_stride + i] for every t < count.
    void (*dot_many)(number_type type, const std::byte* row, const float* x, std::int64_t x_stride,
                     std::int64_t count, std::int64_t cols, float* y, std::int64_t y_stride);
    /// out[q * out_stride + l] = sum over k < terms of a[q * a_stride + k] * b[k * b_stride + l],
    /// for q < count and l < 32, k ascending; b is IEEE half. Attention is made of nothing else.
    void (*combine)(const float* a, std::int64_t a_stride, std::int64_t count,
                    const std::uint16_t* b, std::int64_t b_stride, std::int64_t terms, float* out,
                    std::int64_t out_stride);
    /// out[i] = x[i] * scale * w[i]: the second half of an RMS norm.
    void (*scale_by)(float* out, const float* x, float scale, const float* w, std::int64_t cols);
    /// x[i] = exp((x[i] - shift) * scale), or 0 where that is below e^-64; returns their sum.
    float (*exp_and_sum)(float* x, float shift, float scale, std::int64_t count);
    /// gate[i] = gate[i] / (1 + exp(-gate[i])) * up[i].
    void (*silu_gate)(float* gate, const float* up, std::int64_t count);
    /// gate[i] = max(gate[i], 0)^2 * up[i].
    void (*squared_relu_gate)(float* gate, const float* up, std::int64_t count);
    /// gate[i] = gate[i] / (1 + exp(-2 z)) * up[i], z = sqrt(2 / pi) (g + 0.044715 g^3): GELU by
    /// its tanh.
    void (*gelu_gate)(float* gate, const float* up, std::int64_t count);
    /// out[i] = the nearest IEEE half, ties to even; beyond the largest half, the largest.
    void (*to_f16)(std::uint16_t* out, const float* x, std::int64_t count);
    /// sum of w[i] * x[i]; no sum of some of these products may leave an int32.
    std::int32_t (*dot_int8)(const std::int8_t* w, const std::int16_t* x, std::int64_t cols);
    /// combine() where b is float, or int8.
    void (*combine_f32)(const float* a, std::int64_t a_stride, std::int64_t count, const float* b,
                        std::int64_t b_stride, std::int64_t terms, float* out,
                        std::int64_t out_stride);
    void (*combine_int8)(const float* a, std::int64_t a_stride, std::int64_t count,
                         const std::int8_t* b, std::int64_t b_stride, std::int64_t terms,
                         float* out, std::int64_t out_stride);
};

/// The table of an instruction set; dense_table.hpp defines it.
template <class Arch>
struct dense_of;

/// The best table that runs wherever the library's back end of that name
/// (trilobit::kernel_table::name) does.
const dense_kernels& dense_kernels_for(std::string_view arch) noexcept;

}  // namespace tbx::model
