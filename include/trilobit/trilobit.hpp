// SPDX-License-Identifier: MIT
// trilobit: 1-bit and ternary matrix multiplication, exact, on every SIMD back end.
//
//   auto w = trilobit::pack<trilobit::layout::ternary_2bit>(weights);  // (rows, cols) floats
//   trilobit::status s = trilobit::matmul(w, x, y);                    // y = x w^T
//
// Include this for kernels chosen by the compiler's flags; include dispatch/dispatch.hpp and use
// the CMake function trilobit_runtime_dispatch() to choose when the program runs.
#pragma once

#include "trilobit/version.hpp"

#include "trilobit/core/openmp.hpp"
#if TRILOBIT_HAS_THREADS
#include "trilobit/core/thread_pool.hpp"
#endif
#include "trilobit/layout/print.hpp"
#include "trilobit/matmul/matmul.hpp"
