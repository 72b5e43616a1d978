// SPDX-License-Identifier: MIT
// Room simd. Enters: nothing. Leaves: how long table lookups and simple instructions of this
// processor take beside its dot products. Measured once, in about ten microseconds, and only for
// the choice among kernels: all of them give the same bits.
//
// Of 512-bit registers Zen 4 starts one dot product, one vpermb and two simple instructions a
// cycle, Intel's servers two, one and two. No flag of cpuid tells them apart.
#pragma once

#include "trilobit/version.hpp"

#include <algorithm>

#include "trilobit/simd/ops.hpp"

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI::simd {

/// In dot products of one register.
struct instruction_times {
    double lookup = 1.0, simple = 0.75;
};

template <class Arch>
struct instruction_times_op {
    static instruction_times measured() noexcept { return {}; }
};

// clang looks at the operands of asm before anything is instantiated.
#if defined(__GNUC__) && defined(__AVX512VNNI__) && defined(__AVX512VBMI__)
template <has_avx512vnni Arch>
struct instruction_times_op<Arch> {
    /// step(operand) many times over, no one of which waits for another; the least of some rounds,
    /// which nobody interrupted.
    template <class F>
    static double ticks(__m512i operand, F step) noexcept {
        constexpr int unrolled = 8, turns = 80, rounds = 10;
        std::uint64_t least = ~std::uint64_t{0};
        for (int round = 0; round < rounds; ++round) {
            const std::uint64_t begin = __builtin_ia32_rdtsc();
            for (int i = 0; i < turns; ++i) TRILOBIT_UNROLL
            for (int u = 0; u < unrolled; ++u) {
                // As if the operand were another each time.
                __asm__ volatile("" : "+v"(operand));
                const __m512i result = step(operand);
                __asm__ volatile("" : : "v"(result));
            }
            least = std::min<std::uint64_t>(least, __builtin_ia32_rdtsc() - begin);
        }
        return static_cast<double>(std::max<std::uint64_t>(least, 1));
    }
    TRILOBIT_NOINLINE static instruction_times measured() noexcept {
        const __m512i zero = _mm512_setzero_si512(), one = _mm512_set1_epi8(1);
        const auto dot = [=](__m512i v)
                             TRILOBIT_LAMBDA_INLINE { return _mm512_dpbusd_epi32(zero, v, v); };
        ticks(one, dot);  // the clock settles
        const double dots = ticks(one, dot);
        const double lookups = ticks(one, [=](__m512i v) TRILOBIT_LAMBDA_INLINE {
            return _mm512_permutexvar_epi8(zero, v);
        });
        const double simples =
            ticks(one, [=](__m512i v) TRILOBIT_LAMBDA_INLINE { return _mm512_add_epi8(v, v); });
        // What an interruption of all rounds would make of them stays within what processors do.
        return {std::clamp(lookups / dots, 0.5, 8.0), std::clamp(simples / dots, 0.25, 2.0)};
    }
};
#endif

template <class Arch>
const instruction_times& times() noexcept {
    static const instruction_times once = instruction_times_op<Arch>::measured();
    return once;
}

}  // namespace trilobit::inline TRILOBIT_ABI::simd

#include "trilobit/core/end.hpp"
