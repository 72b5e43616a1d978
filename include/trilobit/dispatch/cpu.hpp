// SPDX-License-Identifier: MIT
// Room dispatch. Enters: the processor and the system. Leaves: which back ends they can run.
//
// Compiled in a baseline translation unit only: built with AVX flags, the check itself would fault
// on the machines it is there to recognise. xsimd's own answer cannot be used: asked for a tag it
// does not know it silently answers for the tag's base.
#pragma once

#include "trilobit/version.hpp"

#include <concepts>
#include <string_view>
#include <type_traits>

#include "trilobit/simd/arch.hpp"

#if defined(__x86_64__) || defined(__i386__) || defined(_M_X64)
#include "trilobit/dispatch/cpu_x86.hpp"
#elif defined(__aarch64__) || defined(_M_ARM64)
#include "trilobit/dispatch/cpu_arm.hpp"
#else
#include "trilobit/dispatch/cpu_other.hpp"
#endif

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI::dispatch {

/// Is an arch of the family that this is compiled for?
#if defined(__x86_64__) || defined(__i386__) || defined(_M_X64)
template <class Arch>
inline constexpr bool of_this_family = has_sse2<Arch>;
#elif defined(__aarch64__) || defined(_M_ARM64)
template <class Arch>
inline constexpr bool of_this_family = has_neon<Arch>;
#elif defined(__riscv)
template <class Arch>
inline constexpr bool of_this_family = has_rvv<Arch>;
#elif defined(__wasm__)
template <class Arch>
inline constexpr bool of_this_family = has_simd128<Arch>;
#else
template <class Arch>
inline constexpr bool of_this_family = false;
#endif

/// The processor, as far as the system saves the registers that its instructions need.
class cpu {
    processor here;

    template <class Arch>
    [[nodiscard]] bool adds() const noexcept {
        if constexpr (std::is_same_v<Arch, arch::generic>)
            return true;
        else if constexpr (of_this_family<Arch>)
            return here.adds(std::type_identity<Arch>{});
        else
            return false;
    }

public:
    static cpu detect() noexcept {
        cpu c;
        c.here = processor::detect();
        return c;
    }

    /// Can it run this back end? An unknown one it cannot.
    [[nodiscard]] bool has(std::string_view arch) const noexcept {
        return any_type(archs{}, [&]<class Arch>() { return Arch::name == arch && runs<Arch>(); });
    }
    template <class Arch>
    [[nodiscard]] bool runs() const noexcept {
        return !any_type(archs{}, [&]<class Weaker>() {
            if constexpr (std::derived_from<Arch, Weaker>) return !adds<Weaker>();
            return false;
        });
    }
};

}  // namespace trilobit::inline TRILOBIT_ABI::dispatch

#include "trilobit/core/end.hpp"
