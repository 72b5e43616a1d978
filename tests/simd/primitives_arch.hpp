// SPDX-License-Identifier: MIT
// Enters: the compiler flags of an arch. Leaves: its primitives as a constant.
// Nothing here may be shared with another translation unit: no Catch2, no standard containers.
#pragma once

#include "primitives.hpp"
#include "trilobit/simd/base3.hpp"

namespace simd_test {

template <class A>
struct of_arch {
    static trilobit::simd::u8<A> bytes(const void* from) {
        return trilobit::simd::load<A>(static_cast<const std::byte*>(from));
    }
    static void dot4(std::int32_t* sum, const std::uint8_t* u, const std::int8_t* s) {
        const auto start = trilobit::simd::i32<A>::load_aligned(sum);
        trilobit::simd::dot4<A>(start, bytes(u), bytes(s)).store_aligned(sum);
    }
    static void madd2(const std::uint8_t* u, const std::int8_t* s, std::int16_t* out) {
        trilobit::simd::madd2<A>(bytes(u), bytes(s)).store_aligned(out);
    }
    static void widen_add(std::int32_t* sum, const std::int16_t* v) {
        const auto start = trilobit::simd::i32<A>::load_aligned(sum);
        trilobit::simd::widen_add<A>(start, trilobit::simd::i16<A>::load_aligned(v))
            .store_aligned(sum);
    }
    static void popcount_bytes(const std::uint8_t* v, std::uint8_t* out) {
        trilobit::simd::popcount_bytes<A>(bytes(v)).store_aligned(out);
    }
    static void dot2(std::int32_t* sum, const std::int16_t* a, const std::int16_t* b) {
        using i16 = trilobit::simd::i16<A>;
        const auto start = trilobit::simd::i32<A>::load_aligned(sum);
        trilobit::simd::dot2<A>(start, i16::load_aligned(a), i16::load_aligned(b))
            .store_aligned(sum);
    }
    static void masked_xor(const std::uint8_t* mask, const std::uint8_t* a, const std::uint8_t* b,
                           std::uint8_t* out) {
        trilobit::simd::masked_xor<A>(bytes(mask), bytes(a), bytes(b)).store_aligned(out);
    }
    static void add_signed(std::uint8_t* sum, const std::uint8_t* value, const std::uint8_t* sign) {
        trilobit::simd::add_signed<A>(bytes(sum), bytes(value), bytes(sign)).store_aligned(sum);
    }
    static void add_by_sign(std::uint8_t* sum, const std::uint8_t* value,
                            const std::uint8_t* sign) {
        trilobit::simd::add_signed<A>(bytes(sum), bytes(value),
                                      trilobit::simd::sign_of<A>(bytes(sign)))
            .store_aligned(sum);
    }
    static void zero_where_equal(std::uint8_t* v, const std::uint8_t* a, const std::uint8_t* b) {
        trilobit::simd::zero_where_equal<A>(bytes(v), bytes(a), bytes(b)).store_aligned(v);
    }
    static void lookup64(const std::uint8_t* entries, const std::uint8_t* index,
                         std::uint8_t* out) {
        trilobit::simd::lookup64<A>(entries, trilobit::simd::index64<A>(bytes(index)))
            .store_aligned(out);
    }
    static void base3_sum(const std::int8_t* x, int more, const std::uint8_t* codes,
                          std::uint8_t* out) {
        using base3 = trilobit::simd::base3_op<A>;
        alignas(64) std::uint8_t made[base3::table_bytes];
        base3::make_table(x, more, made);
        base3::sum(made, typename base3::indices(bytes(codes))).store_aligned(out);
    }
    static void base3_digits(const std::uint8_t* codes, std::uint8_t* out) {
        trilobit::simd::u8<A> digits[5];
        trilobit::simd::base3_op<A>::digits(bytes(codes), digits);
        for (int c = 0; c < 5; ++c)
            digits[c].store_aligned(out + c * trilobit::simd::register_bytes<A>);
    }
    static void interleave4(std::uint8_t* v) {
        constexpr int width = trilobit::simd::register_bytes<A>;
        trilobit::simd::u8<A> four[4];
        for (int t = 0; t < 4; ++t) four[t] = bytes(v + t * width);
        trilobit::simd::interleave4<A>(four);
        for (int t = 0; t < 4; ++t) four[t].store_aligned(v + t * width);
    }
    static void load_every_fourth(const std::byte* from, std::int64_t stride, std::uint8_t* out) {
        trilobit::simd::u8<A> four[4];
        trilobit::simd::load_every_fourth<A>(from, stride, four);
        for (int t = 0; t < 4; ++t)
            four[t].store_aligned(out + t * trilobit::simd::register_bytes<A>);
    }
    static void interleave4_i32(std::int32_t* v) {
        trilobit::simd::i32<A> four[4];
        for (int j = 0; j < 4; ++j)
            four[j] = trilobit::simd::i32<A>::load_aligned(v + j * trilobit::simd::lanes<A>);
        trilobit::simd::interleave4<A>(four);
        for (int j = 0; j < 4; ++j) four[j].store_aligned(v + j * trilobit::simd::lanes<A>);
    }
    static void transpose8(const std::int16_t* from, std::int64_t from_stride, std::int16_t* to,
                           std::int64_t to_stride) {
        trilobit::simd::transpose8<A>(from, from_stride, to, to_stride);
    }
    static void broadcast4(const void* from, std::uint8_t* out) {
        trilobit::simd::broadcast4<A>(from).store_aligned(out);
    }
    static void shift_right4(const std::uint8_t* v, std::uint8_t* out) {
        trilobit::simd::shift_right<4, A>(bytes(v)).store_aligned(out);
    }
    static void scale_add16(float* sum, const std::int32_t* acc, const float* scale, float by) {
        trilobit::simd::scale_add16<A>(sum, acc, scale, by);
    }
    static void load_f16x16(const std::uint16_t* from, float* to) {
        trilobit::simd::load_f16x16<A>(from, to);
    }
    static constexpr primitives table{A::name,
                                      trilobit::simd::register_bytes<A>,
                                      trilobit::simd::exact_dot4<A>,
                                      trilobit::simd::sums_in_int16<A>,
                                      &dot4,
                                      &madd2,
                                      &widen_add,
                                      &popcount_bytes,
                                      &dot2,
                                      &masked_xor,
                                      &add_signed,
                                      &add_by_sign,
                                      &zero_where_equal,
                                      &lookup64,
                                      &base3_sum,
                                      &base3_digits,
                                      &interleave4,
                                      &load_every_fourth,
                                      &interleave4_i32,
                                      &transpose8,
                                      &broadcast4,
                                      &shift_right4,
                                      &scale_add16,
                                      &load_f16x16};
};

}  // namespace simd_test
