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
    using octets_of_16 = typename n::octets_of_16;
    using octets_of_32 = typename n::octets_of_32;

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

    /// f16 scale, 16 bytes: 16 numbers in low nibbles, the next 16 in high ones.
    struct nibbles {
        static constexpr int step = 32, step_bytes = 18;
        const std::byte* row;

        struct block {
            alignas(64) std::int8_t codes[32];
            floats scale;
            TRILOBIT_INLINE lanes at(int) const {
                lanes v;
                for (int r = 0; r < lanes::registers; ++r)
                    v.reg[r] = n::int8_to_float(codes + r * n::size) * scale;
                return v;
            }
        };
        TRILOBIT_INLINE float one(std::int64_t) const { return 0; }  // rows are whole blocks
    };

    struct q4_0 : nibbles {
        TRILOBIT_INLINE typename nibbles::block open(std::int64_t i) const {
            const std::byte* from = this->row + i / nibbles::step * nibbles::step_bytes;
            const auto two = load<octets_of_16>(from + 2);
            const octets_of_16 low = (two & 15) - 8, high = (two >> 4) - 8;
            typename nibbles::block b;
            __builtin_memcpy(b.codes, &low, sizeof low);
            __builtin_memcpy(b.codes + 16, &high, sizeof high);
            b.scale = n::half_everywhere(from);
            return b;
        }
    };

    struct iq4_nl : nibbles {
        static constexpr std::int8_t levels[16] = {-127, -104, -83, -65, -49, -35, -22, -10,
                                                   1,    13,   25,  38,  53,  69,  89,  113};
        TRILOBIT_INLINE typename nibbles::block open(std::int64_t i) const {
            const std::byte* from = this->row + i / nibbles::step * nibbles::step_bytes;
            typename nibbles::block b;
            for (int k = 0; k < 16; ++k) {
                const auto two = static_cast<unsigned>(from[2 + k]);
                b.codes[k] = levels[two & 15];
                b.codes[k + 16] = levels[two >> 4];
            }
            b.scale = n::half_everywhere(from);
            return b;
        }
    };

    /// Q4_K and Q5_K. d and dmin, f16; 12 bytes of a scale and a minimum of 6 bits for each 32 of
    /// 256 numbers; of Q5_K 32 bytes, whose bit j is the fifth of number 32 j + l; 128 bytes of
    /// nibbles, each 32 of which hold 32 numbers in low ones and the next 32 in high ones.
    template <bool Fifth>
    struct k_nibbles {
        static constexpr int step = 256, step_bytes = Fifth ? 176 : 144;
        const std::byte* row;

        struct block {
            alignas(64) std::int8_t codes[256];
            float steps[8], least[8];
            TRILOBIT_INLINE lanes at(int p) const {
                lanes v;
                for (int r = 0; r < lanes::registers; ++r)
                    v.reg[r] =
                        n::int8_to_float(codes + p + r * n::size) * steps[p / 32] - least[p / 32];
                return v;
            }
        };
        TRILOBIT_INLINE block open(std::int64_t i) const {
            const std::byte* from = row + i / step * step_bytes;
            block b;
            for (int l = 0; l < 32; l += static_cast<int>(sizeof(octets_of_32))) {
                octets_of_32 fifth = {};
                if constexpr (Fifth) fifth = load<octets_of_32>(from + 16 + l);
                for (int j = 0; j < 8; j += 2) {
                    const auto two = load<octets_of_32>(from + step_bytes - 128 + 16 * j + l);
                    const octets_of_32 low = (two & 15) | ((fifth & 1) << 4);
                    const octets_of_32 high = (two >> 4) | ((fifth & 2) << 3);
                    __builtin_memcpy(b.codes + 32 * j + l, &low, sizeof low);
                    __builtin_memcpy(b.codes + 32 * j + 32 + l, &high, sizeof high);
                    fifth >>= 2;
                }
            }
            const float d = n::half_scalar(from), dmin = n::half_scalar(from + 2);
            for (int j = 0; j < 8; ++j) {
                const auto at = [=](int k) { return static_cast<unsigned>(from[4 + k]); };
                const unsigned scale = j < 4 ? at(j) & 63 : (at(j + 4) & 15) | at(j - 4) >> 6 << 4;
                const unsigned least = j < 4 ? at(j + 4) & 63 : at(j + 4) >> 4 | at(j) >> 6 << 4;
                b.steps[j] = d * static_cast<float>(scale);
                b.least[j] = dmin * static_cast<float>(least);
            }
            asm("" : "+m"(b));  // as of Q6_K
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
            case number_type::q4_0:
                return f(q4_0{{row}});
            case number_type::iq4_nl:
                return f(iq4_nl{{row}});
            case number_type::q4_k:
                return f(k_nibbles<false>{row});
            case number_type::q5_k:
                return f(k_nibbles<true>{row});
            case number_type::f32:
                break;
        }
        return f(f32{{row}});
    }
};

}  // namespace tbx::model::dense
