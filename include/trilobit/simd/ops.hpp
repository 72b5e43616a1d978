// SPDX-License-Identifier: MIT
// Room simd. Enters: the primitives. Leaves: the same in the best instructions that the flags
// allow. A back end is one of these files: its facts, and what it has better instructions for.
// Each includes the one that it builds on.
#pragma once

#include "trilobit/version.hpp"

#include "trilobit/simd/primitives.hpp"

#if defined(__SSE2__) || defined(_M_X64)
#include "trilobit/simd/ops_avx512.hpp"
#endif
#if defined(__aarch64__)
#include "trilobit/simd/ops_sve.hpp"
#elif defined(__wasm__)
#include "trilobit/simd/ops_wasm.hpp"
#elif defined(__riscv)
#include "trilobit/simd/ops_rvv.hpp"
#endif
