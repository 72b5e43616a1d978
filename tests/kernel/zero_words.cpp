// SPDX-License-Identifier: MIT
// Words of activations that are not zero: each is listed once, under its field and tile.
#include <catch2/catch_template_test_macros.hpp>
#include <catch2/catch_test_macros.hpp>
#include <map>
#include <vector>

#include "trilobit/kernel/dot_sparse.hpp"
#include "trilobit/testing/random.hpp"

using namespace trilobit;

namespace {

using dot_layouts = type_list<layout::ternary_2bit, layout::ternary_planes, layout::binary_1bit>;

std::int32_t word_at(const std::vector<std::int8_t>& x, std::int64_t i) {
    std::int32_t word;
    std::memcpy(&word, x.data() + 4 * i, sizeof word);
    return word;
}

}  // namespace

TEMPLATE_LIST_TEST_CASE("every word that is not zero is listed once", "[kernel]", dot_layouts) {
    using fields = kernel::dot_fields<TestType>;
    constexpr int count = fields::fields;
    testing::generator r(5);
    for (const std::int64_t tiles : {1, 2, 7, 64, 433})
        for (const int zeros : {0, 50, 90, 99, 100}) {
            std::vector<std::int8_t> x(static_cast<std::size_t>(tiles * TestType::tile_cols));
            for (std::int8_t& v : x)
                v = r.between(1, 100) <= zeros ? std::int8_t{0}
                                               : static_cast<std::int8_t>(r.between(-128, 127));
            std::vector<kernel::gathered_tile<fields>> list(static_cast<std::size_t>(tiles));
            const std::int32_t listed = kernel::gather_words<native_arch, fields>(
                x.data(), tiles, TestType::tile_bytes, list.data());
            std::int64_t longest = 0;
            std::map<std::pair<int, std::int32_t>, std::int32_t> want, got;
            for (int f = 0; f < count; ++f) {
                std::int64_t words = 0;
                for (std::int64_t k = 0; k < tiles; ++k)
                    if (const std::int32_t word = word_at(x, k * count + f); word != 0) {
                        want[{f, static_cast<std::int32_t>(k * TestType::tile_bytes)}] = word;
                        ++words;
                    }
                longest = std::max(longest, words);
            }
            CAPTURE(TestType::name, tiles, zeros, longest, listed);
            const bool pays = 8 * longest < kernel::gathered_for_eight<native_arch> * tiles;
            CHECK(listed == (pays ? longest : -1));
            int doubles = 0;
            for (std::int32_t i = 0; i < listed; ++i)
                for (int f = 0; f < count; ++f) {
                    const auto& g = list[static_cast<std::size_t>(i)];
                    if (g.word[f] == 0)
                        CHECK(g.offset[f] == 0);  // fills up a shorter list: any tile will do
                    else
                        doubles += !got.emplace(std::pair{f, g.offset[f]}, g.word[f]).second;
                }
            CHECK(doubles == 0);
            if (pays) CHECK(got == want);
        }
}
