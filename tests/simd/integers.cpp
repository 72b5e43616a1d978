// SPDX-License-Identifier: MIT
// Sums and counts of every back end against scalar code.
#include <algorithm>
#include <bit>

#include "runnable.hpp"

using namespace simd_test;
using trilobit::testing::generator;

TEST_CASE("generic is always there", "[simd]") {
    const auto all = runnable();
    REQUIRE_FALSE(all.empty());
    CHECK(all.front()->name == "generic");
}

TEST_CASE("dot4 adds four products to each lane", "[simd]") {
    for (const primitives* p : runnable()) {
        CAPTURE(p->name);
        generator r(1);
        int wrong = 0;
        // Where dot4 stages in int16, pairs that would saturate are not its business.
        const auto fits = [&](int u0, int s0, int u1, int s1) {
            const int pair = u0 * s0 + u1 * s1;
            return p->exact_dot4 || (pair >= -32768 && pair <= 32767);
        };
        for (int round = 0; round < 20000; ++round) {
            lanes<std::uint8_t> u;
            lanes<std::int8_t> s;
            lanes<std::int32_t> sum, want;
            for (int i = 0; i < p->width; i += 2) do {
                    u[i] = extreme_byte(r), u[i + 1] = extreme_byte(r);
                    s[i] = static_cast<std::int8_t>(extreme_byte(r));
                    s[i + 1] = static_cast<std::int8_t>(extreme_byte(r));
                } while (!fits(u[i], s[i], u[i + 1], s[i + 1]));
            for (int i = 0; i < p->width / 4; ++i) {
                want[i] = sum[i] = static_cast<std::int32_t>(r.between(-1000000000, 1000000000));
                for (int t = 0; t < 4; ++t) want[i] += u[4 * i + t] * s[4 * i + t];
            }
            p->dot4(sum.at, u.at, s.at);
            for (int i = 0; i < p->width / 4; ++i) wrong += sum[i] != want[i];
        }
        CHECK(wrong == 0);
    }
}

TEST_CASE("dot4 is exact for every pair of bytes that its contract allows", "[simd]") {
    for (const primitives* p : runnable()) {
        CAPTURE(p->name, p->exact_dot4);
        int wrong = 0;
        for (int u0 = 0; u0 < 256; ++u0)
            for (int s0 = -128; s0 < 128; ++s0) {
                lanes<std::uint8_t> u;
                lanes<std::int8_t> s;
                lanes<std::int32_t> sum;
                // Alone in its pair, so that both kinds must be exact; four times where it may.
                for (int i = 0; i < p->width; i += p->exact_dot4 ? 1 : 2) {
                    u[i] = static_cast<std::uint8_t>(u0);
                    s[i] = static_cast<std::int8_t>(s0);
                }
                p->dot4(sum.at, u.at, s.at);
                const int want = u0 * s0 * (p->exact_dot4 ? 4 : 2);
                for (int i = 0; i < p->width / 4; ++i) wrong += sum[i] != want;
            }
        CHECK(wrong == 0);
    }
}

TEST_CASE("madd2 adds two products whose sum fits an int16", "[simd]") {
    for (const primitives* p : runnable()) {
        CAPTURE(p->name);
        generator r(2);
        int wrong = 0, extreme = 0;
        for (int round = 0; round < 20000; ++round) {
            lanes<std::uint8_t> u;
            lanes<std::int8_t> s;
            lanes<std::int16_t> out;
            for (int i = 0; i < p->width; i += 2) {
                int sum;
                do {
                    for (int k = i; k < i + 2; ++k) {
                        u[k] = extreme_byte(r);
                        s[k] = static_cast<std::int8_t>(extreme_byte(r));
                    }
                    sum = u[i] * s[i] + u[i + 1] * s[i + 1];
                } while (sum < -32768 || sum > 32767);
                extreme += sum < -32000 || sum > 32000;
            }
            p->madd2(u.at, s.at, out.at);
            for (int i = 0; i < p->width / 2; ++i)
                wrong += out[i] != u[2 * i] * s[2 * i] + u[2 * i + 1] * s[2 * i + 1];
        }
        CHECK(wrong == 0);
        CHECK(extreme > 0);
    }
}

