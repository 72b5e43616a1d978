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
#include "trilobit/simd/vector.hpp"

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

// AArch64
struct neon : generic {  // ARMv8.0: Raspberry Pi 3 and 4
    static constexpr std::string_view name = "neon";
    using registers = simd::vectors<16>;
};
struct neon_dotprod : neon {  // sdot: Raspberry Pi 5, Neoverse N1, Apple M1, phones since 2018
    static constexpr std::string_view name = "neon_dotprod";
};
struct neon_i8mm : neon_dotprod {  // usdot, smmla: Graviton 3, Apple M2
    static constexpr std::string_view name = "neon_i8mm";
};
// SVE's own registers where they are longer than NEON's, by their length; SVE2 adds nothing here.
struct sve_256 : neon {  // Graviton 3, whose usmmla makes three times as much of many tokens
    static constexpr std::string_view name = "sve_256";
    using registers = simd::vectors<32>;
};
struct sve_512 : neon {  // A64FX
    static constexpr std::string_view name = "sve_512";
    using registers = simd::vectors<64>;
};

// WebAssembly
struct simd128 : generic {
    static constexpr std::string_view name = "simd128";
    using registers = simd::vectors<16>;
};
struct relaxed_simd : simd128 {  // a dot product of bytes
    static constexpr std::string_view name = "relaxed_simd";
};

// RISC-V with the vector extension 1.0, by the least length of its registers
struct rvv_128 : generic {
    static constexpr std::string_view name = "rvv_128";
    using registers = simd::vectors<16>;
};
struct rvv_256 : rvv_128 {
    static constexpr std::string_view name = "rvv_256";
    using registers = simd::vectors<32>;
};
struct rvv_512 : rvv_256 {
    static constexpr std::string_view name = "rvv_512";
    using registers = simd::vectors<64>;
};

}  // namespace arch

/// Every back end, those of each family weakest first. The checks in dispatch/ and the CMake
/// function name them once more; tests compare.
using archs =
    type_list<arch::generic, arch::sse2, arch::ssse3, arch::sse4_2, arch::avx2, arch::avxvnni,
              arch::avx512bw, arch::avx512vnni, arch::amx, arch::neon, arch::neon_dotprod,
              arch::sve_256, arch::neon_i8mm, arch::sve_512, arch::simd128, arch::relaxed_simd,
              arch::rvv_128, arch::rvv_256, arch::rvv_512>;

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

template <class A>
concept has_neon = std::derived_from<A, arch::neon>;
template <class A>
concept has_neon_dotprod = has_neon<A> && std::derived_from<A, arch::neon_dotprod>;
template <class A>
concept has_neon_i8mm = has_neon_dotprod<A> && std::derived_from<A, arch::neon_i8mm>;
template <class A>
concept has_sve =
    has_neon<A> && (std::derived_from<A, arch::sve_256> || std::derived_from<A, arch::sve_512>);
template <class A>
concept has_simd128 = std::derived_from<A, arch::simd128>;
template <class A>
concept has_relaxed_simd = has_simd128<A> && std::derived_from<A, arch::relaxed_simd>;
template <class A>
concept has_rvv = std::derived_from<A, arch::rvv_128>;

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
#elif defined(__ARM_FEATURE_SVE) && defined(__ARM_FEATURE_SVE_BITS) && __ARM_FEATURE_SVE_BITS == 512
using native_arch = arch::sve_512;
#elif defined(__aarch64__) && defined(__ARM_FEATURE_MATMUL_INT8) && defined(__GNUC__)
using native_arch = arch::neon_i8mm;
#elif defined(__ARM_FEATURE_SVE) && defined(__ARM_FEATURE_SVE_BITS) && __ARM_FEATURE_SVE_BITS == 256
using native_arch = arch::sve_256;
#elif defined(__aarch64__) && defined(__ARM_FEATURE_DOTPROD) && defined(__GNUC__)
using native_arch = arch::neon_dotprod;
#elif defined(__aarch64__) && defined(__ARM_NEON) && defined(__GNUC__)
using native_arch = arch::neon;
#elif defined(__wasm_relaxed_simd__)
using native_arch = arch::relaxed_simd;
#elif defined(__wasm_simd128__)
using native_arch = arch::simd128;
#elif defined(__riscv_v_min_vlen) && defined(__clang__) && __riscv_v_min_vlen >= 512
using native_arch = arch::rvv_512;
#elif defined(__riscv_v_min_vlen) && defined(__clang__) && __riscv_v_min_vlen >= 256
using native_arch = arch::rvv_256;
#elif defined(__riscv_v_min_vlen) && defined(__clang__)
using native_arch = arch::rvv_128;
#else
using native_arch = arch::generic;
#endif

namespace simd {

/// xsimd's, or ours where an arch names vectors.
template <class T, class Registers>
struct register_of {
    using type = xsimd::batch<T, Registers>;
};
#if defined(__GNUC__)
template <class T, int Bytes>
struct register_of<T, vectors<Bytes>> {
    using type = vec<T, Bytes>;
};
template <class Arch>
concept on_vectors = has_neon<Arch> || has_simd128<Arch> || has_rvv<Arch>;
#endif

template <class Arch>
using u8 = typename register_of<std::uint8_t, typename Arch::registers>::type;
template <class Arch>
using i8 = typename register_of<std::int8_t, typename Arch::registers>::type;
template <class Arch>
using u16 = typename register_of<std::uint16_t, typename Arch::registers>::type;
template <class Arch>
using i16 = typename register_of<std::int16_t, typename Arch::registers>::type;
template <class Arch>
using i32 = typename register_of<std::int32_t, typename Arch::registers>::type;
template <class Arch>
using f32 = typename register_of<float, typename Arch::registers>::type;

// Of xsimd's registers; of ours they are in vector.hpp.
using xsimd::abs, xsimd::any, xsimd::batch_cast, xsimd::bitwise_cast, xsimd::incr_if, xsimd::min,
    xsimd::reduce_add, xsimd::select, xsimd::transpose, xsimd::zip_hi, xsimd::zip_lo;

template <class Arch>
inline constexpr int register_bytes = static_cast<int>(u8<Arch>::size);
/// 32-bit lanes of a register, which are rows of a dot tile.
template <class Arch>
inline constexpr int lanes = register_bytes<Arch> / 4;

}  // namespace simd
}  // namespace trilobit::inline TRILOBIT_ABI

#include "trilobit/core/end.hpp"
