// SPDX-License-Identifier: MIT
// Room examples/model. Enters: a row as its file stores it. Leaves: 32 consecutive floats of it in
// registers. The part of dense_kernels_impl.hpp that knows number formats; same rules.
#pragma once

#include "model/dense_kernels.hpp"

#if defined(__AVX2__) || defined(__AVX512F__)
#include <immintrin.h>
#endif

// GCC 12 takes the deliberately undefined operand inside its own AVX-512 headers for a mistake.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#endif
#define TBX_INLINE inline __attribute__((always_inline))

namespace tbx::model {
namespace {

#if defined(__AVX512F__)
constexpr int register_floats = 16;
#elif defined(__AVX__)
constexpr int register_floats = 8;
#else
constexpr int register_floats = 4;
#endif

using floats = float __attribute__((vector_size(4 * register_floats)));
using integers = std::int32_t __attribute__((vector_size(4 * register_floats)));
using words = std::uint32_t __attribute__((vector_size(4 * register_floats)));
using halves = std::uint16_t __attribute__((vector_size(2 * register_floats)));
using octets = std::uint8_t __attribute__((vector_size(4 * register_floats)));

/// 32 floats: two to eight registers, enough chains to hide the latency of an addition.
struct lanes {
    static constexpr int count = 32;
    static constexpr int registers = count / register_floats;
    floats reg[registers];
};

template <class T>
TBX_INLINE T load(const void* from) {
    T value;
    __builtin_memcpy(&value, from, sizeof value);
    return value;
}

template <class To, class From>
TBX_INLINE To bits(From from) {
    static_assert(sizeof(To) == sizeof(From));
    To to;
    __builtin_memcpy(&to, &from, sizeof to);
    return to;
}

TBX_INLINE floats half_to_float(const void* from) {
#if defined(__AVX512F__)
    return bits<floats>(_mm512_cvtph_ps(load<__m256i>(from)));
#elif defined(__AVX2__) && defined(__F16C__)
    return bits<floats>(_mm256_cvtph_ps(load<__m128i>(from)));
#else
    const words half = __builtin_convertvector(load<halves>(from), words);
    const words sign = (half & 0x8000u) << 16;
    // A half read as a float's top bits is 2^112 too small; multiplying is exact and puts
    // subnormals right as well.
    const floats magnitude = bits<floats>((half & 0x7fffu) << 13) * 0x1p112f;
    const words special = bits<words>((half & 0x7c00u) == 0x7c00u) & 0x7f800000u;
    return bits<floats>(bits<words>(magnitude) | special | sign);
#endif
}

TBX_INLINE floats brain_to_float(const void* from) {
    return bits<floats>(__builtin_convertvector(load<halves>(from), words) << 16);
}

TBX_INLINE floats int8_to_float(const std::int8_t* from) {
#if defined(__AVX512F__)
    return bits<floats>(_mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(load<__m128i>(from))));
#elif defined(__AVX2__)
    return bits<floats>(
        _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_cvtsi64_si128(load<long long>(from)))));
#else
    floats value;
    for (int i = 0; i < register_floats; ++i) value[i] = static_cast<float>(from[i]);
    return value;
#endif
}

TBX_INLINE float half_scalar(const std::byte* from) {
#if defined(__AVX512F__) || (defined(__AVX2__) && defined(__F16C__))
    // Scales of small weights are subnormal halves. The multiplication below would then have a
    // subnormal operand, which costs Intel's processors more than a hundred cycles each time.
    return _mm_cvtss_f32(_mm_cvtph_ps(_mm_cvtsi32_si128(load<std::uint16_t>(from))));
#else
    const auto half = std::uint32_t{load<std::uint16_t>(from)};
    const float magnitude = bits<float>((half & 0x7fffu) << 13) * 0x1p112f;
    const std::uint32_t special = (half & 0x7c00u) == 0x7c00u ? 0x7f800000u : 0u;
    return bits<float>(bits<std::uint32_t>(magnitude) | special | (half & 0x8000u) << 16);
#endif
}

/// The half at `from` in every lane. By the scalar way Q8_0 spent more on scales than on weights.
TBX_INLINE floats half_everywhere(const std::byte* from) {
#if defined(__AVX512F__)
    return bits<floats>(_mm512_cvtph_ps(_mm256_set1_epi16(load<std::int16_t>(from))));
#elif defined(__AVX2__) && defined(__F16C__)
    return bits<floats>(_mm256_cvtph_ps(_mm_set1_epi16(load<std::int16_t>(from))));
#else
    return floats{} + half_scalar(from);
#endif
}

// A source is a row whose columns are read `step` at a time, from `step_bytes` each: open(i) is
// what is read at column i, a multiple of step, and at(p) of that gives the 32 floats p columns
// further on. one(i) is a single column of a row that need not end with a step.

/// Numbers one by one: what is opened is the rest of the row.
template <class Source, int Bytes>
struct plain_source {
    static constexpr int step = 32, step_bytes = step * Bytes;
    const std::byte* row;
    TBX_INLINE const std::byte* number(std::int64_t i) const { return row + Bytes * i; }
    TBX_INLINE Source open(std::int64_t i) const { return Source{{number(i)}}; }
    TBX_INLINE lanes at(int p) const {
        lanes v;
        for (int r = 0; r < lanes::registers; ++r)
            v.reg[r] = Source::read(number(p + r * register_floats));
        return v;
    }
};

