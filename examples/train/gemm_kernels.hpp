// SPDX-License-Identifier: MIT
// Room train: float products whose bits do not depend on the machine.
// Enters: row-major floats, one of them or both stored transposed. Leaves: rows of the product.
//
// One source, compiled once per instruction set. The lanes of a register are columns of the result,
// so its width changes no sum: each output adds the products of `depth` terms in order from zero,
// and these sums in order; a product is rounded before it is added.
#pragma once

#include <cstddef>
#include <string_view>

namespace tbx::train {

// c (m, n) = op(a) (m, k) * op(b) (k, n); `ta`/`tb` say that the operand is stored transposed.
struct gemm_shape {
    bool ta, tb;
    int m, n, k;
    int lda, ldb, ldc;
    bool accumulate;
};

// Terms that are added before their sum goes into the result: part of the order of sums.
inline constexpr int gemm_depth = 256;

// A plain table of functions: what is behind it may use any instruction set, the caller none.
struct gemm_kernels {
    std::string_view name;  // of the instruction set
    int tile_rows, tile_cols;
    // Terms [from, from + depth) of columns [first, first + tile_cols) of op(b), beside each other;
    // zero where there is no such column.
    void (*pack_b)(const gemm_shape& s, const float* b, int from, int depth, int first, float* to);
    void (*pack_a)(const gemm_shape& s, const float* a, int from, int depth, int first, float* to);
    // One tile of c from both; `rows` and `cols` of it are written, or added to what is there.
    void (*tile)(const float* a, const float* b, int depth, float* c, int ldc, int rows, int cols,
                 bool add);
};

// The table of an instruction set; gemm_table.hpp defines it.
template <class Arch>
struct gemm_of;

// The best table of this machine, or of the back end that TRILOBIT_ARCH names.
const gemm_kernels& gemm_kernels_here();

// On the threads of threads.hpp, one product at a time.
void multiply_by(const gemm_kernels& kernels, const gemm_shape& s, const float* a, const float* b,
                 float* c);

}  // namespace tbx::train
