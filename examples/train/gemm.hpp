// SPDX-License-Identifier: MIT
// Room train: the float matrix products, behind one small policy so that the model is written once.
// Enters: row-major operands in the backend's storage type, with leading dimensions.
// Leaves: c = op(a) op(b) or c += op(a) op(b) in `real`.
#pragma once

#include <cblas.h>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "train/gemm_kernels.hpp"

namespace tbx::train {

template <class Real>
struct stored_as_computed {
    using real = Real;
    using store = Real;

    static void convert(const Real* from, store* to, std::size_t n) {
        for (std::size_t i = 0; i < n; ++i) to[i] = from[i];
    }
    static void widen(const store* from, Real* to, std::size_t n) { convert(from, to, n); }
};

// On the threads of threads.hpp, one product at a time. Throws tbx::error when TRILOBIT_ARCH names
// no instruction set of this machine.
void multiply(const gemm_shape& s, const float* a, const float* b, float* c);

// The same bits on every machine and any number of threads.
struct portable_backend : stored_as_computed<float> {
    static void gemm(const gemm_shape& s, const float* a, const float* b, float* c) {
        multiply(s, a, b, c);
    }
};

// OpenBLAS adds in an order of each processor's own, and fuses.
template <class Real>
struct blas_backend : stored_as_computed<Real> {
    using store = Real;

    static void gemm(const gemm_shape& s, const store* a, const store* b, Real* c) {
        const auto ta = s.ta ? CblasTrans : CblasNoTrans;
        const auto tb = s.tb ? CblasTrans : CblasNoTrans;
        const Real beta = s.accumulate ? Real(1) : Real(0);
        if constexpr (std::is_same_v<Real, double>)
            cblas_dgemm(CblasRowMajor, ta, tb, s.m, s.n, s.k, 1.0, a, s.lda, b, s.ldb, beta, c,
                        s.ldc);
        else
            cblas_sgemm(CblasRowMajor, ta, tb, s.m, s.n, s.k, 1.0f, a, s.lda, b, s.ldb, beta, c,
                        s.ldc);
    }
};

#ifdef TRILOBIT_TRAIN_ONEDNN
// Operands rounded to bfloat16, products summed in float: on a CPU with AMX about ten times sgemm.
// Ternary weights and int8 activations are exact in bfloat16, so the student's forward pass is too.
struct onednn_backend {
    using real = float;
    using store = std::uint16_t;

    // Half to even; a NaN may become an infinity, which the loss check catches as well.
    static void convert(const float* from, store* to, std::size_t n) {
        for (std::size_t i = 0; i < n; ++i) {
            const auto bits = std::bit_cast<std::uint32_t>(from[i]);
            to[i] = static_cast<store>((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
        }
    }

    static void widen(const store* from, float* to, std::size_t n) {
        for (std::size_t i = 0; i < n; ++i)
            to[i] = std::bit_cast<float>(static_cast<std::uint32_t>(from[i]) << 16);
    }

    static void gemm(const gemm_shape& s, const store* a, const store* b, float* c);
};
#endif

}  // namespace tbx::train
