// SPDX-License-Identifier: MIT
// Room limits. Enters: one instruction set's primitives. Leaves: the two loops no kernel of that
// set can beat, multiply-adds from registers alone and reads that do nothing with what they read;
// and a loop for each primitive.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "trilobit/kernel/amx.hpp"
#include "trilobit/simd/base3.hpp"

namespace trilobit_limits {

struct primitive_loop {
    std::string_view name;
    /// Runs it at least `calls` times and returns how often.
    std::int64_t (*run)(std::int64_t calls) noexcept = nullptr;
};

struct arch_loops {
    std::string_view name;
    std::string_view instruction;  ///< the one that bounds `dot`
    /// Runs at least `macs` multiply-adds and returns how many.
    std::int64_t (*dot)(std::int64_t macs) noexcept;
    /// Reads every byte; `size` is a multiple of 4096, `from` page-aligned.
    std::array<std::uint64_t (*)(const std::byte* from, std::size_t size) noexcept, 2> reads;
    primitive_loop primitives[7];  ///< those without `run` do not exist here
};

/// The compiler must believe that the value may have changed, and may not move it to memory if it
/// is a register.
template <class Arch, class Value>
TRILOBIT_INLINE void touch(Value& r) noexcept {
#if defined(__GNUC__) && (defined(__x86_64__) || defined(__i386__))
    if constexpr (trilobit::has_sse2<Arch> && requires { r.data; })
        __asm__ volatile("" : "+v"(r.data));
    else
#endif
        TRILOBIT_COMPILER_BARRIER(r);
}

/// step(sum, u, s) at least `calls` times, on twelve sums in turn: the longest dot product takes
/// five cycles, two start in each, and twelve sums with two operands fit the sixteen registers of
/// the smallest back end.
///
/// Operands and sums are touched at each step: twelve equal sums are one sum to a compiler, equal
/// products one product, and products made long before they are added end up on the stack.
template <class Arch, class Sum, class Step>
TRILOBIT_INLINE std::int64_t repeat(std::int64_t calls, const Sum& zero, Step step) noexcept {
    constexpr int chains = 12, rounds = trilobit::has_avx2<Arch> ? 16 : 2;
    trilobit::simd::u8<Arch> u(std::uint8_t{3}), s(std::uint8_t{7});
    Sum sums[chains];
    TRILOBIT_UNROLL
    for (int i = 0; i < chains; ++i) {
        sums[i] = zero;
        touch<Arch>(sums[i]);
    }
    std::int64_t done = 0;
    for (; done < calls; done += chains * rounds) TRILOBIT_UNROLL
    for (int r = 0; r < rounds; ++r) TRILOBIT_UNROLL
    for (int i = 0; i < chains; ++i) {
        touch<Arch>(u);
        touch<Arch>(s);
        step(sums[i], u, s);
        touch<Arch>(sums[i]);
    }
    return done;
}

/// Sums wrap around; nobody reads them. Without a dot product of bytes the bound is pmaddubsw and
/// the paddw that collects it; folding int16 into int32 can be made as rare as one likes, so it is
/// no part of the limit.
template <class Arch>
std::int64_t dot_loop(std::int64_t macs) noexcept {
    using namespace trilobit::simd;
    constexpr int each = register_bytes<Arch>;
    if constexpr (sums_in_int16<Arch>)
        return each * repeat<Arch>(macs / each, i16<Arch>(std::int16_t{0}),
                                   [](i16<Arch>& sum, u8<Arch> u, u8<Arch> s)
                                       TRILOBIT_LAMBDA_INLINE { sum += madd2<Arch>(u, s); });
    else
        return each * repeat<Arch>(macs / each, i32<Arch>(0),
                                   [](i32<Arch>& sum, u8<Arch> u, u8<Arch> s)
                                       TRILOBIT_LAMBDA_INLINE { sum = dot4<Arch>(sum, u, s); });
}

#if defined(__AMX_INT8__) || defined(__AMXINT8__)
/// Four tiles of sums, as many as there are operands for without loads; 16 x 16 x 64 each.
template <class Arch>
std::int64_t tile_loop(std::int64_t macs) noexcept {
    trilobit::kernel::amx_config config(16, 16);
    alignas(64) static constexpr std::byte operands[1024] = {};
    config.load();
    // Each is a statement of its own with GCC, a macro around an asm.
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    _tile_loadd(4, operands, 64);
    _tile_loadd(5, operands, 64);
    _tile_loadd(6, operands, 64);
    _tile_loadd(7, operands, 64);
    std::int64_t done = 0;
    for (; done < macs; done += 4 * 16 * 16 * 64) {
        _tile_dpbsud(0, 4, 6);
        _tile_dpbsud(1, 4, 7);
        _tile_dpbsud(2, 5, 6);
        _tile_dpbsud(3, 5, 7);
    }
    _tile_release();
    return done;
}
#endif

/// What the primitives that work on memory work on.
struct alignas(64) sixteen {
    float values[16];
};

template <class Arch>
struct primitives {
    using u8 = trilobit::simd::u8<Arch>;
    using i16 = trilobit::simd::i16<Arch>;
    using i32 = trilobit::simd::i32<Arch>;

