// SPDX-License-Identifier: MIT
// Room kernel. Enters: bytes found by lookups, each too large by as much as makes it positive. Leaves:
// their sums, as int16 and then as int32: what the ways of looking up in tables of bytes share.
//
// Bytes are added in pairs, as int16, and once more shifted by a byte: odd bytes lie in the latter alone,
// even ones are what remains of the former.
#pragma once

#include "trilobit/version.hpp"

#include "trilobit/simd/ops.hpp"

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI::kernel {

/// Sums of a register of rows: of bytes in pairs, and of the odd ones alone. In a struct GCC kept them in
/// memory.
template <class Arch>
TRILOBIT_INLINE void add_bytes(simd::u8<Arch> few, simd::u16<Arch>& pairs,
                               simd::u16<Arch>& odd) noexcept {
    const auto two = xsimd::bitwise_cast<std::uint16_t>(few);
    pairs += two;
    odd += two >> 8;
    simd::pin<Arch>(pairs);
    simd::pin<Arch>(odd);
}

/// rows[j] += weight times the sum of byte 4 i + j, less what it is too large by, in lane i.
template <class Arch>
TRILOBIT_INLINE void add_to_int32(simd::u16<Arch> pairs, simd::u16<Arch> odd, std::int16_t more,
                                  int weight, simd::i32<Arch>* rows) noexcept {
    using namespace simd;
    const i16<Arch> too_large(more);
    const u16<Arch> even_bytes = pairs - (odd << 8);
    const auto even = xsimd::bitwise_cast<std::int16_t>(even_bytes) - too_large;
    const auto uneven = xsimd::bitwise_cast<std::int16_t>(odd) - too_large;
    const auto lower = xsimd::bitwise_cast<std::int16_t>(i32<Arch>(weight));
    const auto upper = xsimd::bitwise_cast<std::int16_t>(i32<Arch>(weight << 16));
    rows[0] = dot2<Arch>(rows[0], even, lower);
    rows[1] = dot2<Arch>(rows[1], uneven, lower);
    rows[2] = dot2<Arch>(rows[2], even, upper);
    rows[3] = dot2<Arch>(rows[3], uneven, upper);
}

}  // namespace trilobit::inline TRILOBIT_ABI::kernel

#include "trilobit/core/end.hpp"
