// SPDX-License-Identifier: MIT
// Room formats. F32, F16 and BF16: numbers one after the other.
#pragma once

#include "formats/dense.hpp"

namespace tbx::formats {

namespace detail {

inline void read_f32(const std::byte* from, float* to) noexcept { *to = load_as<float>(from); }
inline void read_f16(const std::byte* from, float* to) noexcept { *to = load_f16(from); }
inline void read_bf16(const std::byte* from, float* to) noexcept {
    *to = trilobit::bf16_to_f32(load_as<std::uint16_t>(from));
}
inline fault write_f32(const float* from, std::byte* to) noexcept {
    store_as(to, *from);
    return fault::none;
}
inline fault write_f16(const float* from, std::byte* to) noexcept {
    return half_of(*from, to) ? fault::none : fault::scale;
}
inline fault write_bf16(const float* from, std::byte* to) noexcept {
    const std::uint16_t brain = trilobit::f32_to_bf16(*from);
    store_as(to, brain);
    const float stored = trilobit::bf16_to_f32(brain);
    return support::is_finite(*from) && !support::is_finite(stored) ? fault::scale : fault::none;
}

}  // namespace detail

inline constexpr dense_format f32{
    "F32", 1, 4, stored::f32, 1, 0, &detail::read_f32, &detail::write_f32};
inline constexpr dense_format f16{
    "F16", 1, 2, stored::f16, 1, 0, &detail::read_f16, &detail::write_f16};
inline constexpr dense_format bf16{
    "BF16", 1, 2, stored::bf16, 1, 0, &detail::read_bf16, &detail::write_bf16};

}  // namespace tbx::formats
