// SPDX-License-Identifier: MIT
// Room kernel. Enters: bytes found by lookups, each too large by as much as makes it positive.
// Leaves: their sums, as int16 and then as int32: what the ways of looking up in tables of bytes
// share.
//
// Bytes are added in pairs, as int16, and once more shifted by a byte: one byte of each pair lies
// in the latter alone, the other is what remains of the former. In the order of the machine: of
// bytes 0 and 1 the one in the upper half is byte 1 where the least significant byte comes first.
#pragma once

#include "trilobit/version.hpp"

#include "trilobit/core/endian.hpp"
#include "trilobit/simd/ops.hpp"

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI::kernel {

/// Sums of a register of rows: of bytes in pairs, and of the upper ones alone. In a struct GCC kept
/// them in memory.
template <class Arch>
TRILOBIT_INLINE void add_bytes(simd::u8<Arch> few, simd::u16<Arch>& pairs,
                               simd::u16<Arch>& upper) noexcept {
    const auto two = xsimd::bitwise_cast<std::uint16_t>(few);
    pairs += two;
    upper += two >> 8;
    simd::pin<Arch>(pairs);
    simd::pin<Arch>(upper);
}

/// rows[j] += weight times the sum of byte 4 i + j, less what it is too large by, in lane i.
template <class Arch>
TRILOBIT_INLINE void add_to_int32(simd::u16<Arch> pairs, simd::u16<Arch> upper, std::int16_t more,
                                  int weight, simd::i32<Arch>* rows) noexcept {
    using namespace simd;
    const i16<Arch> too_large(more);
    const u16<Arch> lower = pairs - (upper << 8);
    const auto even = xsimd::bitwise_cast<std::int16_t>(little_endian ? lower : upper) - too_large;
    const auto odd = xsimd::bitwise_cast<std::int16_t>(little_endian ? upper : lower) - too_large;
    const i32<Arch> low_half(weight), high_half(weight << 16);
    const auto first = xsimd::bitwise_cast<std::int16_t>(little_endian ? low_half : high_half);
    const auto second = xsimd::bitwise_cast<std::int16_t>(little_endian ? high_half : low_half);
    rows[0] = dot2<Arch>(rows[0], even, first);
    rows[1] = dot2<Arch>(rows[1], odd, first);
    rows[2] = dot2<Arch>(rows[2], even, second);
    rows[3] = dot2<Arch>(rows[3], odd, second);
}

}  // namespace trilobit::inline TRILOBIT_ABI::kernel

#include "trilobit/core/end.hpp"
