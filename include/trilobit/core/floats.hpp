// SPDX-License-Identifier: MIT
// Room core. Enters: floats, whatever the compiler was told about them, and the processor's state.
// Leaves: arithmetic whose every step is rounded to nearest even, and tests that look at bits.
//
// Engines are built with -ffast-math or -Ofast. Compilers then take reciprocals for quotients, add
// in another order, believe that nothing is NaN, infinite or -0; and GCC links code that makes the
// processor flush small numbers to zero. The same bits come out all the same: what a compiler must
// not see through passes hidden(), and the library runs inside of standard_floats.
#pragma once

#include "trilobit/version.hpp"

#include <bit>
#include <cfloat>
#include <cstdint>
#include <type_traits>

#include "trilobit/core/config.hpp"

#include "trilobit/core/begin.hpp"

#if defined(__ARM_NEON) && !defined(__aarch64__) && \
    (defined(__FAST_MATH__) || defined(__ASSOCIATIVE_MATH__))
#error "trilobit: 32-bit NEON is no IEEE arithmetic, and -ffast-math uses it. Leave that flag out."
#endif
// Below zero is clang's way to say that -ffast-math is on.
#if FLT_EVAL_METHOD > 1 && !(defined(__i386__) && defined(__GNUC__))
#error "trilobit: floats are computed in another precision. On x86 add -msse2 -mfpmath=sse."
#endif
#if FLT_EVAL_METHOD > 0 || (defined(__i386__) && !defined(__SSE2_MATH__))
#define TRILOBIT_WIDE_FLOATS 1
#else
#define TRILOBIT_WIDE_FLOATS 0
#endif

namespace trilobit::inline TRILOBIT_ABI {

/// The value, rounded to its type, of which the compiler knows nothing.
template <class T>
TRILOBIT_INLINE T hidden(T value) noexcept {
    static_assert(std::is_arithmetic_v<T>);
#if defined(_MSC_VER) && !defined(__clang__)
    const volatile T kept = value;
    return kept;
#else
#if defined(__SSE2_MATH__)
    if constexpr (std::is_floating_point_v<T>)
        __asm__("" : "+x"(value));
    else
#elif defined(__aarch64__)
    if constexpr (std::is_floating_point_v<T>)
        __asm__("" : "+w"(value));
    else
#endif
        __asm__("" : "+m"(value));
    return value;
#endif
}

/// The value, rounded to its type where registers are wider than that.
template <class T>
TRILOBIT_INLINE constexpr T rounded(T value) noexcept {
#if TRILOBIT_WIDE_FLOATS
    if (!std::is_constant_evaluated()) return hidden(value);
#endif
    return value;
}

/// A sum so far: where additions may be reordered, none is moved across. clang does not say
/// everywhere that they may; functions that add begin with TRILOBIT_ADDS_IN_ORDER as well.
template <class T>
TRILOBIT_INLINE constexpr T in_order(T value) noexcept {
#if defined(__FAST_MATH__) || defined(__ASSOCIATIVE_MATH__)
    if (!std::is_constant_evaluated()) return hidden(value);
#endif
    return rounded(value);
}
#if defined(__clang__)
#define TRILOBIT_ADDS_IN_ORDER _Pragma("clang fp reassociate(off)")
#else
#define TRILOBIT_ADDS_IN_ORDER
#endif

/// a / b as the standard rounds it, and no reciprocal's product.
template <class T>
TRILOBIT_INLINE constexpr T quotient(T a, T b) noexcept {
    if (std::is_constant_evaluated()) return a / b;
    return hidden(hidden(a) / hidden(b));
}

/// Neither NaN nor infinite, by its bits. With -ffast-math a float that is passed or returned is
/// taken for finite: hence the reference, and bits of which the compiler knows nothing.
TRILOBIT_INLINE constexpr bool is_finite(const float& value) noexcept {
    auto bits = std::bit_cast<std::uint32_t>(value);
    if (!std::is_constant_evaluated()) bits = hidden(bits);
    return (bits & 0x7f800000u) != 0x7f800000u;
}
TRILOBIT_INLINE constexpr bool is_finite(const double& value) noexcept {
    auto bits = std::bit_cast<std::uint64_t>(value);
    if (!std::is_constant_evaluated()) bits = hidden(bits);
    constexpr std::uint64_t exponent = 0x7ff0000000000000u;
    return (bits & exponent) != exponent;
}

namespace detail {

// Each: the bits of a control register that change results, and what they are as the standard has
// it.
#if defined(__SSE__) && defined(__GNUC__)
struct sse_control {
    using word = std::uint32_t;
    static constexpr word bits = 0xe040,
                          standard = 0;  // flush to zero, rounding, denormals are zeros
    TRILOBIT_INLINE static word read() noexcept {
        word now;
        __asm__ volatile("stmxcsr %0" : "=m"(now)::"memory");
        return now;
    }
    TRILOBIT_INLINE static void write(word to) noexcept {
        __asm__ volatile("ldmxcsr %0" ::"m"(to) : "memory");
    }
};
#elif defined(_M_X64)
struct sse_control {
    using word = std::uint32_t;
    static constexpr word bits = 0xe040, standard = 0;
    TRILOBIT_INLINE static word read() noexcept { return _mm_getcsr(); }
    TRILOBIT_INLINE static void write(word to) noexcept { _mm_setcsr(to); }
};
#endif
#if defined(__i386__) && defined(__GNUC__)
struct x87_control {
    using word = std::uint16_t;
    static constexpr word bits = 0x0f00, standard = 0x0200;  // precision (double) and rounding
    TRILOBIT_INLINE static word read() noexcept {
        word now;
        __asm__ volatile("fnstcw %0" : "=m"(now)::"memory");
        return now;
    }
    TRILOBIT_INLINE static void write(word to) noexcept {
        __asm__ volatile("fldcw %0" ::"m"(to) : "memory");
    }
};
#endif
#if defined(__aarch64__) && defined(__GNUC__)
struct arm_control {
    using word = std::uint64_t;
    static constexpr word bits = 0x01c00000, standard = 0;  // flush to zero, rounding
    TRILOBIT_INLINE static word read() noexcept {
        word now;
        __asm__ volatile("mrs %0, fpcr" : "=r"(now)::"memory");
        return now;
    }
    TRILOBIT_INLINE static void write(word to) noexcept {
        __asm__ volatile("msr fpcr, %0" ::"r"(to) : "memory");
    }
};
#elif defined(__arm__) && defined(__GNUC__) && defined(__ARM_FP) && !defined(__SOFTFP__)
struct arm_control {
    using word = std::uint32_t;
    static constexpr word bits = 0x01c00000, standard = 0;
    TRILOBIT_INLINE static word read() noexcept {
        word now;
        __asm__ volatile("vmrs %0, fpscr" : "=r"(now)::"memory");
        return now;
    }
    TRILOBIT_INLINE static void write(word to) noexcept {
        __asm__ volatile("vmsr fpscr, %0" ::"r"(to) : "memory");
    }
};
#endif

template <class Control>
class standard_control {
    using word = typename Control::word;
    static constexpr word bits = Control::bits;
    word was = Control::read();