TEST_CASE("dot2 adds two products of int16 to each int32, widen_add two numbers", "[simd]") {
    for (const primitives* p : runnable()) {
        CAPTURE(p->name);
        generator r(3);
        const auto number = [&] {
            constexpr std::int16_t extremes[] = {-32768, -32767, -1, 0, 1, 32767};
            return r.between(0, 1) == 0 ? extremes[r.between(0, 5)]
                                        : static_cast<std::int16_t>(r.between(-32768, 32767));
        };
        int wrong = 0;
        for (int round = 0; round < 20000; ++round) {
            lanes<std::int16_t> v, factor;
            lanes<std::int32_t> sum, dot, want_sum, want_dot;
            for (int i = 0; i < p->width / 2; ++i) {
                v[i] = number();
                factor[i] = static_cast<std::int16_t>(r.between(-16, 16));
            }
            for (int i = 0; i < p->width / 4; ++i) {
                sum[i] = dot[i] = static_cast<std::int32_t>(r.between(-2000000000, 2000000000));
                want_sum[i] = sum[i] + v[2 * i] + v[2 * i + 1];
                want_dot[i] = sum[i] + v[2 * i] * factor[2 * i] + v[2 * i + 1] * factor[2 * i + 1];
            }
            p->widen_add(sum.at, v.at);
            p->dot2(dot.at, v.at, factor.at);
            for (int i = 0; i < p->width / 4; ++i)
                wrong += (sum[i] != want_sum[i]) + (dot[i] != want_dot[i]);
        }
        CHECK(wrong == 0);
    }
}

TEST_CASE("popcount_bytes counts every byte in every place", "[simd]") {
    for (const primitives* p : runnable()) {
        CAPTURE(p->name);
        int wrong = 0;
        for (int byte = 0; byte < 256; ++byte)
            for (int other : {0x00, 0xff, 0xa5}) {
                for (int at = 0; at < p->width; ++at) {
                    lanes<std::uint8_t> v, out;
                    for (int i = 0; i < p->width; ++i)
                        v[i] = static_cast<std::uint8_t>(i == at ? byte : other);
                    p->popcount_bytes(v.at, out.at);
                    for (int i = 0; i < p->width; ++i) wrong += out[i] != std::popcount(v[i]);
                }
            }
        CHECK(wrong == 0);
    }
}

TEST_CASE("broadcast4 repeats four bytes from any address", "[simd]") {
    for (const primitives* p : runnable()) {
        CAPTURE(p->name);
        lanes<std::uint8_t> from, out;
        for (int i = 0; i < 64; ++i) from[i] = static_cast<std::uint8_t>(200 + i);
        int wrong = 0;
        for (int shift = 0; shift <= 60; ++shift) {
            p->broadcast4(from.at + shift, out.at);
            for (int i = 0; i < p->width; ++i) wrong += out[i] != from[shift + i % 4];
        }
        CHECK(wrong == 0);
    }
}

TEST_CASE("shift_right moves within 16 bits", "[simd]") {
    for (const primitives* p : runnable()) {
        CAPTURE(p->name);
        generator r(4);
        int wrong = 0;
        for (int round = 0; round < 1000; ++round) {
            lanes<std::uint8_t> v, out;
            for (int i = 0; i < p->width; ++i) v[i] = extreme_byte(r);
            p->shift_right4(v.at, out.at);
            for (int i = 0; i < p->width; i += 2) {
                const int shifted = (v[i] | v[i + 1] << 8) >> 4;
                wrong += (out[i] | out[i + 1] << 8) != shifted;
            }
        }
        CHECK(wrong == 0);
    }
}

