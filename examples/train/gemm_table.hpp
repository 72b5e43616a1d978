// SPDX-License-Identifier: MIT
// Room train: the table of gemm_kernels.hpp for one instruction set, whose flags this is compiled
// with. Enters: an Arch of the library. Leaves: its table.
//
// Nothing here calls an inline function of the standard library: it would be compiled with these
// flags, might be the copy that the linker keeps, and would then crash on an older processor.
#pragma once

#include <trilobit/core/config.hpp>
#include <trilobit/simd/arch.hpp>

#include "train/gemm_kernels.hpp"

namespace tbx::train {

template <class Arch>
struct gemm_of {
    static constexpr int bytes = trilobit::simd::register_bytes<Arch>;
    static constexpr int size = bytes / 4;
    typedef float floats __attribute__((vector_size(bytes)));

    // Two registers of sums to a row: with sixteen registers 12 sums, two of b, one of a and one
    // for a product; AVX-512 has twice as many.
    static constexpr int rows = bytes == 64 ? 12 : 6;
    static constexpr int cols = 2 * size;

    static void pack(const float* from, bool across, int stride, int total, int from_k, int depth,
                     int first, int width, float* to) {
        const int here = total - first < width ? total - first : width;
        const auto at = static_cast<std::ptrdiff_t>(stride);
        if (across) {  // neighbours of the panel lie side by side
            const float* row = from + from_k * at + first;
            for (int p = 0; p < depth; ++p, row += at, to += width) {
                for (int i = 0; i < here; ++i) to[i] = row[i];
                for (int i = here; i < width; ++i) to[i] = 0.0f;
            }
        } else {
            for (int i = 0; i < width; ++i) {
                const float* row = from + (first + i) * at + from_k;
                for (int p = 0; p < depth; ++p) to[p * width + i] = i < here ? row[p] : 0.0f;
            }
        }
    }

    static void pack_b(const gemm_shape& s, const float* b, int from, int depth, int first,
                       float* to) {
        pack(b, !s.tb, s.ldb, s.n, from, depth, first, cols, to);
    }
    static void pack_a(const gemm_shape& s, const float* a, int from, int depth, int first,
                       float* to) {
        pack(a, s.ta, s.lda, s.m, from, depth, first, rows, to);
    }

    TRILOBIT_INLINE static floats load(const float* from) {
        floats value;
        __builtin_memcpy(&value, from, sizeof value);
        return value;
    }
    TRILOBIT_INLINE static void store(float* to, const floats& value) {
        __builtin_memcpy(to, &value, sizeof value);
    }

    static void tile(const float* a, const float* b, int depth, float* c, int ldc, int some_rows,
                     int some_cols, bool add) {
        floats sum[rows][2] = {};
        for (int p = 0; p < depth; ++p) {
            const floats left = load(b), right = load(b + size);
            TRILOBIT_UNROLL
            for (int i = 0; i < rows; ++i) {
                sum[i][0] += a[i] * left;
                sum[i][1] += a[i] * right;
            }
            a += rows, b += cols;
        }
        if (some_rows == rows && some_cols == cols) {
            TRILOBIT_UNROLL
            for (int i = 0; i < rows; ++i, c += ldc) {
                store(c, add ? load(c) + sum[i][0] : sum[i][0]);
                store(c + size, add ? load(c + size) + sum[i][1] : sum[i][1]);
            }
            return;
        }
        float all[rows][cols];
        __builtin_memcpy(all, sum, sizeof all);
        for (int i = 0; i < some_rows; ++i, c += ldc)
            for (int j = 0; j < some_cols; ++j) c[j] = add ? c[j] + all[i][j] : all[i][j];
    }

    static constexpr gemm_kernels table = {Arch::name, rows, cols, pack_b, pack_a, tile};
};

}  // namespace tbx::train
