// SPDX-License-Identifier: MIT
// Room dispatch. Enters: an AArch64 processor and its system. Leaves: what each back end adds to
// those that it derives from, and whether it is there.
#pragma once

#include "trilobit/version.hpp"

#if defined(__aarch64__) || defined(_M_ARM64)

#include <type_traits>

#include "trilobit/simd/arch.hpp"

#if defined(__linux__)
#include <sys/auxv.h>
#include <sys/prctl.h>
#elif defined(__APPLE__)
#include <sys/sysctl.h>
#elif defined(_WIN32)
extern "C" __declspec(dllimport) int IsProcessorFeaturePresent(unsigned long feature);
#endif

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI::dispatch {

class processor {
    bool dot_product = false, i8mm = false;
    int sve_bytes = 0;  // of a register; code for another length would be wrong

#if defined(__APPLE__)
    static bool says(const char* feature) noexcept {
        int value = 0;
        auto size = sizeof value;
        return sysctlbyname(feature, &value, &size, nullptr, 0) == 0 && value != 0;
    }
#endif

public:
    template <class Arch>
    using of = std::type_identity<Arch>;

    // One without a line here does not compile. NEON is part of AArch64.
    [[nodiscard]] bool adds(of<arch::neon>) const noexcept { return true; }
    [[nodiscard]] bool adds(of<arch::neon_dotprod>) const noexcept { return dot_product; }
    [[nodiscard]] bool adds(of<arch::neon_i8mm>) const noexcept { return i8mm; }
    [[nodiscard]] bool adds(of<arch::sve_256>) const noexcept { return sve_bytes == 32; }
    [[nodiscard]] bool adds(of<arch::sve_512>) const noexcept { return sve_bytes == 64; }

    static processor detect() noexcept {
        processor p;
#if defined(__linux__)
        // HWCAP_ASIMDDP, HWCAP_SVE, HWCAP2_I8MM; PR_SVE_GET_VL
        const unsigned long first = getauxval(AT_HWCAP), second = getauxval(AT_HWCAP2);
        p.dot_product = (first >> 20 & 1) != 0;
        p.i8mm = (second >> 13 & 1) != 0;
        if ((first >> 22 & 1) != 0)
            if (const int length = prctl(51, 0, 0, 0, 0); length > 0) p.sve_bytes = length & 0xffff;
#elif defined(__APPLE__)
        p.dot_product = says("hw.optional.arm.FEAT_DotProd");
        p.i8mm = says("hw.optional.arm.FEAT_I8MM");
#elif defined(_WIN32)
        // PF_ARM_V82_DP_INSTRUCTIONS_AVAILABLE, PF_ARM_V82_I8MM_INSTRUCTIONS_AVAILABLE
        p.dot_product = IsProcessorFeaturePresent(43) != 0;
        p.i8mm = IsProcessorFeaturePresent(66) != 0;
#endif
        return p;
    }
};

}  // namespace trilobit::inline TRILOBIT_ABI::dispatch

#include "trilobit/core/end.hpp"

#endif