TEST_CASE("transpose8 exchanges rows and columns, each with its stride", "[simd]") {
    for (const primitives* p : runnable()) {
        CAPTURE(p->name);
        alignas(64) std::int16_t from[8 * 24], to[8 * 16];
        for (int i = 0; i < 8 * 24; ++i) from[i] = static_cast<std::int16_t>(331 * i - 32768);
        std::fill_n(to, 8 * 16, std::int16_t{77});
        p->transpose8(from, 24, to, 16);
        int wrong = 0;
        for (int i = 0; i < 8; ++i)
            for (int j = 0; j < 16; ++j) wrong += to[16 * i + j] != (j < 8 ? from[24 * j + i] : 77);
        CHECK(wrong == 0);
    }
}

TEST_CASE("add_signed adds, takes away or leaves a byte", "[simd]") {
    for (const primitives* p : runnable()) {
        CAPTURE(p->name);
        generator r(8);
        int wrong = 0;
        for (int round = 0; round < 2000; ++round) {
            lanes<std::uint8_t> sum, value, sign, out;
            for (int i = 0; i < p->width; ++i) {
                out[i] = sum[i] = extreme_byte(r), value[i] = extreme_byte(r);
                sign[i] = static_cast<std::uint8_t>(r.between(-1, 1));
            }
            p->add_signed(out.at, value.at, sign.at);
            for (int i = 0; i < p->width; ++i) {
                const int by = sign[i] == 0xff ? -1 : sign[i];
                wrong += out[i] != static_cast<std::uint8_t>(sum[i] + by * value[i]);
            }
        }
        CHECK(wrong == 0);
    }
}

TEST_CASE("sign_of makes of bit 7 what add_signed takes", "[simd]") {
    for (const primitives* p : runnable()) {
        CAPTURE(p->name);
        generator r(8);
        int wrong = 0;
        for (int round = 0; round < 2000; ++round) {
            lanes<std::uint8_t> sum, value, sign, out;
            for (int i = 0; i < p->width; ++i)
                out[i] = sum[i] = extreme_byte(r), value[i] = extreme_byte(r),
                sign[i] = extreme_byte(r);
            p->add_by_sign(out.at, value.at, sign.at);
            for (int i = 0; i < p->width; ++i) {
                const int by = sign[i] < 128 ? 1 : -1;
                wrong += out[i] != static_cast<std::uint8_t>(sum[i] + by * value[i]);
            }
        }
        CHECK(wrong == 0);
    }
}

TEST_CASE("zero_where_equal keeps the bytes that differ", "[simd]") {
    for (const primitives* p : runnable()) {
        CAPTURE(p->name);
        generator r(9);
        int wrong = 0;
        for (int round = 0; round < 2000; ++round) {
            lanes<std::uint8_t> v, a, b, zero;
            for (int i = 0; i < p->width; ++i) {
                zero[i] = v[i] = extreme_byte(r), a[i] = extreme_byte(r);
                b[i] = r.between(0, 1) == 0 ? a[i] : extreme_byte(r);
            }
            p->zero_where_equal(zero.at, a.at, b.at);
            for (int i = 0; i < p->width; ++i) wrong += zero[i] != (a[i] == b[i] ? 0 : v[i]);
        }
        CHECK(wrong == 0);
    }
}

TEST_CASE("masked_xor keeps the bits of the difference that the mask has", "[simd]") {
    for (const primitives* p : runnable()) {
        CAPTURE(p->name);
        generator r(7);
        int wrong = 0;
        for (int round = 0; round < 2000; ++round) {
            lanes<std::uint8_t> mask, a, b, out;
            for (int i = 0; i < p->width; ++i)
                mask[i] = extreme_byte(r), a[i] = extreme_byte(r), b[i] = extreme_byte(r);
            p->masked_xor(mask.at, a.at, b.at, out.at);
            for (int i = 0; i < p->width; ++i) wrong += out[i] != (mask[i] & (a[i] ^ b[i]));
        }
        CHECK(wrong == 0);
    }
}
