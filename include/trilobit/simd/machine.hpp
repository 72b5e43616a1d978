// SPDX-License-Identifier: MIT
// Room simd. Enters: an arch. Leaves: facts about its machine: all that kernels ask. These are
// cautious ones; each ops_*.hpp states those of its own back ends beside their primitives.
#pragma once

#include "trilobit/version.hpp"

#include "trilobit/simd/arch.hpp"

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI::simd {

/// How bytes are multiplied and added.
enum class byte_dot {
    none,     ///< no instruction: widened to int16 first
    widened,  ///< each product into an int16 of its own: products
    paired,   ///< two products into an int16, which must hold them: products of madd2
    exact     ///< four products into an int32: dot4
};

/// Of one register each, in dot products: the choice among kernels weighs them.
struct instruction_costs {
    double lookup, simple;
};

template <class Arch>
struct machine {
    /// Vector registers; 0 where vectors are emulated and there is nothing to keep in one.
    static constexpr int registers = 0;
    static constexpr byte_dot dot = byte_dot::none;
    /// Largest unsigned operand of dot4: 127 where the instruction takes both operands signed.
    static constexpr int largest_unsigned = 255;
    /// Of a table of bytes in which one instruction looks every byte of a register up.
    static constexpr int table_entries = 0;
    /// Does one instruction count the bits of each byte?
    static constexpr bool counts_bits = false;
    static constexpr instruction_costs cost{1.0, 0.75};
};

template <class Arch>
inline constexpr bool exact_dot4 = machine<Arch>::dot == byte_dot::exact;
/// Are sums in int16, widened once in a while, cheaper than dot4?
template <class Arch>
inline constexpr bool sums_in_int16 =
    machine<Arch>::dot == byte_dot::paired || machine<Arch>::dot == byte_dot::widened;
/// Do sums of several rows and tokens leave registers for operands beside them?
template <class Arch>
inline constexpr bool many_registers = machine<Arch>::registers >= 32;

}  // namespace trilobit::inline TRILOBIT_ABI::simd

#include "trilobit/core/end.hpp"
