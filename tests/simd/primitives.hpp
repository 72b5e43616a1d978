// SPDX-License-Identifier: MIT
// Shared by the simd tests. Enters: nothing. Leaves: the primitives of one back end as functions on
// plain memory, so that a program compiled for any machine can call those it has.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace simd_test {

/// All pointers are 64-byte aligned and hold `width` bytes (or as many lanes) unless said
/// otherwise.
struct primitives {
    std::string_view name;
    int width;  // bytes of a register
    bool exact_dot4, sums_in_int16;
    void (*dot4)(std::int32_t* sum, const std::uint8_t* u, const std::int8_t* s);
    void (*madd2)(const std::uint8_t* u, const std::int8_t* s, std::int16_t* out);
    void (*widen_add)(std::int32_t* sum, const std::int16_t* v);
    void (*popcount_bytes)(const std::uint8_t* v, std::uint8_t* out);
    void (*dot2)(std::int32_t* sum, const std::int16_t* a, const std::int16_t* b);
    void (*masked_xor)(const std::uint8_t* mask, const std::uint8_t* a, const std::uint8_t* b,
                       std::uint8_t* out);
    void (*add_signed)(std::uint8_t* sum, const std::uint8_t* value, const std::uint8_t* sign);
    /// Of bit 7.
    void (*add_by_sign)(std::uint8_t* sum, const std::uint8_t* value, const std::uint8_t* sign);
    void (*zero_where_equal)(std::uint8_t* v, const std::uint8_t* a, const std::uint8_t* b);
    void (*lookup64)(const std::uint8_t* table, const std::uint8_t* index, std::uint8_t* out);
    void (*base3_sum)(const std::int8_t* x, int more, const std::uint8_t* codes,
                      std::uint8_t* out);                                // 8 readable at x
    void (*base3_digits)(const std::uint8_t* codes, std::uint8_t* out);  // 5 times width
    void (*interleave4)(std::uint8_t* v);                                // 4 times width
    /// Four times width come out; four blocks of 64 bytes, `stride` apart, are enough for any
    /// register.
    void (*load_every_fourth)(const std::byte* from, std::int64_t stride, std::uint8_t* out);
    void (*interleave4_i32)(std::int32_t* v);  // 4 times width
    /// 8 rows of `from_stride` int16 and of `to_stride`, both multiples of 8
    void (*transpose8)(const std::int16_t* from, std::int64_t from_stride, std::int16_t* to,
                       std::int64_t to_stride);
    void (*broadcast4)(const void* from, std::uint8_t* out);  // `from` anywhere
    void (*shift_right4)(const std::uint8_t* v, std::uint8_t* out);
    void (*scale_add16)(float* sum, const std::int32_t* acc, const float* scale, float by);  // 16
    void (*load_f16x16)(const std::uint16_t* from, float* to);  // 16; `from` anywhere
};

}  // namespace simd_test
