// SPDX-License-Identifier: MIT
// Room simd. Enters: registers. Leaves: the primitives that kernels are written in, by whichever
// instruction is best. Contracts: defaults.hpp. What each costs: docs/kernels.md.
#pragma once

#include "trilobit/version.hpp"

#include "trilobit/simd/defaults.hpp"

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI::simd {

template <class Arch, class Register>
TRILOBIT_INLINE void pin(Register& r) noexcept {
    pin_op<Arch>::call(r);
}
template <class Arch, class T, class Register>
TRILOBIT_INLINE void load_after(const T*& p, Register& before) noexcept {
    load_after_op<Arch>::call(p, before);
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
TRILOBIT_INLINE i32<Arch> dot2(i32<Arch> sum, i16<Arch> a, i16<Arch> b) noexcept {
    return dot2_op<Arch>::call(sum, a, b);
}
/// sum[lane] += v[2 lane] + v[2 lane + 1]
template <class Arch>
TRILOBIT_INLINE i32<Arch> widen_add(i32<Arch> sum, i16<Arch> v) noexcept {
    return dot2<Arch>(sum, v, i16<Arch>(std::int16_t{1}));
}
template <class Arch>
TRILOBIT_INLINE u8<Arch> masked_xor(u8<Arch> mask, u8<Arch> a, u8<Arch> b) noexcept {
    return masked_xor_op<Arch>::call(mask, a, b);
}
template <class Arch>
TRILOBIT_INLINE u8<Arch> popcount_bytes(u8<Arch> v) noexcept {
    return popcount_bytes_op<Arch>::call(v);
}
template <class Arch>
TRILOBIT_INLINE u8<Arch> lookup16(const std::uint8_t* table, u8<Arch> index) noexcept {
    return lookup16_op<Arch>::call(table, index);
}
template <class Arch>
TRILOBIT_INLINE u8<Arch> index64(u8<Arch> v) noexcept {
    return index64_op<Arch>::call(v);
}
template <class Arch>
TRILOBIT_INLINE u8<Arch> lookup64(const std::uint8_t* table, u8<Arch> index) noexcept {
    return lookup64_op<Arch>::call(table, index);
}
template <class Arch>
TRILOBIT_INLINE void interleave4(u8<Arch>* v) noexcept {
    interleave4_op<Arch>::call(v);
}
template <class Arch>
TRILOBIT_INLINE u8<Arch> add_signed(u8<Arch> sum, u8<Arch> value, u8<Arch> sign) noexcept {
    return add_signed_op<Arch>::call(sum, value, sign);
}
template <class Arch>
TRILOBIT_INLINE u8<Arch> sign_of(u8<Arch> v) noexcept {
    return sign_of_op<Arch>::call(v);
}
template <class Arch>
TRILOBIT_INLINE u8<Arch> zero_where_equal(u8<Arch> v, u8<Arch> a, u8<Arch> b) noexcept {
    return zero_where_equal_op<Arch>::call(v, a, b);
}
template <class Arch>
TRILOBIT_INLINE void load_every_fourth(const std::byte* from, std::int64_t stride,
                                       u8<Arch>* v) noexcept {
    load_every_fourth_op<Arch>::call(from, stride, v);
}
template <class Arch>
TRILOBIT_INLINE void transpose8(const std::int16_t* from, std::int64_t from_stride,
                                std::int16_t* to, std::int64_t to_stride) noexcept {
    transpose8_op<Arch>::call(from, from_stride, to, to_stride);
}
template <class Arch>
TRILOBIT_INLINE void interleave4(i32<Arch>* v) noexcept {
    interleave4_i32_op<Arch>::call(v);
}
/// float(acc) * (scale * by), each step rounded, whatever the compiler may do to products and sums.
template <class Arch>
TRILOBIT_INLINE f32<Arch> times_scales(i32<Arch> acc, f32<Arch> scale, f32<Arch> by) noexcept {
    auto factor = scale * by;
    keep_rounded_op<Arch>::call(factor);
    auto product = batch_cast<float>(acc) * factor;
    keep_rounded_op<Arch>::call(product);
    return product;
}
/// sum[i] += float(acc[i]) * (scale[i] * by), each step rounded, for a register. Pointers are
/// 64-byte aligned.
template <class Arch>
TRILOBIT_INLINE void scale_add(float* sum, i32<Arch> acc, const float* scale, float by) noexcept {
    const auto product = times_scales<Arch>(acc, f32<Arch>::load_aligned(scale), f32<Arch>(by));
    (f32<Arch>::load_aligned(sum) + product).store_aligned(sum);
}
/// The same for sixteen rows.
template <class Arch>
TRILOBIT_INLINE void scale_add16(float* sum, const std::int32_t* acc, const float* scale,
                                 float by) noexcept {
    for (int i = 0; i < 16; i += lanes<Arch>)
        scale_add<Arch>(sum + i, i32<Arch>::load_aligned(acc + i), scale + i, by);
}
template <class Arch>
TRILOBIT_INLINE void load_f16x16(const std::uint16_t* from, float* to) noexcept {
    load_f16_op<Arch>::call(from, to);
}

}  // namespace trilobit::inline TRILOBIT_ABI::simd

#include "trilobit/core/end.hpp"
