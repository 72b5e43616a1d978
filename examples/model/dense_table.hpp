// SPDX-License-Identifier: MIT
// Room examples/model. Enters: an instruction set, whose flags this is compiled with. Leaves: its
// table of the float loops of a transformer. trilobit_per_arch() compiles it once for each set.
//
// Nothing here calls an inline function of the standard library: it would be compiled with these
// flags, might be the copy that the linker keeps, and would then crash on an older processor.
#pragma once

#include "model/dense_numbers.hpp"

namespace tbx::model {

template <class Arch>
struct dense_of {
    using n = dense::numbers<Arch>;
    using from = dense::sources<Arch>;
    using lanes = typename n::lanes;
    using floats = typename n::floats;
    using integers = typename n::integers;

    // The one order of every sum

    /// Halves added until one is left. By templates: of loops g++ made a hundred instructions.
    template <int Count>
    TRILOBIT_INLINE static float folded(const float* s) {
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

        TRILOBIT_INLINE void add(const lanes& a, const float* x) {
            for (int r = 0; r < lanes::registers; ++r)
                sum.reg[r] += a.reg[r] * dense::load<floats>(x + r * n::size);
        }
        TRILOBIT_INLINE void add(const lanes& a) {
            for (int r = 0; r < lanes::registers; ++r) sum.reg[r] += a.reg[r];
        }
        /// `tail[i]` goes to lane i; a lane beyond `count` stays as it is.
        TRILOBIT_INLINE float total_with(const float* tail, std::int64_t count) const {
            float s[lanes::count];
            __builtin_memcpy(s, &sum, sizeof s);
            for (std::int64_t i = 0; i < count; ++i) s[i] += tail[i];
            return folded<lanes::count>(s);
        }
        TRILOBIT_INLINE float total() const {
            lanes v = sum;
            for (int half = lanes::registers / 2; half > 0; half /= 2)
                for (int r = 0; r < half; ++r) v.reg[r] += v.reg[r + half];
            float s[n::size];
            __builtin_memcpy(s, &v, sizeof s);
            return folded<n::size>(s);
        }
    };

