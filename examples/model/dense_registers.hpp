// SPDX-License-Identifier: MIT
// Room examples/model. Enters: an instruction set of the library. Leaves: its registers of floats,
// and the few things about them that the compiler's vector types cannot say. Portable here,
// dense_x86.hpp has instructions for them.
//
// Every function has the instruction set in its name: the linker would merge others with copies
// that were compiled for another processor.
#pragma once

#include <trilobit/core/config.hpp>
#include <trilobit/core/floats.hpp>
#include <trilobit/simd/arch.hpp>

#include "model/dense_kernels.hpp"

#if TRILOBIT_WIDE_FLOATS
#error "the runner's sums need floats that are rounded to float. On x86 add -msse2 -mfpmath=sse."
#endif
// g++ leaves floats to the scalar unit; clang gives vectors of them to NEON, which flushes
// subnormal
// numbers to zero: half floats among the weights then have other values.
#if defined(__clang__) && defined(__ARM_NEON) && !defined(__aarch64__)
#error "32-bit NEON is no IEEE arithmetic, and clang would use it. Add -mfpu=vfpv3-d16."
#endif

namespace tbx::model::dense {

// These two are inlined whatever the optimiser is told, so that none of them is left to merge.

template <class T>
[[gnu::always_inline]] inline T load(const void* from) noexcept {
    T value;
    __builtin_memcpy(&value, from, sizeof value);
    return value;
}

template <class To, class From>
[[gnu::always_inline]] inline To bits(From from) noexcept {
    static_assert(sizeof(To) == sizeof(From));
    To to;
    __builtin_memcpy(&to, &from, sizeof to);
    return to;
}

/// How far in front of what is computed a single row fetches. Left to the hardware, one thread read
/// a head of 128256 x 2560 at 11 GB/s in F16 and 4.6 in Q8_0; so at 13.5 and 10.2, where plain
/// reading gave 13 (one core of a shared Sapphire Rapids).
inline constexpr std::int64_t read_ahead = 4096;

template <class Arch>
struct registers {
    static constexpr int bytes = trilobit::simd::register_bytes<Arch>;
    static constexpr int size = bytes / 4;  // floats

    typedef float floats __attribute__((vector_size(bytes)));
    typedef std::int32_t integers __attribute__((vector_size(bytes)));
    typedef std::uint32_t words __attribute__((vector_size(bytes)));
    typedef std::uint16_t halves __attribute__((vector_size(bytes / 2)));
    typedef std::uint8_t octets __attribute__((vector_size(bytes)));
    // No more than 16, or 32, whatever a register holds: beside them in a row lie other numbers.
    typedef std::uint8_t octets_of_16 __attribute__((vector_size(16)));
    typedef std::uint8_t octets_of_32 __attribute__((vector_size(bytes < 32 ? bytes : 32)));

    /// 32 floats: two to eight registers, enough chains to hide the latency of an addition.
    struct lanes {
        static constexpr int count = 32;
        static constexpr int registers = count / size;
        floats reg[registers];
    };

    /// As an integer, because it may point behind the array.
    TRILOBIT_INLINE static void prefetch(const void* from, std::int64_t ahead) noexcept {
        const auto address =
            reinterpret_cast<std::uintptr_t>(from) + static_cast<std::uintptr_t>(ahead);
        __builtin_prefetch(reinterpret_cast<const void*>(address));
    }
};

template <class Arch>
struct portable_numbers : registers<Arch> {
    using typename registers<Arch>::floats, typename registers<Arch>::words,
        typename registers<Arch>::halves, typename registers<Arch>::octets;

    TRILOBIT_INLINE static floats half_to_float(const void* from) noexcept {
        const words half = __builtin_convertvector(load<halves>(from), words);
        const words sign = (half & 0x8000u) << 16;
        // A half read as a float's top bits is 2^112 too small; multiplying is exact and puts
        // subnormals right as well.
        const floats magnitude = bits<floats>((half & 0x7fffu) << 13) * 0x1p112f;
        const words special = bits<words>((half & 0x7c00u) == 0x7c00u) & 0x7f800000u;
        return bits<floats>(bits<words>(magnitude) | special | sign);
    }
    TRILOBIT_INLINE static float half_scalar(const std::byte* from) noexcept {
        const auto half = std::uint32_t{load<std::uint16_t>(from)};
        const float magnitude = bits<float>((half & 0x7fffu) << 13) * 0x1p112f;
        const std::uint32_t special = (half & 0x7c00u) == 0x7c00u ? 0x7f800000u : 0u;
        return bits<float>(bits<std::uint32_t>(magnitude) | special | (half & 0x8000u) << 16);
    }
    /// The half at `from` in every lane.
    TRILOBIT_INLINE static floats half_everywhere(const std::byte* from) noexcept {
        return floats{} + half_scalar(from);
    }
    TRILOBIT_INLINE static floats int8_to_float(const std::int8_t* from) noexcept {
        floats value;
        for (int i = 0; i < registers<Arch>::size; ++i) value[i] = static_cast<float>(from[i]);
        return value;
    }
    /// Of 32 bytes, and then the same shifted right by two, the register that begins with number
    /// `first`. Bits may come over from the byte beside.
    TRILOBIT_INLINE static octets shifted_twice(const std::byte* from, int first) noexcept {
        const octets some = load<octets>(from + first % 32);
        return first < 32 ? some : some >> 2;
    }
    /// A beginning of the sum of w[i] * x[i]; `done` becomes its length.
    TRILOBIT_INLINE static std::int32_t dot_int8(const std::int8_t*, const std::int16_t*,
                                                 std::int64_t, std::int64_t& done) noexcept {
        done = 0;
        return 0;
    }
};

/// The best that there is for an instruction set.
template <class Arch>
struct numbers : portable_numbers<Arch> {};

}  // namespace tbx::model::dense

// Some of its instructions are not there in 32-bit programs, for which no such back end is built.
#if defined(__x86_64__)
#include "model/dense_x86.hpp"
#endif
