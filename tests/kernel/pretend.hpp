// SPDX-License-Identifier: MIT
// A back end that no processor has: plain C++, whose facts can be set. What a primitive's contract
// leaves open comes out as differently from x86 as it may.
#pragma once

#include "trilobit/kernel/all.hpp"

namespace pretend {

using trilobit::simd::byte_dot;

/// Registers of 128 bits, so many of them.
template <int Registers, byte_dot Dot, int LargestUnsigned, int TableEntries>
struct machine : trilobit::arch::generic {
    static constexpr int registers_there_are = Registers;
    static constexpr byte_dot dot = Dot;
    static constexpr int largest_unsigned = LargestUnsigned, table_entries = TableEntries;
};

/// What NEON with its dot product has; what WebAssembly has, by pairs; neither dots nor lookups.
struct neon : machine<32, byte_dot::exact, 127, 64> {
    static constexpr std::string_view name = "pretend_neon";
};
struct wasm : machine<16, byte_dot::paired, 127, 16> {
    static constexpr std::string_view name = "pretend_wasm";
};
struct plain : machine<16, byte_dot::none, 255, 0> {
    static constexpr std::string_view name = "pretend_plain";
};

template <class A>
concept arch = requires { A::registers_there_are; };

}  // namespace pretend

namespace trilobit::inline TRILOBIT_ABI::simd {

template <pretend::arch A>
struct machine<A> {
    static constexpr int registers = A::registers_there_are;
    static constexpr byte_dot dot = A::dot;
    static constexpr int largest_unsigned = A::largest_unsigned;
    static constexpr int table_entries = A::table_entries;
    static constexpr bool counts_bits = A::table_entries > 0;
    static constexpr instruction_costs cost{1.0, 0.75};
};

/// Both operands signed.
template <pretend::arch A>
    requires(A::largest_unsigned == 127)
struct dot4_op<A> {
    static i32<A> call(i32<A> sum, u8<A> u, u8<A> s) noexcept {
        alignas(64) std::int32_t lane[lanes<A>];
        alignas(64) std::int8_t a[register_bytes<A>], b[register_bytes<A>];
        sum.store_aligned(lane);
        xsimd::bitwise_cast<std::int8_t>(u).store_aligned(a);
        xsimd::bitwise_cast<std::int8_t>(s).store_aligned(b);
        for (int i = 0; i < register_bytes<A>; ++i) lane[i / 4] += a[i] * b[i];
        return i32<A>::load_aligned(lane);
    }
};

/// Indices past the table find nothing, as tbl does.
template <pretend::arch A>
struct lookup64_op<A> {
    static u8<A> call(const std::uint8_t* table, u8<A> index) noexcept {
        alignas(64) std::uint8_t bytes[register_bytes<A>];
        index.store_aligned(bytes);
        for (std::uint8_t& b : bytes) b = b < 64 ? table[b] : std::uint8_t{0};
        return u8<A>::load_aligned(bytes);
    }
};

}  // namespace trilobit::inline TRILOBIT_ABI::simd