    TRILOBIT_INLINE static word with(word control, word of_bits) noexcept {
        return static_cast<word>((control & ~bits) | of_bits);
    }
    [[nodiscard]] TRILOBIT_INLINE bool differs() const noexcept {
        return (was & bits) != Control::standard;
    }

public:
    TRILOBIT_INLINE standard_control() noexcept {
        if (differs()) Control::write(with(was, Control::standard));
    }
    TRILOBIT_INLINE ~standard_control() {
        // Flags that were raised meanwhile stay.
        if (differs()) Control::write(with(Control::read(), static_cast<word>(was & bits)));
    }
    standard_control(const standard_control&) = delete;
    standard_control& operator=(const standard_control&) = delete;
};

}  // namespace detail

/// While it lives, this thread rounds to nearest even and keeps subnormal numbers, and the x87 unit
/// rounds to double: 53 bits are more than twice 24 and two, so that rounding an operation on
/// floats to float afterwards gives what one rounding would.
class standard_floats {
#if (defined(__SSE__) && defined(__GNUC__)) || defined(_M_X64)
    detail::standard_control<detail::sse_control> sse;
#endif
#if defined(__i386__) && defined(__GNUC__)
    detail::standard_control<detail::x87_control> x87;
#endif
#if (defined(__aarch64__) || (defined(__arm__) && defined(__ARM_FP) && !defined(__SOFTFP__))) && \
    defined(__GNUC__)
    detail::standard_control<detail::arm_control> arm;
#endif

public:
    TRILOBIT_INLINE standard_floats() noexcept {}
    TRILOBIT_INLINE ~standard_floats() {}
    standard_floats(const standard_floats&) = delete;
    standard_floats& operator=(const standard_floats&) = delete;
};

}  // namespace trilobit::inline TRILOBIT_ABI

#include "trilobit/core/end.hpp"