    static void decode(number_type type, const std::byte* row, std::int64_t cols, float* out) {
        from::with(type, row, [=](auto source) {
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

    /// One weight row against `Count` activation rows: its numbers are read and widened once.
    template <int Count, class Source>
    TRILOBIT_INLINE static void dot_block(Source source, const float* x, std::int64_t x_stride,
                                          std::int64_t cols, float* y, std::int64_t y_stride) {
        accumulator sum[Count];
        const std::int64_t whole = cols / Source::step * Source::step;
        for (std::int64_t i = 0; i < whole; i += Source::step) {
            for (int line = 0; line < Source::step_bytes; line += 64)
                n::prefetch(source.row,
                            i / Source::step * Source::step_bytes + line + dense::read_ahead);
            const auto some = source.open(i);
            for (int p = 0; p < Source::step; p += lanes::count) {
                const lanes weights = some.at(p);
                for (int t = 0; t < Count; ++t) sum[t].add(weights, x + t * x_stride + i + p);
            }
        }
        for (int t = 0; t < Count; ++t) {
            if (whole == cols) {
                y[t * y_stride] = sum[t].total();
                continue;
            }
            float tail[lanes::count];
            for (std::int64_t i = whole; i < cols; ++i)
                tail[i - whole] = source.one(i) * x[t * x_stride + i];
            y[t * y_stride] = sum[t].total_with(tail, cols - whole);
        }
    }

    static float dot(number_type type, const std::byte* row, const float* x, std::int64_t cols) {
        float y;
        from::with(type, row, [&](auto source) { dot_block<1>(source, x, 0, cols, &y, 0); });
        return y;
    }

    static void dot_many(number_type type, const std::byte* row, const float* x,
                         std::int64_t x_stride, std::int64_t count, std::int64_t cols, float* y,
                         std::int64_t y_stride) {
        from::with(type, row, [&](auto source) {
            by_registers(count, [&]<int Count>(std::int64_t t) {
                dot_block<Count>(source, x + t * x_stride, x_stride, cols, y + t * y_stride,
                                 y_stride);
            });
        });
    }

    /// f<Count>(first) for all of `count` in order, Count at a time, which is as many sums as leave
    /// registers for what they share and for loading.
    template <class F>
    TRILOBIT_INLINE static void by_registers(std::int64_t count, F f) {
        std::int64_t t = 0;
        const auto run = [&]<int Count>() {
            for (; t + Count <= count; t += Count) f.template operator()<Count>(t);
        };
        if constexpr (lanes::registers <= 2) {
            run.template operator()<8>();
            run.template operator()<4>();
        }
        if constexpr (lanes::registers <= 4) run.template operator()<2>();
        run.template operator()<1>();
    }

    TRILOBIT_INLINE static lanes kept_lanes(const std::uint16_t* b) {
        return typename from::f16{{reinterpret_cast<const std::byte*>(b)}}.at(0);
    }
    TRILOBIT_INLINE static lanes kept_lanes(const float* b) { return dense::load<lanes>(b); }
    TRILOBIT_INLINE static lanes kept_lanes(const std::int8_t* b) {
        lanes v;
        for (int r = 0; r < lanes::registers; ++r) v.reg[r] = n::int8_to_float(b + r * n::size);
        return v;
    }

    template <int Count, class Kept>
    TRILOBIT_INLINE static void combine_block(const float* a, std::int64_t a_stride, const Kept* b,
                                              std::int64_t b_stride, std::int64_t terms, float* out,
                                              std::int64_t out_stride) {
        constexpr auto size = static_cast<std::int64_t>(sizeof(Kept));
        lanes sum[Count] = {};
        for (std::int64_t k = 0; k < terms; ++k) {
            // A line takes about as long to come as 32 terms take to compute. Behind these keys lie
            // those of the next call.
            n::prefetch(b, (k + 32) * b_stride * size);
            const lanes v = kept_lanes(b + k * b_stride);
            for (int q = 0; q < Count; ++q)
                for (int r = 0; r < lanes::registers; ++r)
                    sum[q].reg[r] += v.reg[r] * a[q * a_stride + k];
        }
        for (int q = 0; q < Count; ++q)
            __builtin_memcpy(out + q * out_stride, &sum[q], sizeof sum[q]);
    }

    template <class Kept>
    static void combine(const float* a, std::int64_t a_stride, std::int64_t count, const Kept* b,
                        std::int64_t b_stride, std::int64_t terms, float* out,
                        std::int64_t out_stride) {
        by_registers(count, [&]<int Count>(std::int64_t q) {
            combine_block<Count>(a + q * a_stride, a_stride, b, b_stride, terms,
                                 out + q * out_stride, out_stride);
        });
    }

    // Element by element

    static void scale_by(float* out, const float* x, float scale, const float* w,
                         std::int64_t cols) {
        for (std::int64_t i = 0; i < cols; ++i) out[i] = x[i] * scale * w[i];
    }

    /// exp with a relative error below 3e-7: x = n ln 2 + r, and eight terms of the series of e^r,
    /// for |r| <= ln 2 / 2 (the next term is below 6e-9). Written out because every libm rounds
    /// differently.
    TRILOBIT_INLINE static floats exponential(floats x) {
        const floats most = floats{} + 88.0f, least = floats{} - 87.0f;
        x = x > most ? most : x;
        x = x < least ? least : x;
        constexpr float round_to_integer = 0x1.8p23f;
        const floats whole = (x * 1.44269504f + round_to_integer) - round_to_integer;
        // ln 2 in two pieces; the first has 9 bits, so that its product with `whole` is exact.
        const floats r = (x - whole * 0.693359375f) - whole * -2.12194440e-4f;
        floats series = floats{} + 1.0f / 5040.0f;
        series = series * r + 1.0f / 720.0f;
        series = series * r + 1.0f / 120.0f;
        series = series * r + 1.0f / 24.0f;
        series = series * r + 1.0f / 6.0f;
        series = series * r + 0.5f;
        series = series * r + 1.0f;
        series = series * r + 1.0f;
        const integers power = (__builtin_convertvector(whole, integers) + 127) << 23;
        return series * dense::bits<floats>(power);
    }

    /// x[i] = f(x[i], y[i]), a register at a time; the last few pass through padded copies.
    template <class F>
    TRILOBIT_INLINE static void map(float* x, const float* y, std::int64_t count, F f) {
        const std::int64_t whole = count / n::size * n::size;
        for (std::int64_t i = 0; i < whole; i += n::size) {
            const floats v = f(dense::load<floats>(x + i), dense::load<floats>(y + i));
            __builtin_memcpy(x + i, &v, sizeof v);
        }
        if (whole == count) return;
        float a[n::size] = {}, b[n::size] = {};
        for (std::int64_t i = whole; i < count; ++i) a[i - whole] = x[i], b[i - whole] = y[i];
        const floats v = f(dense::load<floats>(a), dense::load<floats>(b));
        for (std::int64_t i = whole; i < count; ++i) x[i] = v[i - whole];
    }

    static float exp_and_sum(float* x, float shift, float scale, std::int64_t count) {
        map(x, x, count, [=](floats v, floats) {
            const floats power = (v - shift) * scale;
            // Below e^-64 nothing can show in a float sum of terms up to 1, but its products would
            // be subnormal numbers, which processors multiply a hundred times slower.
            return power < -64.0f ? floats{} : exponential(power);
        });
        accumulator sum;
        const std::int64_t whole = count / lanes::count * lanes::count;
        for (std::int64_t i = 0; i < whole; i += lanes::count) sum.add(dense::load<lanes>(x + i));
        return sum.total_with(x + whole, count - whole);
    }

    static void silu_gate(float* gate, const float* up, std::int64_t count) {
        map(gate, up, count, [](floats g, floats u) { return g / (exponential(-g) + 1.0f) * u; });
    }

    static void squared_relu_gate(float* gate, const float* up, std::int64_t count) {
        map(gate, up, count, [](floats g, floats u) {
            const floats positive = g > 0.0f ? g : floats{};
            return positive * positive * u;
        });
    }

    static void gelu_gate(float* gate, const float* up, std::int64_t count) {
        map(gate, up, count, [](floats g, floats u) {
            const floats twice = (g + g * g * g * 0.044715f) * 1.5957691216f;
            return g / (exponential(-twice) + 1.0f) * u;
        });
    }

    static void to_f16(std::uint16_t* out, const float* x, std::int64_t count) {
        for (std::int64_t i = 0; i < count; ++i) {
            const auto all = dense::bits<std::uint32_t>(x[i]);
            const std::uint32_t sign = (all >> 16) & 0x8000u;
            const std::uint32_t magnitude = all & 0x7fffffffu;
            // Normal results: rebase the exponent and round the 13 lost bits to even.
            const std::uint32_t rebased = magnitude - (112u << 23);
            const std::uint32_t normal = (rebased + 0xfffu + ((rebased >> 13) & 1u)) >> 13;
            // Subnormal results: 0.5 has its last bit at 2^-24, so the addition itself rounds.
            const std::uint32_t tiny = magnitude < 0x38800000u ? magnitude : 0u;
            const std::uint32_t small =
                dense::bits<std::uint32_t>(dense::bits<float>(tiny) + 0.5f) & 0x7ffu;
            std::uint32_t half = magnitude < 0x38800000u ? small : normal;
            half = magnitude > 0x477fe000u ? 0x7bffu : half;  // the largest half, 65504
            half = magnitude > 0x7f800000u ? 0x7e00u : half;  // NaN stays one
            out[i] = static_cast<std::uint16_t>(sign | half);
        }
    }

    /// Integers add up to the same in any order.
    static std::int32_t dot_int8(const std::int8_t* w, const std::int16_t* x, std::int64_t cols) {
        std::int64_t i;
        std::int32_t sum = n::dot_int8(w, x, cols, i);
        for (; i < cols; ++i) sum += static_cast<std::int32_t>(w[i]) * x[i];
        return sum;
    }

    static constexpr dense_kernels table = {Arch::name,
                                            decode,
                                            dot,
                                            dot_many,
                                            combine<std::uint16_t>,
                                            scale_by,
                                            exp_and_sum,
                                            silu_gate,
                                            squared_relu_gate,
                                            gelu_gate,
                                            to_f16,
                                            dot_int8,
                                            combine<float>,
                                            combine<std::int8_t>};
};

}  // namespace tbx::model
