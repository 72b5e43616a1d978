// SPDX-License-Identifier: MIT
// Room simd. Enters: the compiler's flags and xsimd. Leaves: one tag for each back end, what each
// can do as a concept, and the register types. All knowledge of xsimd's versions lives here.
//
// The tags are ours because xsimd's do not nest (its AVX-512 tags do not derive from avx2, and
// avx512vnni<avx512vbmi> became avx512vnni<avx512vbmi2> in 14) and because every function of a
// kernel is a template on its tag: the tag in the mangled name is what keeps the linker from
// merging bodies that were compiled for different machines.
#pragma once

#include "trilobit/version.hpp"

#ifndef XSIMD_WITH_EMULATED
#if defined(XSIMD_HPP)
#define XSIMD_WITH_EMULATED 0  // xsimd was included before us, without its emulation
#else
#define XSIMD_WITH_EMULATED 1  // the `generic` back end: xsimd's operators on plain arrays
#endif
#endif
#if defined(__GNUC__)
#pragma GCC diagnostic push
// Of xsimd itself, where it is found through -I.
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#if !defined(__clang__)
// GCC's AVX-512 headers initialise "undefined" registers by themselves and warn about it (PR
// 105593) wherever they are inlined; the state of this pragma at their lines decides.
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#endif
#endif
#if defined(__SSE2__) || defined(_M_X64)
#include <immintrin.h>
#endif
#include <xsimd/xsimd.hpp>
#if defined(XSIMD_NO_SUPPORTED_ARCHITECTURE)
// Where xsimd knows no SIMD it ends before its batches, even if emulation is asked for. These are
// the headers that it leaves out, in its order; an xsimd.hpp that came before us has left them out
// as well.
#if !XSIMD_WITH_EMULATED || (defined(XSIMD_BATCH_HPP) && !defined(XSIMD_EMULATED_HPP))
#error "trilobit: xsimd knows no SIMD here and was included without XSIMD_WITH_EMULATED=1."
#endif
#include <xsimd/types/xsimd_batch.hpp>
#include <xsimd/types/xsimd_batch_constant.hpp>
#include <xsimd/types/xsimd_traits.hpp>
// This one is the last.
#include <xsimd/types/xsimd_api.hpp>
#endif
#if defined(__GNUC__)
#pragma GCC diagnostic pop
#endif

#include <concepts>
#include <cstdint>
#include <string_view>

#include "trilobit/layout/all.hpp"

#if XSIMD_VERSION_MAJOR < 13 || XSIMD_VERSION_MAJOR > 14 || \
    (XSIMD_VERSION_MAJOR == 13 && XSIMD_VERSION_MINOR < 2)
#error "trilobit needs xsimd 13.2 or newer, below 15."
#endif

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI {
namespace arch {

/// Correct on any machine that C++ runs on; the floor under all others.
struct generic {
    static constexpr std::string_view name = "generic";
#if XSIMD_WITH_EMULATED
    using registers = xsimd::emulated<128>;
#else
    using registers = xsimd::default_arch;
#endif
};

// x86-64. A tag derives from the one whose every instruction it has.
struct sse2 : generic {
    static constexpr std::string_view name = "sse2";
    using registers = xsimd::sse2;
};
struct ssse3 : sse2 {  // pmaddubsw, pshufb
    static constexpr std::string_view name = "ssse3";
    using registers = xsimd::ssse3;
};
struct sse4_2 : ssse3 {
    static constexpr std::string_view name = "sse4_2";
    using registers = xsimd::sse4_2;
};
struct avx2 : sse4_2 {  // with F16C and FMA, as every such processor
    static constexpr std::string_view name = "avx2";
    using registers = xsimd::fma3<xsimd::avx2>;
};
struct avxvnni : avx2 {  // 256-bit vpdpbusd without AVX-512
    static constexpr std::string_view name = "avxvnni";
    using registers = xsimd::fma3<xsimd::avx2>;
};
struct avx512bw : avx2 {
    static constexpr std::string_view name = "avx512bw";
    using registers = xsimd::avx512bw;
};
struct avx512vnni : avx512bw {  // Ice Lake and Zen 4 on: VNNI, VBMI, BITALG, GFNI together
    static constexpr std::string_view name = "avx512vnni";
    using registers = xsimd::avx512bw;
};
struct amx : avx512vnni {  // Sapphire Rapids on: tiles of int8 beside the same registers
    static constexpr std::string_view name = "amx";
};

}  // namespace arch

/// Every back end, weakest first. dispatch/cpu.hpp and the CMake function name them once more;
/// tests compare.
using archs = type_list<arch::generic, arch::sse2, arch::ssse3, arch::sse4_2, arch::avx2,
                        arch::avxvnni, arch::avx512bw, arch::avx512vnni, arch::amx>;

template <class A>
concept has_sse2 = std::derived_from<A, arch::sse2>;
template <class A>
concept has_ssse3 = has_sse2<A> && std::derived_from<A, arch::ssse3>;
template <class A>
concept has_avx2 = has_ssse3<A> && std::derived_from<A, arch::avx2>;
template <class A>
concept has_avxvnni = has_avx2<A> && std::derived_from<A, arch::avxvnni>;
template <class A>
concept has_avx512bw = has_avx2<A> && std::derived_from<A, arch::avx512bw>;
template <class A>
concept has_avx512vnni = has_avx512bw<A> && std::derived_from<A, arch::avx512vnni>;

template <class A>
concept has_amx = has_avx512vnni<A> && std::derived_from<A, arch::amx>;

/// The strongest back end that this translation unit's flags allow. Never amx: its tiles
/// have to be asked for at run time, which the run-time dispatch does.
#if defined(__AVX512VNNI__) && defined(__AVX512VBMI__) && defined(__AVX512BITALG__)
using native_arch = arch::avx512vnni;
#elif defined(__AVX512BW__) && defined(__AVX512CD__) && defined(__AVX512DQ__) && \
    defined(__AVX512VL__)
using native_arch = arch::avx512bw;
#elif defined(__AVXVNNI__) && defined(__AVX2__)
using native_arch = arch::avxvnni;
#elif defined(__AVX2__) && defined(__FMA__) && defined(__F16C__)
using native_arch = arch::avx2;
#elif defined(__SSE4_2__)
using native_arch = arch::sse4_2;
#elif defined(__SSSE3__)
using native_arch = arch::ssse3;
#elif defined(__SSE2__) || defined(_M_X64)
using native_arch = arch::sse2;
#else
using native_arch = arch::generic;
#endif

namespace simd {

template <class Arch>
using u8 = xsimd::batch<std::uint8_t, typename Arch::registers>;
template <class Arch>
using i8 = xsimd::batch<std::int8_t, typename Arch::registers>;
template <class Arch>
using u16 = xsimd::batch<std::uint16_t, typename Arch::registers>;
template <class Arch>
using i16 = xsimd::batch<std::int16_t, typename Arch::registers>;
template <class Arch>
using i32 = xsimd::batch<std::int32_t, typename Arch::registers>;
template <class Arch>
using f32 = xsimd::batch<float, typename Arch::registers>;

template <class Arch>
inline constexpr int register_bytes = static_cast<int>(u8<Arch>::size);
/// 32-bit lanes of a register, which are rows of a dot tile.
template <class Arch>
inline constexpr int lanes = register_bytes<Arch> / 4;

}  // namespace simd
}  // namespace trilobit::inline TRILOBIT_ABI

#include "trilobit/core/end.hpp"
