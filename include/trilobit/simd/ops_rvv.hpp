// SPDX-License-Identifier: MIT
// Room simd. Enters: registers of RISC-V's vector extension 1.0, of which a source uses so many
// bits as it is compiled for. Leaves: its facts, and the primitives that clang does not make of
// plain operators. Guarded by what the flags allow.
#pragma once

#include "trilobit/version.hpp"

#include "trilobit/simd/ops_vector.hpp"

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI::simd {

/// vrgather takes a cycle for each eighth of a register and longer, and multiplies as adds do.
template <has_rvv Arch>
struct machine<Arch> {
    static constexpr int registers = 32, largest_unsigned = 255, table_entries = 16;
    static constexpr byte_dot dot = byte_dot::widened;
    static constexpr bool counts_bits = false;
    static constexpr instruction_costs cost{2.0, 0.5};
};

#if defined(__riscv_v_min_vlen) && defined(__clang__)

/// vwmaccsu.vv: all of a register's products, in two registers.
template <has_rvv Arch>
struct products_op<Arch> {
    using sum = vec<std::int16_t, 2 * register_bytes<Arch>>;
    static constexpr int registers = 2, products = 1;
    TRILOBIT_INLINE static sum add(sum to, u8<Arch> u, u8<Arch> s) noexcept {
        const sum a = __builtin_convertvector(u.data, typename sum::native);
        const sum b =
            __builtin_convertvector(bitwise_cast<std::int8_t>(s).data, typename sum::native);
        return to + a * b;
    }
    /// Of two lanes each, and of two of those.
    TRILOBIT_INLINE static i32<Arch> widen(i32<Arch> to, sum s) noexcept {
        const auto two = bitwise_cast<std::int32_t>(s);
        const auto sums = bitwise_cast<std::int64_t>(((two << 16) >> 16) + (two >> 16));
        const auto four = ((sums << 32) >> 32) + (sums >> 32);
        return to + i32<Arch>(__builtin_convertvector(four.data, typename i32<Arch>::native));
    }
};

template <has_rvv Arch>
struct dot4_op<Arch> {
    TRILOBIT_INLINE static i32<Arch> call(i32<Arch> sum, u8<Arch> u, u8<Arch> s) noexcept {
        using products = products_op<Arch>;
        return products::widen(sum, products::add(typename products::sum(0), u, s));
    }
};

template <has_rvv Arch>
struct add_signed_op<Arch> {
    TRILOBIT_INLINE static u8<Arch> call(u8<Arch> sum, u8<Arch> value, u8<Arch> sign) noexcept {
        return sum + value * sign;
    }
};

// By an asm: the intrinsic takes registers of unknown length, which ours become only in sources
// that are compiled for one exact length. Up to 1,024 bits an index from 128 on finds zero.
template <has_rvv Arch>
struct lookup16_op<Arch> {
    TRILOBIT_INLINE static u8<Arch> call(const std::uint8_t* table, u8<Arch> index) noexcept {
        u8<Arch> sixteen, found;
        std::memcpy(&sixteen.data, table, 16);
        __asm__("vsetvli zero, %3, e8, m1, ta, ma\n\tvrgather.vv %0, %1, %2"
                : "=&vr"(found.data)
                : "vr"(sixteen.data), "vr"(index.data), "r"(register_bytes<Arch>)
                : "vl", "vtype");
        return found;
    }
};

#endif

}  // namespace trilobit::inline TRILOBIT_ABI::simd

#include "trilobit/core/end.hpp"