struct from_f32 : plain_source<from_f32, 4> {
    TBX_INLINE static floats read(const std::byte* from) { return load<floats>(from); }
    TBX_INLINE float one(std::int64_t i) const { return load<float>(number(i)); }
};

struct from_f16 : plain_source<from_f16, 2> {
    TBX_INLINE static floats read(const std::byte* from) { return half_to_float(from); }
    TBX_INLINE float one(std::int64_t i) const { return half_scalar(number(i)); }
};

struct from_bf16 : plain_source<from_bf16, 2> {
    TBX_INLINE static floats read(const std::byte* from) { return brain_to_float(from); }
    TBX_INLINE float one(std::int64_t i) const {
        return bits<float>(std::uint32_t{load<std::uint16_t>(number(i))} << 16);
    }
};

// Q8_0: f16 scale, 32 int8.
struct from_q8_0 {
    static constexpr int step = 32, step_bytes = 34;
    const std::byte* row;
    TBX_INLINE from_q8_0 open(std::int64_t i) const { return {row + i / step * step_bytes}; }
    TBX_INLINE lanes at(int) const {
        const floats scale = half_everywhere(row);
        const auto* q = reinterpret_cast<const std::int8_t*>(row + 2);
        lanes v;
        for (int r = 0; r < lanes::registers; ++r)
            v.reg[r] = int8_to_float(q + r * register_floats) * scale;
        return v;
    }
    TBX_INLINE float one(std::int64_t) const { return 0; }  // rows are whole blocks
};

// Q6_K: ql[128], qh[64], int8 scales[16], f16 d. Half h of 128 elements, quarter p of 32 inside it:
// the low four bits of element l are in ql[64h + 32(p mod 2) + l] (high nibble when p >= 2), the
// two high bits in bits 2p+1..2p of qh[32h + l]; elements of 16 share a scale.
struct from_q6_k {
    static constexpr int step = 256, step_bytes = 210;
    const std::byte* row;

    // A whole block: integers are put together 64 at a time, and a load widens them, or spreads a
    // scale over a register, for nothing. One by one, both took longer than the products.
    struct block {
        alignas(64) std::int8_t codes[256];
        alignas(64) float scales[16];
        TBX_INLINE lanes at(int p) const {
            lanes v;
            for (int r = 0; r < lanes::registers; ++r) {
                const int first = p + r * register_floats;
                v.reg[r] = int8_to_float(codes + first) * scales[first / 16];
            }
            return v;
        }
    };
    /// qh's bytes for register `from` of the 64 elements of two quarters, p mod 2 shifts them by
    /// two.
    TBX_INLINE static octets high_bits(const std::byte* qh, int from) {
#if defined(__AVX512F__)
        (void)from;
        const auto even = load<__m256i>(qh);
        return bits<octets>(
            _mm512_inserti64x4(_mm512_castsi256_si512(even), _mm256_srli_epi16(even, 2), 1));
#else
        const octets both = load<octets>(qh + from % 32);
        return from < 32 ? both : both >> 2;
#endif
    }
    TBX_INLINE block open(std::int64_t i) const {
        const std::byte* from = row + i / step * step_bytes;
        block b;
        for (int h = 0; h < 2; ++h)
            for (int l = 0; l < 64; l += static_cast<int>(sizeof(octets))) {
                const octets four = load<octets>(from + 64 * h + l);
                const octets two = high_bits(from + 128 + 32 * h, l);
                const octets low = ((four & 15) | ((two << 4) & 48)) - 32;
                const octets high = ((four >> 4) | (two & 48)) - 32;
                __builtin_memcpy(b.codes + 128 * h + l, &low, sizeof low);
                __builtin_memcpy(b.codes + 128 * h + 64 + l, &high, sizeof high);
            }
        const float d = half_scalar(from + 208);
        for (int s = 0; s < 16; s += register_floats) {
            const floats scales =
                int8_to_float(reinterpret_cast<const std::int8_t*>(from + 192 + s)) * d;
            __builtin_memcpy(b.scales + s, &scales, sizeof scales);
        }
        // g++ would keep them in registers and shuffle each out, on the one port that also widens.
        asm("" : "+m"(b));
        return b;
    }
    TBX_INLINE float one(std::int64_t) const { return 0; }  // rows are whole blocks
};

/// Calls f with the source that reads `type`.
template <class F>
TBX_INLINE auto with_source(number_type type, const std::byte* row, F f) {
    switch (type) {
        case number_type::f16:
            return f(from_f16{{row}});
        case number_type::bf16:
            return f(from_bf16{{row}});
        case number_type::q8_0:
            return f(from_q8_0{row});
        case number_type::q6_k:
            return f(from_q6_k{row});
        case number_type::f32:
            break;
    }
    return f(from_f32{{row}});
}

}  // namespace
}  // namespace tbx::model
