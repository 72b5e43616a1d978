// SPDX-License-Identifier: MIT
// Room examples/model. Enters: a row as its file stores it. Leaves: 32 consecutive floats of it in
// registers. The part of dense_table.hpp that knows number formats.
#pragma once

#include "model/dense_registers.hpp"

namespace tbx::model::dense {

/// A source is a row whose columns are read `step` at a time, from `step_bytes` each: open(i) is
/// what is read at column i, a multiple of step, and at(p) of that gives the 32 floats p columns
/// further on. one(i) is a single column of a row that need not end with a step.
template <class Arch>
struct sources {
    using n = numbers<Arch>;
    using lanes = typename n::lanes;
    using floats = typename n::floats;
    using words = typename n::words;
    using halves = typename n::halves;
    using octets = typename n::octets;

    /// Numbers one by one: what is opened is the rest of the row.
    template <class Source, int Bytes>
    struct plain {
        static constexpr int step = 32, step_bytes = step * Bytes;
        const std::byte* row;
        TRILOBIT_INLINE const std::byte* number(std::int64_t i) const { return row + Bytes * i; }
        TRILOBIT_INLINE Source open(std::int64_t i) const { return Source{{number(i)}}; }
        TRILOBIT_INLINE lanes at(int p) const {
            lanes v;
            for (int r = 0; r < lanes::registers; ++r)
                v.reg[r] = Source::read(number(p + r * n::size));
            return v;
        }
    };

    struct f32 : plain<f32, 4> {
        TRILOBIT_INLINE static floats read(const std::byte* from) { return load<floats>(from); }
        TRILOBIT_INLINE float one(std::int64_t i) const { return load<float>(this->number(i)); }
    };

    struct f16 : plain<f16, 2> {
        TRILOBIT_INLINE static floats read(const std::byte* from) { return n::half_to_float(from); }
        TRILOBIT_INLINE float one(std::int64_t i) const { return n::half_scalar(this->number(i)); }
    };

    struct bf16 : plain<bf16, 2> {
        TRILOBIT_INLINE static floats read(const std::byte* from) {
            return bits<floats>(__builtin_convertvector(load<halves>(from), words) << 16);
        }
        TRILOBIT_INLINE float one(std::int64_t i) const {
            return bits<float>(std::uint32_t{load<std::uint16_t>(this->number(i))} << 16);
        }
    };

    /// f16 scale, 32 int8.
    struct q8_0 {
        static constexpr int step = 32, step_bytes = 34;
        const std::byte* row;
        TRILOBIT_INLINE q8_0 open(std::int64_t i) const { return {row + i / step * step_bytes}; }
        TRILOBIT_INLINE lanes at(int) const {
            const floats scale = n::half_everywhere(row);
            const auto* q = reinterpret_cast<const std::int8_t*>(row + 2);
            lanes v;
            for (int r = 0; r < lanes::registers; ++r)
                v.reg[r] = n::int8_to_float(q + r * n::size) * scale;
            return v;
        }
        TRILOBIT_INLINE float one(std::int64_t) const { return 0; }  // rows are whole blocks
    };

    /// ql[128], qh[64], int8 scales[16], f16 d. Half h of 128 elements, quarter p of 32 inside it:
    /// the low four bits of element l are in ql[64h + 32(p mod 2) + l] (high nibble when p >= 2),
    /// the two high bits in bits 2p+1..2p of qh[32h + l]; elements of 16 share a scale.
    struct q6_k {
        static constexpr int step = 256, step_bytes = 210;
        const std::byte* row;

        // A whole block: integers are put together 64 at a time, and a load widens them, or spreads
        // a scale over a register, for nothing. One by one, both took longer than the products.
        struct block {
            alignas(64) std::int8_t codes[256];
            alignas(64) float scales[16];
            TRILOBIT_INLINE lanes at(int p) const {
                lanes v;
                for (int r = 0; r < lanes::registers; ++r) {
                    const int first = p + r * n::size;
                    v.reg[r] = n::int8_to_float(codes + first) * scales[first / 16];
                }
                return v;
            }
        };
        TRILOBIT_INLINE block open(std::int64_t i) const {
            const std::byte* from = row + i / step * step_bytes;
            block b;
            for (int h = 0; h < 2; ++h)
                for (int l = 0; l < 64; l += n::bytes) {
                    const octets four = load<octets>(from + 64 * h + l);
                    const octets two = n::shifted_twice(from + 128 + 32 * h, l);
                    const octets low = ((four & 15) | ((two << 4) & 48)) - 32;
                    const octets high = ((four >> 4) | (two & 48)) - 32;
                    __builtin_memcpy(b.codes + 128 * h + l, &low, sizeof low);
                    __builtin_memcpy(b.codes + 128 * h + 64 + l, &high, sizeof high);
                }
            const float d = n::half_scalar(from + 208);
            for (int s = 0; s < 16; s += n::size) {
                const floats scales =
                    n::int8_to_float(reinterpret_cast<const std::int8_t*>(from + 192 + s)) * d;
                __builtin_memcpy(b.scales + s, &scales, sizeof scales);
            }
            // g++ would keep them in registers and shuffle each out, on the one port that widens.
            asm("" : "+m"(b));
            return b;
        }
        TRILOBIT_INLINE float one(std::int64_t) const { return 0; }  // rows are whole blocks
    };

    /// Calls f with the source that reads `type`.
    template <class F>
    TRILOBIT_INLINE static auto with(number_type type, const std::byte* row, F f) {
        switch (type) {
            case number_type::f16:
                return f(f16{{row}});
            case number_type::bf16:
                return f(bf16{{row}});
            case number_type::q8_0:
                return f(q8_0{row});
            case number_type::q6_k:
                return f(q6_k{row});
            case number_type::f32:
                break;
        }
        return f(f32{{row}});
    }
};

}  // namespace tbx::model::dense
