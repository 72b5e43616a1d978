// SPDX-License-Identifier: MIT
// The checks are checked: kernels and layouts with one fault each must be caught and named.
#include <catch2/matchers/catch_matchers_string.hpp>
#include <set>

#include "active.hpp"
#include "trilobit/testing/conformance.hpp"

using namespace trilobit;

namespace {

using lay = layout::ternary_2bit;
using good = kernel::generic<arch::generic, lay, activation::int8>;

/// One unit too much for the last row of a block, for whole blocks only.
void wrong_by_one(const kernel::task& t, std::int64_t b0, std::int64_t b1, std::int64_t t0,
                  std::int64_t t1) noexcept {
    const kernel::sink inner = t.out;
    kernel::task mine = t;
    mine.out = {
        [](const void* to, const float* sums, std::int64_t token, std::int64_t row, int count) {
            float copy[64];
            std::copy_n(sums, count, copy);
            if (count == 16) copy[15] = std::nextafter(copy[15], 1e9f);
            const auto* out = static_cast<const kernel::sink*>(to);
            out->write(out->context, copy, token, row, count);
        },
        &inner};
    good::run(mine, b0, b1, t0, t1);
}

/// Forgets the last token of a range.
void forgets(const kernel::task& t, std::int64_t b0, std::int64_t b1, std::int64_t t0,
             std::int64_t t1) noexcept {
    good::run(t, b0, b1, t0, t1 - (t1 - t0 > 1 ? 1 : 0));
}

/// int16 staging that nobody widens: right until the sum is large.
void narrow(const kernel::task& t, std::int64_t b0, std::int64_t b1, std::int64_t t0,
            std::int64_t t1) noexcept {
    for (std::int64_t b = b0; b < b1; ++b)
        for (std::int64_t m = t0; m < t1; ++m) {
            float out[16];
            const int count = static_cast<int>(std::min<std::int64_t>(16, t.w.rows - 16 * b));
            for (int r = 0; r < count; ++r) {
                float total = 0;
                for (std::int64_t s = 0; s < kernel::segment::count(t.w, t.x); ++s) {
                    const kernel::segment at = kernel::segment::at(t.w, t.x, s);
                    std::uint16_t sum = 0;
                    for (std::int64_t c = at.first; c < at.first + at.width; ++c) {
                        const std::int64_t in = c - t.w.segment_first_col(at.weight_segment);
                        std::int8_t values[256];
                        lay::decode(t.w.tile_at(b, at.weight_segment) + in / 16 * 64, values);
                        sum = static_cast<std::uint16_t>(sum + values[r * 16 + in % 16] *
                                                                   t.x.token(m)[c]);
                    }
                    volatile float product = static_cast<float>(static_cast<std::int16_t>(sum)) *
                                             (t.w.scale_of(b, at.weight_segment, r) *
                                              t.x.scale_of(m, at.activation_segment));
                    total += product;
                }
                out[r] = total;
            }
            t.out.write(t.out.context, out, m, 16 * b, count);
        }
}

testing::report check_with(void (*run)(const kernel::task&, std::int64_t, std::int64_t,
                                       std::int64_t, std::int64_t) noexcept,
                           int cases, std::int64_t adversarial_cols) {
    kernel_entry e = trilobit::detail::entry_of<good, lay, activation::int8>();
    if (run != nullptr) e.run = run;
    kernel_table table = kernels_for<arch::generic, lay>::table;
    table.entries = &e;
    table.count = 1;
    testing::kernel_check_options options;
    options.cases = cases;
    options.max_work = 1 << 17;
    options.adversarial_cols = adversarial_cols;
    options.tall_rows = 0;
    return testing::check_kernels(table, type_list<lay>{}, options);
}

struct mirrored : lay {  // decode sees columns in the wrong order
    static constexpr std::string_view name = "mirrored";
    static void decode(const std::byte* tile, std::int8_t* values) noexcept {
        lay::decode(tile, values);
        std::swap(values[3], values[7]);
    }
};
struct gullible : lay {  // accepts the code that encode never writes
    static constexpr std::string_view name = "gullible";
    static bool valid(const std::byte*) noexcept { return true; }
};
struct odd {  // -3, -1, 1, 3
    static constexpr std::string_view name = "odd";
    static constexpr bool holds(std::int8_t v) noexcept { return v % 2 != 0 && v >= -3 && v <= 3; }
    static constexpr std::int8_t lowest = -3, highest = 3, padding = -1;
};
struct boastful : lay {  // of a kind that says it holds more than it does
    struct kind : ternary {
        static constexpr std::int8_t highest = 2;
    };
    static constexpr std::string_view name = "boastful";
};
struct lazy : lay {  // relies on zeroed memory
    static constexpr std::string_view name = "lazy";
    static void encode(const std::int8_t* values, std::byte* tile) noexcept {
        const std::byte was = tile[63];
        lay::encode(values, tile);
        tile[63] |= was;
    }
};

}  // namespace

TEST_CASE("a sound kernel passes", "[detects]") {
    const testing::report found = check_with(nullptr, 30, 4096);
    INFO(found.text);
    CHECK(found.ok);
}

TEST_CASE("a kernel wrong in the last bit of one row is named", "[detects]") {
    const testing::report found = check_with(wrong_by_one, 30, 0);
    REQUIRE_FALSE(found.ok);
    INFO(found.text);
    for (const char* word : {"ternary_2bit", "generic", "int8", "arch generic", "seed", "row 15"})
        CHECK_THAT(found.text, Catch::Matchers::ContainsSubstring(word));
}

TEST_CASE("a kernel that leaves an output unwritten is named", "[detects]") {
    const testing::report found = check_with(forgets, 30, 0);
    REQUIRE_FALSE(found.ok);
    CHECK_THAT(found.text, Catch::Matchers::ContainsSubstring("written 0 times"));
}

TEST_CASE("staging that overflows is found by the sums at their bounds", "[detects]") {
    const testing::report found = check_with(narrow, 0, 2048);
    REQUIRE_FALSE(found.ok);
    CHECK_THAT(found.text, Catch::Matchers::ContainsSubstring("2048"));
}

TEST_CASE("weights are dealt from the kind's own values", "[detects]") {
    testing::kernel_case c{activation_id::int8, 20, 30, 1, scale_spec::row()};
    const auto dealt = [&](testing::fill how) {
        c.weights = how;
        const auto o = testing::make_operands<odd>(c);
        return std::set<int>(o.weights.begin(), o.weights.end());
    };
    CHECK(dealt(testing::fill::random) == std::set<int>{-3, -1, 1, 3});
    CHECK(dealt(testing::fill::alternating) == std::set<int>{-3, 3});
    CHECK(dealt(testing::fill::highest) == std::set<int>{3});
    CHECK(dealt(testing::fill::lowest) == std::set<int>{-3});
}

TEST_CASE("faulty layouts are named", "[detects]") {
    CHECK_THAT(testing::check_layout<mirrored>().text,
               Catch::Matchers::ContainsSubstring("inverse"));
    CHECK_THAT(testing::check_layout<gullible>().text,
               Catch::Matchers::ContainsSubstring("never writes"));
    CHECK_THAT(testing::check_layout<lazy>().text,
               Catch::Matchers::ContainsSubstring("as they were"));
    CHECK_THAT(testing::check_layout<boastful>().text,
               Catch::Matchers::ContainsSubstring("ends of its values"));
    CHECK_FALSE(testing::check_layout<mirrored>().ok);
}