    static std::int64_t dot4(std::int64_t calls) noexcept {
        return repeat<Arch>(calls, i32(0), [](i32& sum, u8 u, u8 s) TRILOBIT_LAMBDA_INLINE {
            sum = trilobit::simd::dot4<Arch>(sum, u, s);
        });
    }
    static std::int64_t madd2(std::int64_t calls) noexcept {
        const auto step = [](i16& sum, u8 u, u8 s)
                              TRILOBIT_LAMBDA_INLINE { sum = trilobit::simd::madd2<Arch>(u, s); };
        return repeat<Arch>(calls, i16(std::int16_t{0}), step);
    }
    static std::int64_t widen_add(std::int64_t calls) noexcept {
        return repeat<Arch>(calls, i32(0), [](i32& sum, u8 u, u8) TRILOBIT_LAMBDA_INLINE {
            sum = trilobit::simd::widen_add<Arch>(sum, xsimd::bitwise_cast<std::int16_t>(u));
        });
    }
    static std::int64_t popcount_bytes(std::int64_t calls) noexcept {
        return repeat<Arch>(calls, u8(std::uint8_t{0}),
                            [](u8& sum, u8 u, u8) TRILOBIT_LAMBDA_INLINE {
                                sum = trilobit::simd::popcount_bytes<Arch>(u);
                            });
    }
    static std::int64_t base3_sum(std::int64_t calls) noexcept {
        using base3 = trilobit::simd::base3_op<Arch>;
        alignas(64) std::uint8_t table[base3::table_bytes] = {1, 2, 3};
        TRILOBIT_COMPILER_BARRIER(table);
        const auto step = [&](u8& sum, u8 u, u8) TRILOBIT_LAMBDA_INLINE {
            sum = base3::sum(table, typename base3::indices(u));
        };
        return repeat<Arch>(calls, u8(std::uint8_t{0}), step);
    }
    static std::int64_t scale_add16(std::int64_t calls) noexcept {
        alignas(64) std::int32_t acc[16] = {1, 2, 3};
        const sixteen scales{{1, 2, 3}};
        const auto step = [&](sixteen& sum, u8, u8) TRILOBIT_LAMBDA_INLINE {
            trilobit::simd::scale_add16<Arch>(sum.values, acc, scales.values, 1.5f);
        };
        return repeat<Arch>(calls, sixteen{}, step);
    }
    static std::int64_t load_f16x16(std::int64_t calls) noexcept {
        std::uint16_t halves[16] = {0x3c00, 0x4000};
        const auto step = [&](sixteen& sum, u8, u8) TRILOBIT_LAMBDA_INLINE {
            TRILOBIT_COMPILER_BARRIER(halves);
            trilobit::simd::load_f16x16<Arch>(halves, sum.values);
        };
        return repeat<Arch>(calls, sixteen{}, step);
    }
};

/// Intel: kernels that prefetch were up to 15 % faster than this loop without it, which made it no
/// limit. A line is asked for beside each one that is read, in this order: farther ahead than 2
/// KiB, or four at a time, the loads of this short loop come first and take the places of the
/// prefetches. And one as much farther into the second cache: 4 % more, on one thread and on two.
/// Zen 5 reads a third more with neither.
template <class Arch, bool Prefetches>
std::uint64_t read_loop(const std::byte* from, std::size_t size) noexcept {
    using namespace trilobit::simd;
    constexpr std::size_t width = register_bytes<Arch>, chains = 4, ahead = 2048;
    u8<Arch> sums[chains];
    TRILOBIT_UNROLL
    for (std::size_t i = 0; i < chains; ++i) sums[i] = u8<Arch>(std::uint8_t{0});
    for (std::size_t at = 0; at < size; at += chains * width) TRILOBIT_UNROLL
    for (std::size_t i = 0; i < chains; ++i) {
        if (Prefetches && i * width % 64 == 0) {
            prefetch<Arch>(from + at + i * width + ahead);
#if defined(__GNUC__)
            __builtin_prefetch(from + at + i * width + 2 * ahead, 0, 2);
#endif
        }
        sums[i] = sums[i] ^ load<Arch>(from + at + i * width);
        touch<Arch>(sums[i]);
    }
    TRILOBIT_UNROLL
    for (std::size_t i = 1; i < chains; ++i) sums[0] = sums[0] ^ sums[i];
    alignas(64) std::uint8_t bytes[width];
    sums[0].store_aligned(bytes);
    std::uint64_t sum = 0;
    for (const std::uint8_t b : bytes) sum += b;
    return sum;
}

template <class Arch>
constexpr arch_loops arch_loops_of() noexcept {
    using namespace trilobit;
    const std::string_view instruction = has_amx<Arch>          ? "tdpbsud"
                                         : has_avx512vnni<Arch> ? "vpdpbusd zmm"
                                         : has_avxvnni<Arch>    ? "vpdpbusd ymm"
                                         : has_avx512bw<Arch>   ? "vpmaddubsw zmm"
                                         : has_avx2<Arch>       ? "vpmaddubsw ymm"
                                         : has_ssse3<Arch>      ? "pmaddubsw"
                                         : has_sse2<Arch>       ? "pmaddwd"
                                                                : "dot4, portable";
    using p = primitives<Arch>;
    arch_loops loops{Arch::name,
                     instruction,
                     &dot_loop<Arch>,
                     {&read_loop<Arch, true>, &read_loop<Arch, false>},
                     {{"dot4", &p::dot4},
                      {"widen_add", &p::widen_add},
                      {"popcount_bytes", &p::popcount_bytes},
                      {"base3_sum"},
                      {"scale_add16", &p::scale_add16},
                      {"load_f16x16", &p::load_f16x16},
                      {"madd2"}}};
    // Where an instruction does it; elsewhere sixteen loads and stores would be unrolled many
    // times.
    if constexpr (has_ssse3<Arch>) {
        loops.primitives[3].run = &p::base3_sum;
        loops.primitives[6].run = &p::madd2;
    }
#if defined(__AMX_INT8__) || defined(__AMXINT8__)
    if constexpr (has_amx<Arch>) loops.dot = &tile_loop<Arch>;
#endif
    return loops;
}

template <class Arch>
struct loops_of {
    static constexpr arch_loops table = arch_loops_of<Arch>();
};

}  // namespace trilobit_limits
