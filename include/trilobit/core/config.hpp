// SPDX-License-Identifier: MIT
// Room core. Enters: the compiler. Leaves: the macros that hide it from more than one file.
#pragma once

#include "trilobit/version.hpp"

#include <version>

/// Does the standard library start threads? Not on WASI or on bare metal.
#if !defined(TRILOBIT_HAS_THREADS)
#if defined(_LIBCPP_HAS_NO_THREADS) || (defined(_LIBCPP_HAS_THREADS) && !_LIBCPP_HAS_THREADS) || \
    (defined(__GLIBCXX__) && !defined(_GLIBCXX_HAS_GTHREADS))
#define TRILOBIT_HAS_THREADS 0
#else
#define TRILOBIT_HAS_THREADS 1
#endif
#endif

#if defined(_MSC_VER) && !defined(__clang__)
#define TRILOBIT_INLINE __forceinline
#define TRILOBIT_NOINLINE __declspec(noinline)
#define TRILOBIT_RESTRICT __restrict
#define TRILOBIT_LAMBDA_INLINE
#define TRILOBIT_UNROLL
#define TRILOBIT_ROLLED
#define TRILOBIT_COMPILER_BARRIER(block) _ReadWriteBarrier()
#include <intrin.h>
#else
#define TRILOBIT_RESTRICT __restrict__
/// A hot loop that fills the registers: inside a larger function g++ may keep its sums in memory.
#define TRILOBIT_NOINLINE __attribute__((noinline))
/// Before a loop over registers: both compilers unroll it completely, or spill what it sums.
/// Defined as nothing where registers are plain arrays, it spares minutes of compiling.
#ifndef TRILOBIT_UNROLL
#define TRILOBIT_UNROLL _Pragma("GCC unroll 16")
#endif
/// Before a loop of few rounds inside a hot one, which unrolled would take the registers of that.
#define TRILOBIT_ROLLED _Pragma("GCC unroll 1")
/// Makes the compiler store `block` and forget what it held. Between a product and a sum this is
/// what keeps GCC from contracting them into a fused multiply-add, which rounds once instead of
/// twice and so changes bits between back ends; it ignores `#pragma STDC FP_CONTRACT`.
#define TRILOBIT_COMPILER_BARRIER(block) __asm__ volatile("" : "+m"(block))
/// Functions that kernels call and whose name holds no arch. Inlined always, they leave no symbol
/// that a linker might merge with a copy made for another machine.
#if defined(__OPTIMIZE__)
#define TRILOBIT_INLINE inline __attribute__((always_inline))
#define TRILOBIT_LAMBDA_INLINE __attribute__((always_inline))
#else
// Forced inlining without an optimiser multiplies compile time and stack use for nothing.
#define TRILOBIT_INLINE inline
#define TRILOBIT_LAMBDA_INLINE
#endif
#endif

/// For the few places where clang and g++ need the opposite to keep sums in registers.
#if defined(__clang__)
#define TRILOBIT_IS_CLANG true
#else
#define TRILOBIT_IS_CLANG false
#endif
