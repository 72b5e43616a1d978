// SPDX-License-Identifier: MIT
// The float steps of every back end, bit for bit: each operation rounded by itself.
#include <cmath>
#include <cstring>

#include "runnable.hpp"
#include "trilobit/core/float16.hpp"

using namespace simd_test;
using trilobit::testing::generator;

TEST_CASE("scale_add16 multiplies, multiplies and adds, rounding three times", "[simd]") {
    for (const primitives* p : runnable()) {
        CAPTURE(p->name);
        generator r(1);
        int wrong = 0, fused = 0;
        for (int round = 0; round < 20000; ++round) {
            lanes<float> sum, want, scale;
            lanes<std::int32_t> acc;
            const float by = r.spread();
            for (int i = 0; i < 16; ++i) {
                sum[i] = r.spread() * 100.0f;
                scale[i] = r.spread();
                acc[i] = static_cast<std::int32_t>(
                    round % 2 == 0 ? r.between(-2147483648, 2147483647) : r.between(-99, 99));
                volatile float factor = scale[i] * by;
                volatile float product = static_cast<float>(acc[i]) * factor;
                volatile float total = sum[i] + product;
                want[i] = total;
                fused += std::fma(static_cast<float>(acc[i]), factor, sum[i]) != total;
            }
            p->scale_add16(sum.at, acc.at, scale.at, by);
            wrong += std::memcmp(sum.at, want.at, sizeof sum.at) != 0;
        }
        CHECK(wrong == 0);
        CHECK(fused > 0);  // the inputs can tell a contracted sum apart
    }
}

TEST_CASE("load_f16x16 widens every half, subnormals included", "[simd]") {
    for (const primitives* p : runnable()) {
        CAPTURE(p->name);
        int wrong = 0;
        for (unsigned first = 0; first < 0x10000u; first += 16) {
            alignas(64) std::uint16_t halves[17];
            lanes<float> out;
            for (int shift = 0; shift < 2; ++shift) {
                for (unsigned i = 0; i < 16; ++i)
                    halves[i + static_cast<unsigned>(shift)] =
                        static_cast<std::uint16_t>(first + i);
                p->load_f16x16(halves + shift, out.at);
                for (int i = 0; i < 16; ++i) {
                    const float want = trilobit::f16_to_f32(halves[i + shift]);
                    const float got = out[i];
                    wrong += std::isnan(want) ? !std::isnan(got)
                                              : std::memcmp(&got, &want, sizeof got) != 0;
                }
            }
        }
        CHECK(wrong == 0);
    }
}
