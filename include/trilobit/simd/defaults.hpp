// SPDX-License-Identifier: MIT
// Room simd. Enters: registers. Leaves: the contract of each primitive that back ends may have an
// instruction for, and what it is without one, in xsimd's operators.
//
// A primary struct with one static function, specialised by concepts: partial specialisations are
// ordered by subsumption, which overloads with defaulted tags would not give us.
#pragma once

#include "trilobit/version.hpp"

#include "trilobit/core/float16.hpp"
#include "trilobit/simd/registers.hpp"

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI::simd {

/// sum[lane] += u[4 lane + t] * s[4 lane + t] for t = 0..3; s signed bytes, u unsigned ones of at
/// most machine::largest_unsigned; where bytes are multiplied in pairs, each pair fits an int16.
template <class Arch>
struct dot4_op {
    TRILOBIT_INLINE static i32<Arch> call(i32<Arch> sum, u8<Arch> u, u8<Arch> s) noexcept {
        const auto ulanes = bitwise_cast<std::int32_t>(u);
        const auto slanes = bitwise_cast<std::int32_t>(s);
        const i32<Arch> byte(0xff);
        sum += (ulanes & byte) * ((slanes << 24) >> 24);
        sum += ((ulanes >> 8) & byte) * ((slanes << 16) >> 24);
        sum += ((ulanes >> 16) & byte) * ((slanes << 8) >> 24);
        return sum + ((ulanes >> 24) & byte) * (slanes >> 24);
    }
};

/// Words of four activations, `count` of which one load brings; dot4 takes number i of them for
/// every lane.
template <class Arch>
struct words_op {
    static constexpr int count = 1;
    using type = u8<Arch>;
    TRILOBIT_INLINE static type load(const std::byte* from) noexcept {
        return broadcast4<Arch>(from);
    }
    TRILOBIT_INLINE static i32<Arch> dot4(i32<Arch> sum, u8<Arch> u, type x, int) noexcept {
        return dot4_op<Arch>::call(sum, u, x);
    }
};

/// lane[i] = u[2i] * s[2i] + u[2i+1] * s[2i+1], operands as in dot4; the sum fits an int16.
template <class Arch>
struct madd2_op {
    TRILOBIT_INLINE static i16<Arch> call(u8<Arch> u, u8<Arch> s) noexcept {
        const auto ulanes = bitwise_cast<std::int16_t>(u);
        const auto slanes = bitwise_cast<std::int16_t>(s);
        const i16<Arch> byte(std::int16_t{0xff});
        return (ulanes & byte) * ((slanes << 8) >> 8) + ((ulanes >> 8) & byte) * (slanes >> 8);
    }
};

/// sum[lane] += a[2 lane] * b[2 lane] + a[2 lane + 1] * b[2 lane + 1], of int16.
template <class Arch>
struct dot2_op {
    TRILOBIT_INLINE static i32<Arch> call(i32<Arch> sum, i16<Arch> a, i16<Arch> b) noexcept {
        const auto p = bitwise_cast<std::int32_t>(a);
        const auto q = bitwise_cast<std::int32_t>(b);
        return sum + ((p << 16) >> 16) * ((q << 16) >> 16) + (p >> 16) * (q >> 16);
    }
};

/// Where sums wait in int16. add: to += the products of a register's bytes, operands as in dot4, in
/// as many registers as `registers` says, `products` of them in a lane. widen: to[lane] += those of
/// its four bytes.
template <class Arch>
struct products_op {
    using sum = i16<Arch>;
    static constexpr int registers = 1, products = 2;
    TRILOBIT_INLINE static sum add(sum to, u8<Arch> u, u8<Arch> s) noexcept {
        return to + madd2_op<Arch>::call(u, s);
    }
    TRILOBIT_INLINE static i32<Arch> widen(i32<Arch> to, sum s) noexcept {
        return dot2_op<Arch>::call(to, s, i16<Arch>(std::int16_t{1}));
    }
};

/// mask & (a ^ b), which GCC leaves two instructions where one would do.
template <class Arch>
struct masked_xor_op {
    TRILOBIT_INLINE static u8<Arch> call(u8<Arch> mask, u8<Arch> a, u8<Arch> b) noexcept {
        return mask & (a ^ b);
    }
};

/// sum + value, sum - value or sum, by whether sign is 1, -1 or 0.
template <class Arch>
struct add_signed_op {
    TRILOBIT_INLINE static u8<Arch> call(u8<Arch> sum, u8<Arch> value, u8<Arch> sign) noexcept {
        const u8<Arch> zero(std::uint8_t{0}), one(std::uint8_t{1});
        const u8<Arch> minus = select(sign == zero, zero, zero - value);
        return sum + select(sign == one, value, minus);
    }
};

/// 1 or -1 by bit 7 of v, or whatever else add_signed takes for them.
template <class Arch>
struct sign_of_op {
    TRILOBIT_INLINE static u8<Arch> call(u8<Arch> v) noexcept {
        const i8<Arch> zero(std::int8_t{0}), one(std::int8_t{1}), minus(std::int8_t{-1});
        return bitwise_cast<std::uint8_t>(select(bitwise_cast<std::int8_t>(v) < zero, minus, one));
    }
};

/// v where a is not b, and else 0.
template <class Arch>
struct zero_where_equal_op {
    TRILOBIT_INLINE static u8<Arch> call(u8<Arch> v, u8<Arch> a, u8<Arch> b) noexcept {
        return select(a == b, u8<Arch>(std::uint8_t{0}), v);
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

/// interleave4 for int32 lanes: v[j][i] becomes number 4 i + j of the four registers.
template <class Arch>
struct interleave4_i32_op {
    TRILOBIT_INLINE static void call(i32<Arch>* v) noexcept {
        alignas(64) std::int32_t lane[4][lanes<Arch>], out[4 * lanes<Arch>];
        for (int j = 0; j < 4; ++j) v[j].store_aligned(lane[j]);
        for (int i = 0; i < lanes<Arch>; ++i)
            for (int j = 0; j < 4; ++j) out[4 * i + j] = lane[j][i];
        for (int j = 0; j < 4; ++j) v[j] = i32<Arch>::load_aligned(out + j * lanes<Arch>);
    }
};

/// out[i] = table[index[i]] for indices 0..15, and 0 for those from 128 on; the table is 16-byte
/// aligned.
template <class Arch>
struct lookup16_op {
    TRILOBIT_INLINE static u8<Arch> call(const std::uint8_t* table, u8<Arch> index) noexcept {
        alignas(64) std::uint8_t bytes[register_bytes<Arch>];
        index.store_aligned(bytes);
        for (std::uint8_t& b : bytes) b = b < 16 ? table[b] : std::uint8_t{0};
        return u8<Arch>::load_aligned(bytes);
    }
};

/// A register as lookup64 wants its indices: here without what lies above six bits.
template <class Arch>
struct index64_op {
    TRILOBIT_INLINE static u8<Arch> call(u8<Arch> v) noexcept {
        return v & u8<Arch>(std::uint8_t{63});
    }
};

/// out[i] = table[index[i]], indices from index64; the table is 64-byte aligned.
template <class Arch>
struct lookup64_op {
    TRILOBIT_INLINE static u8<Arch> call(const std::uint8_t* table, u8<Arch> index) noexcept {
        alignas(64) std::uint8_t bytes[register_bytes<Arch>];
        index.store_aligned(bytes);
        for (std::uint8_t& b : bytes) b = table[b];
        return u8<Arch>::load_aligned(bytes);
    }
};

/// Byte i of v[0..3] becomes the bytes 4 i .. 4 i + 3 of all four registers, one after the other.
template <class Arch>
struct interleave4_op {
    TRILOBIT_INLINE static void call(u8<Arch>* v) noexcept {
        constexpr int bytes = register_bytes<Arch>;
        alignas(64) std::uint8_t from[4][bytes], to[4 * bytes];
        for (int t = 0; t < 4; ++t) v[t].store_aligned(from[t]);
        for (int i = 0; i < 4 * bytes; ++i) to[i] = from[i % 4][i / 4];
        for (int t = 0; t < 4; ++t) v[t] = u8<Arch>::load_aligned(to + t * bytes);
    }
};

/// v[t][16 l + i] = from[l * stride + 4 i + t], i in 0..15 and l as far as a register goes; from
/// and stride are multiples of 16 bytes.
template <class Arch>
struct load_every_fourth_op {
    TRILOBIT_INLINE static void call(const std::byte* from, std::int64_t stride,
                                     u8<Arch>* v) noexcept {
        alignas(64) std::uint8_t to[4][register_bytes<Arch>];
        for (int t = 0; t < 4; ++t)
            for (int i = 0; i < register_bytes<Arch>; ++i)
                to[t][i] = static_cast<std::uint8_t>(from[i / 16 * stride + i % 16 * 4 + t]);
        for (int t = 0; t < 4; ++t) v[t] = u8<Arch>::load_aligned(to[t]);
    }
};

/// to[i * to_stride + j] = from[j * from_stride + i], i and j in 0..7; rows on either side start at
/// multiples of 16 bytes.
template <class Arch>
struct transpose8_op {
    TRILOBIT_INLINE static void call(const std::int16_t* from, std::int64_t from_stride,
                                     std::int16_t* to, std::int64_t to_stride) noexcept {
        for (int i = 0; i < 8; ++i)
            for (int j = 0; j < 8; ++j) to[i * to_stride + j] = from[j * from_stride + i];
    }
};

/// Keeps a product rounded: nothing may be contracted across it. TRILOBIT_COMPILER_BARRIER goes
/// through memory; back ends with registers that an asm can name need not.
template <class Arch>
struct keep_rounded_op {
    TRILOBIT_INLINE static void call(f32<Arch>& product) noexcept {
        TRILOBIT_COMPILER_BARRIER(product);
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

/// pin(before), and what is loaded through `p` from now on is loaded after it is known.
template <class Arch>
struct load_after_op {
    template <class T, class Register>
    TRILOBIT_INLINE static void call(const T*&, Register&) noexcept {}
};

}  // namespace trilobit::inline TRILOBIT_ABI::simd

#include "trilobit/core/end.hpp"
