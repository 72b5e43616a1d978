// SPDX-License-Identifier: MIT
// Room simd. Enters: registers. Leaves: the primitives that kernels are written in. Each has here
// its contract and a portable default in xsimd's operators; ops_x86.hpp ranks better ones by
// concept. A new back end is one such file: what it does not specialise falls back to this one.
//
// primitive       instructions: avx512vnni  avxvnni  avx2          ssse3         sse2
// dot4                          1           1        3             3             8
// madd2                         1           1        1             1             -
// widen_add                     2           2        2             2             2
// popcount_bytes                1           5        5             5             10
// lookup128                     1           17       17            17            (memory)
// scale_add                     2           2        2             2             2
#pragma once

#include <bit>
#include <cstddef>
#include <cstring>

#include "trilobit/core/config.hpp"
#include "trilobit/core/float16.hpp"
#include "trilobit/simd/arch.hpp"

namespace trilobit::simd {

/// Does dot4 take all of u8 x i8 exactly (true), or only pairs of products whose sum fits int16?
template <class Arch>
inline constexpr bool exact_dot4 = true;
template <has_ssse3 Arch>
inline constexpr bool exact_dot4<Arch> = false;
template <has_avxvnni Arch>
inline constexpr bool exact_dot4<Arch> = true;
template <has_avx512vnni Arch>
inline constexpr bool exact_dot4<Arch> = true;

/// Is staging in int16 (madd2, then widen_add once in a while) cheaper than dot4?
template <class Arch>
inline constexpr bool prefers_madd2 = has_ssse3<Arch> && !exact_dot4<Arch>;

template <class Arch>
TRILOBIT_INLINE u8<Arch> load(const std::byte* from) noexcept {
    return u8<Arch>::load_aligned(reinterpret_cast<const std::uint8_t*>(from));
}

/// Asks for a cache line that will be read soon; any address will do.
template <class Arch>
TRILOBIT_INLINE void prefetch(const std::byte* line) noexcept {
#if defined(__GNUC__)
    __builtin_prefetch(line);
#else
    (void)line;
#endif
}

/// Four bytes, any alignment, to every 32-bit lane.
template <class Arch>
TRILOBIT_INLINE u8<Arch> broadcast4(const void* from) noexcept {
    std::int32_t word;
    std::memcpy(&word, from, sizeof word);
    return xsimd::bitwise_cast<std::uint8_t>(i32<Arch>(word));
}

/// 16-bit lanes shifted right by N; mask afterwards what crossed between bytes.
template <int N, class Arch>
TRILOBIT_INLINE u8<Arch> shift_right(u8<Arch> v) noexcept {
    return xsimd::bitwise_cast<std::uint8_t>(xsimd::bitwise_cast<std::uint16_t>(v) >> N);
}

// ---- portable defaults -------------------------------------------------------------------------
// A primary struct with one static function, specialised by concepts: partial specialisations are
// ordered by subsumption, which overloads with defaulted tags would not give us.

/// sum[lane] += u[4 lane + t] * s[4 lane + t] for t = 0..3; u unsigned, s signed bytes.
template <class Arch>
struct dot4_op {
    TRILOBIT_INLINE static i32<Arch> call(i32<Arch> sum, u8<Arch> u, u8<Arch> s) noexcept {
        const auto ulanes = xsimd::bitwise_cast<std::int32_t>(u);
        const auto slanes = xsimd::bitwise_cast<std::int32_t>(s);
        const i32<Arch> byte(0xff);
        sum += (ulanes & byte) * ((slanes << 24) >> 24);
        sum += ((ulanes >> 8) & byte) * ((slanes << 16) >> 24);
        sum += ((ulanes >> 16) & byte) * ((slanes << 8) >> 24);
        return sum + ((ulanes >> 24) & byte) * (slanes >> 24);
    }
};

/// lane[i] = u[2i] * s[2i] + u[2i+1] * s[2i+1], saturated to int16.
template <class Arch>
struct madd2_op;

/// sum[lane] += v[2 lane] + v[2 lane + 1]
template <class Arch>
struct widen_add_op {
    TRILOBIT_INLINE static i32<Arch> call(i32<Arch> sum, i16<Arch> v) noexcept {
        const auto pairs = xsimd::bitwise_cast<std::int32_t>(v);
        return sum + ((pairs << 16) >> 16) + (pairs >> 16);
    }
};

/// Ones in each byte.
template <class Arch>
struct popcount_bytes_op {
    TRILOBIT_INLINE static u8<Arch> call(u8<Arch> v) noexcept {
        const u8<Arch> ones(0x55), twos(0x33), fours(0x0f);
        v = v - (shift_right<1, Arch>(v) & ones);
        v = (v & twos) + (shift_right<2, Arch>(v) & twos);
        return (v + shift_right<4, Arch>(v)) & fours;
    }
};

/// out[i] = index[i] is a signed byte; table[|index[i]|], negated where index[i] < 0. The table has
/// 128 entries, none of them -128; |index| <= 127 (-128 reads some entry of the table).
template <class Arch>
struct lookup128_op {
    TRILOBIT_INLINE static i8<Arch> call(const std::int8_t* table, u8<Arch> index) noexcept {
        alignas(64) std::uint8_t bytes[register_bytes<Arch>];
        alignas(64) std::int8_t out[register_bytes<Arch>];
        index.store_aligned(bytes);
        for (int i = 0; i < register_bytes<Arch>; ++i) {
            const int code = static_cast<std::int8_t>(bytes[i]);
            const std::int8_t entry = table[(code < 0 ? -code : code) & 127];
            out[i] = static_cast<std::int8_t>(code < 0 ? -entry : entry);
        }
        return i8<Arch>::load_aligned(out);
    }
};

/// sum[i] += float(acc[i]) * scale[i] * by, in this order and with each step rounded.
template <class Arch>
struct scale_add_op {
    static constexpr int width = lanes<Arch>;
    TRILOBIT_INLINE static void call(float* sum, const std::int32_t* acc, const float* scale,
                                     float by) noexcept {
        const auto factor = f32<Arch>::load_aligned(scale) * f32<Arch>(by);
        auto product = xsimd::batch_cast<float>(i32<Arch>::load_aligned(acc)) * factor;
        TRILOBIT_COMPILER_BARRIER(product);
        (f32<Arch>::load_aligned(sum) + product).store_aligned(sum);
    }
};

/// Sixteen half floats, any alignment, to aligned floats.
template <class Arch>
struct load_f16_op {
    TRILOBIT_INLINE static void call(const std::uint16_t* from, float* to) noexcept {
        for (int i = 0; i < 16; ++i) to[i] = f16_to_f32(from[i]);
    }
};

/// Keeps an accumulator in the register it is in; changes nothing.
template <class Arch>
struct pin_op {
    template <class Register>
    TRILOBIT_INLINE static void call(Register&) noexcept {}
};

template <class Arch, class Register>
TRILOBIT_INLINE void pin(Register& r) noexcept {
    pin_op<Arch>::call(r);
}
template <class Arch>
TRILOBIT_INLINE i32<Arch> dot4(i32<Arch> sum, u8<Arch> u, u8<Arch> s) noexcept {
    return dot4_op<Arch>::call(sum, u, s);
}
template <class Arch>
TRILOBIT_INLINE i16<Arch> madd2(u8<Arch> u, u8<Arch> s) noexcept {
    return madd2_op<Arch>::call(u, s);
}
template <class Arch>
TRILOBIT_INLINE i32<Arch> widen_add(i32<Arch> sum, i16<Arch> v) noexcept {
    return widen_add_op<Arch>::call(sum, v);
}
template <class Arch>
TRILOBIT_INLINE u8<Arch> popcount_bytes(u8<Arch> v) noexcept {
    return popcount_bytes_op<Arch>::call(v);
}
template <class Arch>
TRILOBIT_INLINE i8<Arch> lookup128(const std::int8_t* table, u8<Arch> index) noexcept {
    return lookup128_op<Arch>::call(table, index);
}
/// Sixteen rows at once: what a dot tile holds. All pointers 64-byte aligned.
template <class Arch>
TRILOBIT_INLINE void scale_add16(float* sum, const std::int32_t* acc, const float* scale,
                                 float by) noexcept {
    for (int i = 0; i < 16; i += lanes<Arch>)
        scale_add_op<Arch>::call(sum + i, acc + i, scale + i, by);
}
template <class Arch>
TRILOBIT_INLINE void load_f16x16(const std::uint16_t* from, float* to) noexcept {
    load_f16_op<Arch>::call(from, to);
}

}  // namespace trilobit::simd

#if defined(__SSE2__) || defined(_M_X64)
#include "trilobit/simd/ops_x86.hpp"
#endif
