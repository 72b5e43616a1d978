// SPDX-License-Identifier: MIT
// Room simd. Enters: the compiler's vector types. Leaves: registers of any width with the operators
// and functions that kernels use, for machines other than x86. There xsimd is no help: with GCC its
// versions before 14.2 call a function for each addition of integers on AArch64, and it looks bytes
// up one by one on WebAssembly and RISC-V. GCC and clang turn each operator into one instruction.
#pragma once

#include "trilobit/version.hpp"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <utility>

#include "trilobit/core/config.hpp"

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI::simd {

/// Names registers of so many bytes, where a back end of xsimd has an architecture of its.
template <int Bytes>
struct vectors {};

#if defined(__GNUC__)

/// By itself: inside of vec GCC takes the type for T.
template <class T, int Bytes>
struct vector_type {
    typedef T type __attribute__((vector_size(Bytes)));
};

template <class T, int Bytes>
struct vec {
    using value_type = T;
    using native = typename vector_type<T, Bytes>::type;
    using mask = decltype(native{} == native{});
    static constexpr std::size_t size = Bytes / sizeof(T);
    native data;

    vec() = default;
    /// Less zero, not plus: -0.0 stays what it is.
    TRILOBIT_INLINE vec(T value) noexcept : data(value - native{}) {}
    TRILOBIT_INLINE vec(native value) noexcept : data(value) {}
    TRILOBIT_INLINE operator native() const noexcept { return data; }

    TRILOBIT_INLINE static vec load_unaligned(const T* from) noexcept {
        vec v;
        std::memcpy(&v.data, from, Bytes);
        return v;
    }
    TRILOBIT_INLINE static vec load_aligned(const T* from) noexcept {
        vec v;
        std::memcpy(&v.data, __builtin_assume_aligned(from, Bytes), Bytes);
        return v;
    }
    TRILOBIT_INLINE void store_aligned(T* to) const noexcept {
        std::memcpy(__builtin_assume_aligned(to, Bytes), &data, Bytes);
    }

    TRILOBIT_INLINE friend vec operator+(vec a, vec b) noexcept { return a.data + b.data; }
    TRILOBIT_INLINE friend vec operator-(vec a, vec b) noexcept { return a.data - b.data; }
    TRILOBIT_INLINE friend vec operator*(vec a, vec b) noexcept { return a.data * b.data; }
    TRILOBIT_INLINE friend vec operator&(vec a, vec b) noexcept { return a.data & b.data; }
    TRILOBIT_INLINE friend vec operator|(vec a, vec b) noexcept { return a.data | b.data; }
    TRILOBIT_INLINE friend vec operator^(vec a, vec b) noexcept { return a.data ^ b.data; }
    TRILOBIT_INLINE friend vec operator~(vec a) noexcept { return ~a.data; }
    TRILOBIT_INLINE friend vec operator<<(vec a, int n) noexcept {
        return a.data << static_cast<T>(n);
    }
    TRILOBIT_INLINE friend vec operator>>(vec a, int n) noexcept {
        return a.data >> static_cast<T>(n);
    }
    TRILOBIT_INLINE vec& operator+=(vec b) noexcept { return *this = *this + b; }
    TRILOBIT_INLINE vec& operator-=(vec b) noexcept { return *this = *this - b; }
    TRILOBIT_INLINE friend mask operator==(vec a, vec b) noexcept { return a.data == b.data; }
    TRILOBIT_INLINE friend mask operator<(vec a, vec b) noexcept { return a.data < b.data; }
    TRILOBIT_INLINE friend mask operator>(vec a, vec b) noexcept { return a.data > b.data; }
};

template <class To, class From, int Bytes>
TRILOBIT_INLINE vec<To, Bytes> bitwise_cast(vec<From, Bytes> v) noexcept {
    vec<To, Bytes> out;
    std::memcpy(&out.data, &v.data, Bytes);
    return out;
}
/// Of int32 to the nearest float.
template <class To, class From, int Bytes>
TRILOBIT_INLINE vec<To, Bytes> batch_cast(vec<From, Bytes> v) noexcept {
    return __builtin_convertvector(v.data, typename vec<To, Bytes>::native);
}
template <class T, int Bytes>
TRILOBIT_INLINE vec<T, Bytes> select(typename vec<T, Bytes>::mask m, vec<T, Bytes> a,
                                     vec<T, Bytes> b) noexcept {
    return m ? a.data : b.data;
}
template <class T, int Bytes>
TRILOBIT_INLINE vec<T, Bytes> min(vec<T, Bytes> a, vec<T, Bytes> b) noexcept {
    return a.data < b.data ? a.data : b.data;
}
template <class T, int Bytes>
TRILOBIT_INLINE vec<T, Bytes> abs(vec<T, Bytes> v) noexcept {
    return v.data < T{0} ? -v.data : v.data;
}
/// v + 1 where m holds, whose lanes are -1 there.
template <class T, int Bytes>
TRILOBIT_INLINE vec<T, Bytes> incr_if(vec<T, Bytes> v, typename vec<T, Bytes>::mask m) noexcept {
    return v - bitwise_cast<T>(vec<std::remove_cvref_t<decltype(m[0])>, Bytes>(m));
}
template <class Mask>
    requires(!std::is_class_v<Mask> && sizeof(Mask) >= 16)
TRILOBIT_INLINE bool any(Mask m) noexcept {
    std::uint64_t word[sizeof m / 8], all = 0;
    std::memcpy(word, &m, sizeof m);
    for (const std::uint64_t w : word) all |= w;
    return all != 0;
}
template <class T, int Bytes>
TRILOBIT_INLINE T reduce_add(vec<T, Bytes> v) noexcept {
    T sum = 0;
    for (std::size_t i = 0; i < v.size; ++i) sum += v.data[i];
    return sum;
}

/// Lane i of the result is lane Index::of(i) of a and b, one behind the other.
template <class Index, class T, int Bytes>
TRILOBIT_INLINE vec<T, Bytes> shuffle(vec<T, Bytes> a, vec<T, Bytes> b) noexcept {
    return [&]<std::size_t... I>(std::index_sequence<I...>) TRILOBIT_LAMBDA_INLINE {
        return vec<T, Bytes>(__builtin_shufflevector(
            a.data, b.data, Index::of(static_cast<int>(I), static_cast<int>(sizeof...(I)))...));
    }(std::make_index_sequence<vec<T, Bytes>::size>{});
}
struct low_halves_in_turns {
    static constexpr int of(int i, int size) noexcept { return i / 2 + i % 2 * size; }
};
struct high_halves_in_turns {
    static constexpr int of(int i, int size) noexcept { return (size + i) / 2 + i % 2 * size; }
};
/// Sixteen lanes at a time: the even or odd ones of a, then those of b.
template <int Odd>
struct every_second_of_16 {
    static constexpr int of(int i, int size) noexcept {
        return i / 16 * 16 + 2 * (i % 8) + Odd + i % 16 / 8 * size;
    }
};
template <class T, int Bytes>
TRILOBIT_INLINE vec<T, Bytes> zip_lo(vec<T, Bytes> a, vec<T, Bytes> b) noexcept {
    return shuffle<low_halves_in_turns>(a, b);
}
template <class T, int Bytes>
TRILOBIT_INLINE vec<T, Bytes> zip_hi(vec<T, Bytes> a, vec<T, Bytes> b) noexcept {
    return shuffle<high_halves_in_turns>(a, b);
}
/// v[0..size-1], as many as a register has lanes.
template <class T, int Bytes>
TRILOBIT_INLINE void transpose(vec<T, Bytes>* v, vec<T, Bytes>*) noexcept {
    constexpr int size = static_cast<int>(vec<T, Bytes>::size);
    // Rounds of interleaving the first half of the registers with the second.
    vec<T, Bytes> turned[size];
    TRILOBIT_UNROLL
    for (int round = 1; round < size; round *= 2) {
        TRILOBIT_UNROLL
        for (int i = 0; i < size / 2; ++i) {
            turned[2 * i] = zip_lo(v[i], v[i + size / 2]);
            turned[2 * i + 1] = zip_hi(v[i], v[i + size / 2]);
        }
        TRILOBIT_UNROLL
        for (int i = 0; i < size; ++i) v[i] = turned[i];
    }
}

#endif

}  // namespace trilobit::inline TRILOBIT_ABI::simd

#include "trilobit/core/end.hpp"
