// SPDX-License-Identifier: MIT
// Room simd. Enters: bytes. Leaves: registers of them, loaded, stored and shifted, the same on
// every back end; and hints that keep a compiler from better ideas.
#pragma once

#include "trilobit/version.hpp"

#include <cstddef>
#include <cstring>

#include "trilobit/core/config.hpp"
#include "trilobit/simd/machine.hpp"

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI::simd {

template <class Arch>
TRILOBIT_INLINE u8<Arch> load(const std::byte* from) noexcept {
    return u8<Arch>::load_aligned(reinterpret_cast<const std::uint8_t*>(from));
}

template <class Arch>
TRILOBIT_INLINE void store(u8<Arch> v, std::byte* to) noexcept {
    v.store_aligned(reinterpret_cast<std::uint8_t*>(to));
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

/// What was loaded through `p` is loaded again when it is next wanted: where that costs less than
/// the registers that would keep it.
template <class Arch, class T>
TRILOBIT_INLINE void forget_loads(const T*& p) noexcept {
#if defined(__GNUC__)
    __asm__("" : "+r"(p));
#else
    (void)p;
#endif
}

/// p += n. GCC works out where all tokens lie before it comes to the first, and has no registers
/// for that.
template <class T>
TRILOBIT_INLINE void advance(T*& p, std::int64_t n) noexcept {
    p += n;
#if defined(__GNUC__)
    __asm__("" : "+r"(p));
#endif
}

/// offset[m] = m * stride, each a number that the compiler knows nothing of: an address is the sum
/// of two registers. GCC steps from one token to the next, and these additions take turns from
/// vectors.
template <int Count>
TRILOBIT_INLINE void token_offsets(std::int64_t stride, std::int64_t (&offset)[Count]) noexcept {
    TRILOBIT_UNROLL
    for (int m = 0; m < Count; ++m) {
        offset[m] = m * stride;
#if defined(__GNUC__)
        if (m > 0) __asm__("" : "+r"(offset[m]));
#endif
    }
}

/// Four bytes, any alignment, to every 32-bit lane.
template <class Arch>
TRILOBIT_INLINE u8<Arch> broadcast4(const void* from) noexcept {
    std::int32_t word;
    std::memcpy(&word, from, sizeof word);
    return bitwise_cast<std::uint8_t>(i32<Arch>(word));
}

/// 16-bit lanes shifted by N; mask afterwards what crossed between bytes.
template <int N, class Arch>
TRILOBIT_INLINE u8<Arch> shift_right(u8<Arch> v) noexcept {
    return bitwise_cast<std::uint8_t>(bitwise_cast<std::uint16_t>(v) >> N);
}
template <int N, class Arch>
TRILOBIT_INLINE u8<Arch> shift_left(u8<Arch> v) noexcept {
    return bitwise_cast<std::uint8_t>(bitwise_cast<std::uint16_t>(v) << N);
}

/// out[c] = bits 2c+1..2c
template <class Arch>
TRILOBIT_INLINE void split_fields(u8<Arch> four, u8<Arch>* out) noexcept {
    const u8<Arch> three(std::uint8_t{3});
    out[0] = four & three;
    out[1] = shift_right<2, Arch>(four) & three;
    out[2] = shift_right<4, Arch>(four) & three;
    out[3] = shift_right<6, Arch>(four) & three;
}

}  // namespace trilobit::inline TRILOBIT_ABI::simd

#include "trilobit/core/end.hpp"
