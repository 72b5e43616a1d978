// SPDX-License-Identifier: MIT
// Room dispatch. Enters: an x86 processor and its system. Leaves: what each back end adds to those
// that it derives from, and whether it is there.
#pragma once

#include "trilobit/version.hpp"

#if defined(__x86_64__) || defined(__i386__) || defined(_M_X64)

#include <cstdint>
#include <initializer_list>
#include <type_traits>

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

class processor {
    unsigned c1 = 0, d1 = 0, b7 = 0, c7 = 0, d7 = 0, a71 = 0;  // words of cpuid, by leaf
    std::uint64_t saved = 0;                                   // XCR0

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

    static bool bits(unsigned word, std::initializer_list<int> wanted) noexcept {
        for (const int b : wanted)
            if ((word >> b & 1u) == 0) return false;
        return true;
    }
    // 1 SSE, 2 AVX, 5-7 AVX-512, 17-18 tiles
    [[nodiscard]] bool saves(std::uint64_t state) const noexcept {
        return (saved & state) == state;
    }

public:
    template <class Arch>
    using of = std::type_identity<Arch>;

    // One without a line here does not compile.
    [[nodiscard]] bool adds(of<arch::sse2>) const noexcept { return bits(d1, {26}); }
    [[nodiscard]] bool adds(of<arch::ssse3>) const noexcept { return bits(c1, {9}); }
    [[nodiscard]] bool adds(of<arch::sse4_2>) const noexcept { return bits(c1, {19, 20, 23}); }
    [[nodiscard]] bool adds(of<arch::avx2>) const noexcept {  // AVX, FMA, F16C; BMI2
        return saves(0x6) && bits(c1, {12, 28, 29}) && bits(b7, {5, 8});
    }
    [[nodiscard]] bool adds(of<arch::avxvnni>) const noexcept { return bits(a71, {4}); }
    [[nodiscard]] bool adds(of<arch::avx512bw>) const noexcept {  // F, DQ, CD, BW, VL
        return saves(0xe6) && bits(b7, {16, 17, 28, 30, 31});
    }
    [[nodiscard]] bool adds(of<arch::avx512vnni>) const noexcept {
        // IFMA; VBMI, VBMI2, GFNI, VNNI, BITALG, VPOPCNTDQ
        return bits(b7, {21}) && bits(c7, {1, 6, 8, 11, 12, 14});
    }
    [[nodiscard]] bool adds(of<arch::amx>) const noexcept {  // tiles, of int8
        return saves(0x60000) && bits(d7, {24, 25}) && ask_for_tiles();
    }

    static processor detect() noexcept {
        unsigned basic[4], one[4], seven[4] = {}, seven_one[4] = {};
        cpuid(0, 0, basic);
        cpuid(1, 0, one);
        if (basic[0] >= 7) {
            cpuid(7, 0, seven);
            if (seven[0] >= 1) cpuid(7, 1, seven_one);
        }
        processor f;
        f.c1 = one[2], f.d1 = one[3];
        f.b7 = seven[1], f.c7 = seven[2], f.d7 = seven[3], f.a71 = seven_one[0];
        // Without OSXSAVE xgetbv itself faults.
        if (bits(f.c1, {27})) f.saved = saved_state();
        return f;
    }
};

}  // namespace trilobit::inline TRILOBIT_ABI::dispatch

#include "trilobit/core/end.hpp"

#endif
