// SPDX-License-Identifier: MIT
// Room limits. Enters: one instruction set's primitives. Leaves: the two loops no kernel of that
// set can beat: multiply-adds from registers alone, and reads that do nothing with what they read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "trilobit/simd/ops.hpp"

namespace trilobit_limits {

struct arch_loops {
    std::string_view name;
    std::string_view instruction;  ///< the one that bounds `dot`
    /// Runs at least `macs` multiply-adds and returns how many.
    std::int64_t (*dot)(std::int64_t macs) noexcept;
    /// Reads every byte; `size` is a multiple of 4096, `from` page-aligned.
    std::uint64_t (*read)(const std::byte* from, std::size_t size) noexcept;
};

/// The compiler must believe that the register may have changed, and may not move it to memory.
template <class Arch, class Register>
TRILOBIT_INLINE void touch(Register& r) noexcept {
#if defined(__GNUC__) && (defined(__x86_64__) || defined(__i386__))
    if constexpr (trilobit::has_sse2<Arch>)
        __asm__ volatile("" : "+v"(r.data));
    else
#elif defined(__GNUC__) && defined(__aarch64__)
    if constexpr (requires { typename Arch::neon_tag; })
        __asm__ volatile("" : "+w"(r.data));
    else
#endif
        TRILOBIT_COMPILER_BARRIER(r);
}

/// Twelve sums: the longest dot product takes five cycles, two start in each, and twelve sums with
/// two operands fit the sixteen registers of the smallest back end. Sums wrap around; nobody reads
/// them. Without a dot product of bytes the bound is pmaddubsw and the paddw that collects it;
/// folding int16 into int32 can be made as rare as one likes, so it is no part of the limit.
///
/// Operands and sums are touched at each step: twelve equal sums are one sum to a compiler, equal
/// products one product, and products made long before they are added end up on the stack.
template <class Arch>
std::int64_t dot_loop(std::int64_t macs) noexcept {
    using namespace trilobit::simd;
    constexpr int chains = 12, repeat = 8;
    constexpr std::int64_t step = std::int64_t{chains} * repeat * register_bytes<Arch>;
    u8<Arch> u(std::uint8_t{3}), s(std::uint8_t{7});
    const auto run = [&]<class Sum>(Sum zero, auto&& add) TRILOBIT_LAMBDA_INLINE {
        Sum sums[chains];
        TRILOBIT_UNROLL for (int i = 0; i < chains; ++i) {
            sums[i] = zero;
            touch<Arch>(sums[i]);
        }
        std::int64_t done = 0;
        for (; done < macs; done += step)
            TRILOBIT_UNROLL for (int r = 0; r < repeat; ++r)
                TRILOBIT_UNROLL for (int i = 0; i < chains; ++i) {
                touch<Arch>(u);
                touch<Arch>(s);
                add(sums[i]);
                touch<Arch>(sums[i]);
            }
        return done;
    };
    if constexpr (prefers_madd2<Arch>)
        return run(i16<Arch>(std::int16_t{0}),
                   [&](i16<Arch>& sum) TRILOBIT_LAMBDA_INLINE { sum += madd2<Arch>(u, s); });
    else
        return run(i32<Arch>(0),
                   [&](i32<Arch>& sum) TRILOBIT_LAMBDA_INLINE { sum = dot4<Arch>(sum, u, s); });
}

template <class Arch>
std::uint64_t read_loop(const std::byte* from, std::size_t size) noexcept {
    using namespace trilobit::simd;
    constexpr std::size_t width = register_bytes<Arch>, chains = 4;
    u8<Arch> sums[chains];
    TRILOBIT_UNROLL for (std::size_t i = 0; i < chains; ++i) sums[i] = u8<Arch>(std::uint8_t{0});
    for (std::size_t at = 0; at < size; at += chains * width)
        TRILOBIT_UNROLL for (std::size_t i = 0; i < chains; ++i) sums[i] =
            sums[i] ^ load<Arch>(from + at + i * width);
    TRILOBIT_UNROLL for (std::size_t i = 1; i < chains; ++i) sums[0] = sums[0] ^ sums[i];
    alignas(64) std::uint8_t bytes[width];
    sums[0].store_aligned(bytes);
    std::uint64_t sum = 0;
    for (const std::uint8_t b : bytes) sum += b;
    return sum;
}

template <class Arch>
constexpr arch_loops arch_loops_of() noexcept {
    using namespace trilobit;
    const std::string_view instruction = has_avx512vnni<Arch> ? "vpdpbusd zmm"
                                         : has_avxvnni<Arch>  ? "vpdpbusd ymm"
                                         : has_avx512bw<Arch> ? "vpmaddubsw zmm"
                                         : has_avx2<Arch>     ? "vpmaddubsw ymm"
                                         : has_ssse3<Arch>    ? "pmaddubsw"
                                         : has_sse2<Arch>     ? "pmaddwd"
                                                              : "dot4, portable";
    return {Arch::name, instruction, &dot_loop<Arch>, &read_loop<Arch>};
}

}  // namespace trilobit_limits
