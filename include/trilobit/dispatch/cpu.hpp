// SPDX-License-Identifier: MIT
// Room dispatch. Enters: the processor and the system. Leaves: which back ends they can run.
//
// Compiled in a baseline translation unit only: built with AVX flags, the check itself would fault
// on the machines it is there to recognise. xsimd's own answer cannot be used: asked for a tag it
// does not know it silently answers for the tag's base.
#pragma once

#include "trilobit/version.hpp"

#include <cstdint>
#include <initializer_list>
#include <string_view>

#include "trilobit/simd/arch.hpp"

#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#elif defined(_M_X64)
#include <intrin.h>
#endif
#if defined(__linux__) && defined(__x86_64__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI::dispatch {

/// Feature bits of an x86 processor, as far as the system saves the registers they need.
struct x86_features {
    bool sse2 = false, ssse3 = false, sse4_2 = false;
    bool avx2 = false;  // with FMA, F16C, BMI2
    bool avxvnni = false;
    bool avx512bw = false;    // with F, CD, DQ, VL
    bool avx512vnni = false;  // with VBMI, VBMI2, IFMA, BITALG, VPOPCNTDQ, GFNI
    bool amx = false;         // int8 tiles, granted to this process

#if defined(__x86_64__) || defined(__i386__) || defined(_M_X64)
    static void cpuid(unsigned leaf, unsigned sub, unsigned (&r)[4]) noexcept {
#if defined(_M_X64) && !defined(__GNUC__)
        int out[4];
        __cpuidex(out, static_cast<int>(leaf), static_cast<int>(sub));
        for (int i = 0; i < 4; ++i) r[i] = static_cast<unsigned>(out[i]);
#else
        __cpuid_count(leaf, sub, r[0], r[1], r[2], r[3]);
#endif
    }
    static std::uint64_t saved_state() noexcept {
#if defined(_M_X64) && !defined(__GNUC__)
        return _xgetbv(0);
#else
        std::uint32_t low, high;
        __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
        return (std::uint64_t{high} << 32) | low;
#endif
    }

    /// Linux grants the 8 KiB of tile registers to processes that ask; threads started later have
    /// them too.
    static bool ask_for_tiles() noexcept {
#if defined(__linux__) && defined(__x86_64__)
        constexpr int request_permission = 0x1023, tile_data = 18;  // ARCH_REQ_XCOMP_PERM
        return syscall(SYS_arch_prctl, request_permission, tile_data) == 0;
#else
        return false;
#endif
    }

    static x86_features detect() noexcept {
        const auto bits = [](unsigned word, std::initializer_list<int> wanted) {
            for (const int b : wanted)
                if ((word >> b & 1u) == 0) return false;
            return true;
        };
        x86_features f;
        unsigned basic[4], one[4], seven[4] = {}, seven_one[4] = {};
        cpuid(0, 0, basic);
        cpuid(1, 0, one);
        if (basic[0] >= 7) {
            cpuid(7, 0, seven);
            if (seven[0] >= 1) cpuid(7, 1, seven_one);
        }
        const unsigned c1 = one[2], d1 = one[3], b7 = seven[1], c7 = seven[2], d7 = seven[3];
        const unsigned a71 = seven_one[0];
        f.sse2 = bits(d1, {26});
        f.ssse3 = f.sse2 && bits(c1, {9});
        f.sse4_2 = f.ssse3 && bits(c1, {19, 20, 23});
        // XCR0: 1 SSE, 2 AVX, 5-7 AVX-512, 17-18 tile state. Without OSXSAVE xgetbv itself faults.
        const std::uint64_t saved = bits(c1, {27}) ? saved_state() : 0;
        f.avx2 = f.sse4_2 && (saved & 0x6) == 0x6 && bits(c1, {12, 28, 29}) && bits(b7, {5, 8});
        f.avxvnni = f.avx2 && bits(a71, {4});
        f.avx512bw = f.avx2 && (saved & 0xe6) == 0xe6 && bits(b7, {16, 17, 28, 30, 31});
        f.avx512vnni = f.avx512bw && bits(b7, {21}) && bits(c7, {1, 6, 8, 11, 12, 14});
        f.amx =
            f.avx512vnni && (saved & 0x60000) == 0x60000 && bits(d7, {24, 25}) && ask_for_tiles();
        return f;
    }
#else
    static x86_features detect() noexcept { return {}; }
#endif

    [[nodiscard]] bool has(std::string_view arch) const noexcept {
        if (arch == arch::generic::name) return true;
        if (arch == arch::sse2::name) return sse2;
        if (arch == arch::ssse3::name) return ssse3;
        if (arch == arch::sse4_2::name) return sse4_2;
        if (arch == arch::avx2::name) return avx2;
        if (arch == arch::avxvnni::name) return avxvnni;
        if (arch == arch::avx512bw::name) return avx512bw;
        if (arch == arch::avx512vnni::name) return avx512vnni;
        if (arch == arch::amx::name) return amx;
        return false;
    }
};

}  // namespace trilobit::inline TRILOBIT_ABI::dispatch

#include "trilobit/core/end.hpp"
