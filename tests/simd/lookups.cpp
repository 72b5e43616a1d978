// SPDX-License-Identifier: MIT
// lookup128 of every back end against a table in memory.
#include "runnable.hpp"

using namespace simd_test;
using trilobit::testing::generator;

namespace {

struct table128 {
    alignas(64) std::int8_t at[128];
    explicit table128(std::uint64_t seed) {
        generator r(seed);
        for (std::int8_t& v : at) v = static_cast<std::int8_t>(r.between(-127, 127));
        at[0] = seed % 2 == 0 ? 127 : -127;
        at[127] = -127;
    }
};

}  // namespace

TEST_CASE("lookup128 finds every index in every place, negated for negative ones", "[simd]") {
    for (const primitives* p : runnable()) {
        CAPTURE(p->name);
        int wrong = 0;
        for (std::uint64_t seed = 1; seed <= 4; ++seed) {
            const table128 table(seed);
            for (int first = 0; first < 256; ++first) {
                lanes<std::uint8_t> index;
                lanes<std::int8_t> out;
                for (int i = 0; i < p->width; ++i)
                    index[i] = static_cast<std::uint8_t>(first + 37 * i);
                p->lookup128(table.at, index.at, out.at);
                for (int i = 0; i < p->width; ++i) {
                    const int code = static_cast<std::int8_t>(index[i]);
                    if (code == -128) continue;
                    wrong += out[i] != (code < 0 ? -table.at[-code] : table.at[code]);
                }
            }
        }
        CHECK(wrong == 0);
    }
}

TEST_CASE("lookup128 of -128 is some entry of the table", "[simd]") {
    for (const primitives* p : runnable()) {
        CAPTURE(p->name);
        table128 table(5);
        for (std::int8_t& v : table.at) v = 3;
        lanes<std::uint8_t> index;
        lanes<std::int8_t> out;
        for (int i = 0; i < p->width; ++i) index[i] = 0x80;
        p->lookup128(table.at, index.at, out.at);
        int wrong = 0;
        for (int i = 0; i < p->width; ++i) wrong += out[i] != 3 && out[i] != -3;
        CHECK(wrong == 0);
    }
}
