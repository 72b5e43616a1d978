// SPDX-License-Identifier: MIT
// Room examples/model. Enters: TBX_DENSE_NAME, and the instruction set the compiler was told to
// use. Leaves: one dense_kernels table. Included by one translation unit per instruction set and by
// nothing else.
//
// Everything here has internal linkage and calls no inline function of the standard library: such a
// function would be compiled with this file's flags, might be the copy that the linker keeps, and
// would then crash on an older processor.
#pragma once

#include "model/dense_kernels.hpp"
#include "model/dense_numbers.hpp"

namespace tbx::model {
namespace {

// How far in front of what is computed a single row fetches. Left to the hardware, one thread read
// a head of 128256 x 2560 at 11 GB/s in F16 and 4.6 in Q8_0; so at 13.5 and 10.2, where plain
// reading gave 13 (one core of a shared Sapphire Rapids).
constexpr std::int64_t read_ahead = 4096;

// As an integer, because it may point behind the array.
TBX_INLINE void prefetch(const void* from, std::int64_t bytes) {
    const auto address =
        reinterpret_cast<std::uintptr_t>(from) + static_cast<std::uintptr_t>(bytes);
    __builtin_prefetch(reinterpret_cast<const void*>(address));
}

// The one order of every sum

/// Halves added until one is left. By templates, because of loops g++ made a hundred instructions.
template <int Count>
TBX_INLINE float folded(const float* s) {
    if constexpr (Count == 1) {
        return s[0];
    } else {
        float half[Count / 2];
        for (int i = 0; i < Count / 2; ++i) half[i] = s[i] + s[i + Count / 2];
        return folded<Count / 2>(half);
    }
}

struct accumulator {
    lanes sum = {};

    TBX_INLINE void add(const lanes& a, const float* x) {
        for (int r = 0; r < lanes::registers; ++r)
            sum.reg[r] += a.reg[r] * load<floats>(x + r * register_floats);
    }
    TBX_INLINE void add(const lanes& a) {
        for (int r = 0; r < lanes::registers; ++r) sum.reg[r] += a.reg[r];
    }
    /// `tail[i]` goes to lane i; a lane beyond `count` stays as it is.
    TBX_INLINE float total_with(const float* tail, std::int64_t count) const {
        float s[lanes::count];
        __builtin_memcpy(s, &sum, sizeof s);
        for (std::int64_t i = 0; i < count; ++i) s[i] += tail[i];
        return folded<lanes::count>(s);
    }
    TBX_INLINE float total() const {
        lanes v = sum;
        for (int half = lanes::registers / 2; half > 0; half /= 2)
            for (int r = 0; r < half; ++r) v.reg[r] += v.reg[r + half];
        float s[register_floats];
        __builtin_memcpy(s, &v, sizeof s);
        return folded<register_floats>(s);
    }
};

template <class Source>
TBX_INLINE float dot_source(Source source, const float* x, std::int64_t cols) {
    accumulator sum;
    const std::int64_t whole = cols / Source::step * Source::step;
    for (std::int64_t i = 0; i < whole; i += Source::step) {
        for (int line = 0; line < Source::step_bytes; line += 64)
            prefetch(source.row, i / Source::step * Source::step_bytes + line + read_ahead);
        const auto some = source.open(i);
        for (int p = 0; p < Source::step; p += lanes::count) sum.add(some.at(p), x + i + p);
    }
    if (whole == cols) return sum.total();
    float tail[lanes::count];
    for (std::int64_t i = whole; i < cols; ++i) tail[i - whole] = source.one(i) * x[i];
    return sum.total_with(tail, cols - whole);
}

void decode(number_type type, const std::byte* row, std::int64_t cols, float* out) {
    with_source(type, row, [=](auto source) {
        constexpr int step = decltype(source)::step;
        const std::int64_t whole = cols / step * step;
        for (std::int64_t i = 0; i < whole; i += step) {
            const auto some = source.open(i);
            for (int p = 0; p < step; p += lanes::count) {
                const lanes v = some.at(p);
                __builtin_memcpy(out + i + p, &v, sizeof v);
            }
        }
        for (std::int64_t i = whole; i < cols; ++i) out[i] = source.one(i);
    });
}

float dot(number_type type, const std::byte* row, const float* x, std::int64_t cols) {
    return with_source(type, row, [=](auto source) { return dot_source(source, x, cols); });
}

// `Count` activation rows against one weight row: the weights are loaded once.
template <int Count>
TBX_INLINE void dot_block(const float* w, const float* x, std::int64_t x_stride, std::int64_t cols,
                          float* y, std::int64_t y_stride) {
    accumulator sum[Count];
    const std::int64_t whole = cols / lanes::count * lanes::count;
    for (std::int64_t i = 0; i < whole; i += lanes::count) {
        const lanes weights = load<lanes>(w + i);
        for (int t = 0; t < Count; ++t) sum[t].add(weights, x + t * x_stride + i);
    }
    for (int t = 0; t < Count; ++t) {
        if (whole == cols) {
            y[t * y_stride] = sum[t].total();
            continue;
        }
        float tail[lanes::count];
        for (std::int64_t i = whole; i < cols; ++i) tail[i - whole] = w[i] * x[t * x_stride + i];
        y[t * y_stride] = sum[t].total_with(tail, cols - whole);
    }
}

void dot_many(const float* w, const float* x, std::int64_t x_stride, std::int64_t count,
              std::int64_t cols, float* y, std::int64_t y_stride) {
    // As many rows as leave a few registers for the weights and for loading.
#if defined(__AVX512F__)
    constexpr int block = 6;  // 12 sums of 32 registers
#elif defined(__AVX__)
    constexpr int block = 2;  // 8 sums of 16
#else
    constexpr int block = 1;  // 8 sums of 16
#endif
    std::int64_t t = 0;
    for (; t + block <= count; t += block)
        dot_block<block>(w, x + t * x_stride, x_stride, cols, y + t * y_stride, y_stride);
    for (; t < count; ++t)
        dot_block<1>(w, x + t * x_stride, x_stride, cols, y + t * y_stride, y_stride);
}

template <int Count>
TBX_INLINE void combine_block(const float* a, std::int64_t a_stride, const std::uint16_t* b,
                              std::int64_t b_stride, std::int64_t terms, float* out,
                              std::int64_t out_stride) {
    lanes sum[Count] = {};
    for (std::int64_t k = 0; k < terms; ++k) {
        // A line takes about as long to come as 32 terms take to compute. Behind these keys lie
        // those of the next call.
        prefetch(b, (k + 32) * b_stride * 2);
        const lanes v = from_f16{{reinterpret_cast<const std::byte*>(b + k * b_stride)}}.at(0);
        for (int q = 0; q < Count; ++q)
            for (int r = 0; r < lanes::registers; ++r)
                sum[q].reg[r] += v.reg[r] * a[q * a_stride + k];
    }
    for (int q = 0; q < Count; ++q) __builtin_memcpy(out + q * out_stride, &sum[q], sizeof sum[q]);
}

void combine(const float* a, std::int64_t a_stride, std::int64_t count, const std::uint16_t* b,
             std::int64_t b_stride, std::int64_t terms, float* out, std::int64_t out_stride) {
    std::int64_t q = 0;
    const auto run = [&]<int Count>() {
        for (; q + Count <= count; q += Count)
            combine_block<Count>(a + q * a_stride, a_stride, b, b_stride, terms,
                                 out + q * out_stride, out_stride);
    };
#if defined(__AVX512F__)
    run.template operator()<8>();
    run.template operator()<4>();
#endif
#if defined(__AVX__)
    run.template operator()<2>();
#endif
    run.template operator()<1>();
}

// Element by element

void scale_by(float* out, const float* x, float scale, const float* w, std::int64_t cols) {
    for (std::int64_t i = 0; i < cols; ++i) out[i] = x[i] * scale * w[i];
}

// exp with a relative error below 3e-7: x = n ln 2 + r, and eight terms of the series of e^r, for
// |r| <= ln 2 / 2 (the next term is below 6e-9). Written out because every libm rounds differently.
TBX_INLINE floats exponential(floats x) {
    const floats most = floats{} + 88.0f, least = floats{} - 87.0f;
    x = x > most ? most : x;
    x = x < least ? least : x;
    constexpr float round_to_integer = 0x1.8p23f;
    const floats n = (x * 1.44269504f + round_to_integer) - round_to_integer;
    // ln 2 in two pieces; the first has 9 bits, so that its product with n is exact.
    const floats r = (x - n * 0.693359375f) - n * -2.12194440e-4f;
    floats series = floats{} + 1.0f / 5040.0f;
    series = series * r + 1.0f / 720.0f;
    series = series * r + 1.0f / 120.0f;
    series = series * r + 1.0f / 24.0f;
    series = series * r + 1.0f / 6.0f;
    series = series * r + 0.5f;
    series = series * r + 1.0f;
    series = series * r + 1.0f;
    const integers power = (__builtin_convertvector(n, integers) + 127) << 23;
    return series * bits<floats>(power);
}

// x[i] = f(x[i], y[i]), a register at a time; the last few pass through padded copies.
template <class F>
TBX_INLINE void map(float* x, const float* y, std::int64_t count, F f) {
    const std::int64_t whole = count / register_floats * register_floats;
    for (std::int64_t i = 0; i < whole; i += register_floats) {
        const floats v = f(load<floats>(x + i), load<floats>(y + i));
        __builtin_memcpy(x + i, &v, sizeof v);
    }
    if (whole == count) return;
    float a[register_floats] = {}, b[register_floats] = {};
    for (std::int64_t i = whole; i < count; ++i) a[i - whole] = x[i], b[i - whole] = y[i];
    const floats v = f(load<floats>(a), load<floats>(b));
    for (std::int64_t i = whole; i < count; ++i) x[i] = v[i - whole];
}

float exp_and_sum(float* x, float shift, float scale, std::int64_t count) {
    map(x, x, count, [=](floats v, floats) {
        const floats power = (v - shift) * scale;
        // Below e^-64 nothing can show in a float sum of terms up to 1, but its products would be
        // subnormal numbers, which processors multiply a hundred times slower.
        return power < -64.0f ? floats{} : exponential(power);
    });
    accumulator sum;
    const std::int64_t whole = count / lanes::count * lanes::count;
    for (std::int64_t i = 0; i < whole; i += lanes::count) sum.add(load<lanes>(x + i));
    return sum.total_with(x + whole, count - whole);
}

void silu_gate(float* gate, const float* up, std::int64_t count) {
    map(gate, up, count, [](floats g, floats u) { return g / (exponential(-g) + 1.0f) * u; });
}

void squared_relu_gate(float* gate, const float* up, std::int64_t count) {
    map(gate, up, count, [](floats g, floats u) {
        const floats positive = g > 0.0f ? g : floats{};
        return positive * positive * u;
    });
}

void to_f16(std::uint16_t* out, const float* x, std::int64_t count) {
    for (std::int64_t i = 0; i < count; ++i) {
        const auto all = bits<std::uint32_t>(x[i]);
        const std::uint32_t sign = (all >> 16) & 0x8000u;
        const std::uint32_t magnitude = all & 0x7fffffffu;
        // Normal results: rebase the exponent and round the 13 lost bits to even.
        const std::uint32_t rebased = magnitude - (112u << 23);
        const std::uint32_t normal = (rebased + 0xfffu + ((rebased >> 13) & 1u)) >> 13;
        // Subnormal results: 0.5 has its last bit at 2^-24, so the addition itself rounds.
        const std::uint32_t tiny = magnitude < 0x38800000u ? magnitude : 0u;
        const std::uint32_t small = bits<std::uint32_t>(bits<float>(tiny) + 0.5f) & 0x7ffu;
        std::uint32_t half = magnitude < 0x38800000u ? small : normal;
        half = magnitude > 0x477fe000u ? 0x7bffu : half;  // the largest half, 65504
        half = magnitude > 0x7f800000u ? 0x7e00u : half;  // NaN stays one
        out[i] = static_cast<std::uint16_t>(sign | half);
    }
}

// 64 columns at a time in two chains; integers add up to the same in any order.
std::int32_t dot_int8(const std::int8_t* w, const std::int16_t* x, std::int64_t cols) {
    std::int64_t i = 0;
    std::int32_t sum = 0;
#if defined(__AVX512BW__)
    __m512i first = _mm512_setzero_si512(), second = first;
    for (; i + 64 <= cols; i += 64) {
        prefetch(w + i, read_ahead);
        const auto low = _mm512_cvtepi8_epi16(load<__m256i>(w + i));
        const auto high = _mm512_cvtepi8_epi16(load<__m256i>(w + i + 32));
        first = _mm512_add_epi32(first, _mm512_madd_epi16(low, load<__m512i>(x + i)));
        second = _mm512_add_epi32(second, _mm512_madd_epi16(high, load<__m512i>(x + i + 32)));
    }
    sum = _mm512_reduce_add_epi32(_mm512_add_epi32(first, second));
#elif defined(__AVX2__)
    __m256i part[4] = {};
    for (; i + 64 <= cols; i += 64) {
        prefetch(w + i, read_ahead);
        for (int p = 0; p < 4; ++p) {
            const auto codes = _mm256_cvtepi8_epi16(load<__m128i>(w + i + 16 * p));
            part[p] =
                _mm256_add_epi32(part[p], _mm256_madd_epi16(codes, load<__m256i>(x + i + 16 * p)));
        }
    }
    const __m256i all =
        _mm256_add_epi32(_mm256_add_epi32(part[0], part[1]), _mm256_add_epi32(part[2], part[3]));
    const auto eight = bits<integers>(all);
    for (int lane = 0; lane < register_floats; ++lane) sum += eight[lane];
#endif
    for (; i < cols; ++i) sum += static_cast<std::int32_t>(w[i]) * x[i];
    return sum;
}

constexpr dense_kernels table = {TBX_DENSE_NAME,    decode,   dot,         dot_many,
                                 combine,           scale_by, exp_and_sum, silu_gate,
                                 squared_relu_gate, to_f16,   dot_int8};

}  // namespace
}  // namespace tbx::model
