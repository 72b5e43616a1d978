// SPDX-License-Identifier: MIT
// Rows and columns of zeros: which are left out, where the others lie, and that images of such
// matrices are kept, and refused when they lie.
#include "trilobit/pack/drop_zeros.hpp"

#include <catch2/catch_template_test_macros.hpp>
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <cstring>

#include "sample.hpp"
#include "trilobit/core/thread_pool.hpp"
#include "trilobit/testing/guarded_buffer.hpp"

using namespace trilobit;
using pack_test::sample;

namespace {

/// Small scales, and each row and column zero with the given chance in a hundred.
sample planted(std::int64_t rows, std::int64_t cols, scale_spec spec, int dead_rows, int dead_cols,
               bool zeros = true) {
    sample s(rows, cols, spec, zeros);
    for (float& scale : s.scales) scale *= 0x1p-4f;
    if (!zeros) return s;
    testing::generator r(7);
    for (std::int64_t n = 0; n < rows; ++n)
        if (r.between(0, 99) < dead_rows)
            for (std::int64_t k = 0; k < cols; ++k)
                s.values[static_cast<std::size_t>(n * cols + k)] = 0;
    for (std::int64_t k = 0; k < cols; ++k)
        if (r.between(0, 99) < dead_cols)
            for (std::int64_t n = 0; n < rows; ++n)
                s.values[static_cast<std::size_t>(n * cols + k)] = 0;
    return s;
}

pack_options dropping(drop_zeros drop) {
    pack_options options;
    options.drop = drop;
    return options;
}

/// Where line `i` of all is stored, by the words of moved_lines; -1: it is zeros and nowhere.
std::int64_t place_of(const moved_lines& lines, std::int64_t i) {
    for (std::int64_t j = 0; j < lines.count; ++j)
        if (lines.place(j) == i && !lines.zeros(j)) return -1;  // its place was taken
    if (i < lines.stored) return i;
    return lines.zeros(i - lines.stored) ? -1 : lines.place(i - lines.stored);
}

/// How many weights and scales are not where the lists say, zeros that are not stored included.
template <weight_layout L>
int misplaced(const packed_view& v, const sample& s) {
    int wrong = 0;
    const packed_view stored = v.stored();
    std::vector<std::int64_t> col_at;
    for (std::int64_t k = 0; k < s.cols; ++k) col_at.push_back(place_of(v.moved_cols(), k));
    for (std::int64_t n = 0; n < s.rows; ++n) {
        const std::int64_t i = place_of(v.moved_rows(), n);
        for (std::int64_t k = 0; k < s.cols; ++k) {
            const std::int64_t j = col_at[static_cast<std::size_t>(k)];
            const bool live = i >= 0 && j >= 0;
            const int want = s.values[static_cast<std::size_t>(n * s.cols + k)];
            wrong += want != (live ? pack_test::weight_in<L>(stored, i, j) : 0);
            if (live)
                wrong += stored.scale_of(i / L::tile_rows, j / stored.scale.segment_cols(v.cols),
                                         static_cast<int>(i % L::tile_rows)) != s.scale_of(n, k);
        }
    }
    return wrong;
}

}  // namespace

TEMPLATE_LIST_TEST_CASE("what is stored lies where the lists say", "[pack]", layouts) {
    constexpr std::int64_t rows = 300, cols = 333;
    const bool zeros = TestType::kind::holds(0);
    thread_pool pool(3);
    for (const scale_spec& spec :
         {scale_spec::tensor(scale_type::f16), scale_spec::row(), scale_spec::row(scale_type::f16),
          scale_spec::group(32, scale_type::f32)})
        for (const auto& [dead_rows, dead_cols] :
             {std::pair{0, 0}, std::pair{50, 0}, std::pair{0, 50}, std::pair{70, 70},
              std::pair{100, 100}})
            for (const drop_zeros drop : {drop_zeros::rows, drop_zeros::rows_and_columns}) {
                const sample s = planted(rows, cols, spec, dead_rows, dead_cols, zeros);
                const auto packed = pack<TestType>(s.view(), dropping(drop));
                CAPTURE(spec.group_cols, dead_rows, dead_cols);
                REQUIRE(packed.status().ok());
                const packed_view& v = packed.view();
                CHECK((v.rows == rows && v.cols == cols));
                const bool fewer_rows = zeros && dead_rows > 0;
                const bool fewer_cols = zeros && drop == drop_zeros::rows_and_columns &&
                                        dead_cols > 0 && spec.per != granularity::group;
                CHECK((v.dropped_rows > 0) == fewer_rows);
                // Of one row block columns are worth dropping in some layouts only.
                if (dead_rows < 100) CHECK((v.dropped_cols > 0) == fewer_cols);
                CHECK((v.stored_rows() > 0 && v.stored_cols() > 0));
                for (std::int64_t t = 0; t < v.tiles_bytes(); t += TestType::tile_bytes)
                    REQUIRE(TestType::valid(v.tiles + t));

                const auto viewed = view_packed(packed.bytes());
                REQUIRE(viewed.ok());
                CHECK(misplaced<TestType>(viewed.value(), s) == 0);
                CHECK(viewed.value().dropped_rows == v.dropped_rows);
                CHECK(viewed.value().dropped_cols == v.dropped_cols);
                CHECK(pack_test::copy_of(pack<TestType>(s.view(), dropping(drop), pool)) ==
                      pack_test::copy_of(packed));
            }
}

TEST_CASE("rows are dropped without being asked, columns are not", "[pack]") {
    const sample s = planted(197, 333, scale_spec::row(), 50, 50);
    const auto packed = pack<layout::ternary_2bit>(s.view());
    CHECK(packed.view().dropped_rows > 0);
    CHECK(packed.view().dropped_cols == 0);
    const auto whole = pack<layout::ternary_2bit>(s.view(), dropping(drop_zeros::nothing));
    CHECK(whole.view().dropped_rows + whole.view().dropped_cols == 0);
    CHECK(pack_test::differences<layout::ternary_2bit>(whole.view(), s) == 0);
}

TEST_CASE("what would not pay is not dropped", "[pack]") {
    const auto dropped = [](std::int64_t rows, std::int64_t cols, int dead_rows, int dead_cols) {
        const auto packed =
            pack<layout::ternary_2bit>(planted(rows, cols, {}, dead_rows, dead_cols).view(),
                                       dropping(drop_zeros::rows_and_columns));
        REQUIRE(packed.status().ok());
        return std::pair{packed.view().dropped_rows, packed.view().dropped_cols};
    };
    using both = std::pair<std::int64_t, std::int64_t>;
    CHECK(dropped(16, 1000, 50, 0) == both{0, 0});  // one row block, however few rows it has
    CHECK(dropped(1000, 16, 0, 50) == both{0, 0});  // likewise one tile of columns
    CHECK(dropped(512, 1000, 1, 0) == both{0, 0});  // the list is larger than what it saves
    CHECK(dropped(2000, 100, 5, 0) == both{0, 0});  // spreading costs more than multiplying
    CHECK(dropped(100, 2000, 0, 5) == both{0, 0});  // so does gathering
    CHECK(dropped(1, 1000, 0, 50) == both{0, 0});
}

TEST_CASE("a row of zeros stays if its own scale is large", "[pack]") {
    for (const scale_spec& spec :
         {scale_spec::row(), scale_spec::group(64), scale_spec::tensor()}) {
        sample s = planted(64, 500, spec, 100, 0);
        for (float& scale : s.scales) scale = -1.25f;
        const auto packed = pack<layout::ternary_2bit>(s.view());
        REQUIRE(packed.status().ok());
        CHECK((packed.view().dropped_rows > 0) == (spec.per == granularity::tensor));
    }
}

TEST_CASE("progress is finished only after zeros were dropped", "[pack]") {
    double last = 0;
    pack_options options;
    options.progress = [&](double f) {
        CHECK(f > last);
        last = f;
    };
    CHECK(pack<layout::ternary_base3>(planted(640, 700, {}, 50, 0).view(), options)
              .view()
              .dropped_rows > 0);
    CHECK(last == 1.0);
}

namespace {

packed_matrix<layout::ternary_2bit> smaller_image() {
    auto packed = pack<layout::ternary_2bit>(planted(300, 300, {}, 50, 50).view(),
                                             dropping(drop_zeros::rows_and_columns));
    REQUIRE((packed.view().dropped_rows > 0 && packed.view().dropped_cols > 0));
    return packed;
}

/// The status of viewing these bytes, which end at a guard page, with the header's hash made right.
status judge_resealed(std::vector<std::byte> bytes, verify depth) {
    const std::uint64_t hash = detail::hash_bytes(bytes.data(), 56);
    std::memcpy(bytes.data() + 56, &hash, sizeof hash);
    testing::guarded_buffer at(static_cast<std::int64_t>(bytes.size()));
    std::memcpy(at.data(), bytes.data(), bytes.size());
    const status s = view_packed({at.data(), bytes.size()}, depth).error();
    if (!s.ok()) CHECK(std::string_view(s.text).ends_with('.'));
    return s;
}

}  // namespace

TEST_CASE("places that fall or leave the matrix are refused unverified", "[pack]") {
    const auto packed = smaller_image();
    const auto sound = pack_test::copy_of(packed);
    REQUIRE(judge_resealed(sound, verify::header).ok());
    const packed_view& v = packed.view();
    const detail::packed_sections at = detail::packed_sections::of(v);
    for (const auto& [section, lines] :
         {std::pair{at.row_places, v.moved_rows()}, std::pair{at.col_places, v.moved_cols()}})
        for (const std::int64_t i : {std::int64_t{0}, lines.count / 2, lines.count - 1}) {
            const auto with = [&, from = section](std::int64_t value) {
                auto bytes = sound;
                const auto number = static_cast<std::uint32_t>(value);
                std::memcpy(bytes.data() + from + 4 * i, &number, 4);
                return judge_resealed(bytes, verify::header).code;
            };
            CHECK(with(lines.place(i)) == errc::ok);
            CHECK(with(lines.place(i + 1) + 1) == errc::bad_format);
            if (i > 0) CHECK(with(lines.place(i - 1) - 1) == errc::bad_format);
            for (const std::int64_t value :
                 {lines.stored + 1, std::int64_t{0x80000000}, std::int64_t{0xffffffff}})
                CHECK(with(value) == errc::bad_format);
        }
}

TEST_CASE("counts of dropped rows and columns that lie are refused", "[pack]") {
    const auto packed = smaller_image();
    const auto sound = pack_test::copy_of(packed);
    const packed_view& v = packed.view();
    const auto forged = [&](std::size_t at, std::int64_t value) {
        auto bytes = sound;
        std::memcpy(bytes.data() + at, &value, 3);
        for (const verify depth : {verify::header, verify::everything})
            CHECK(judge_resealed(bytes, depth).code == errc::bad_format);
    };
    for (const std::int64_t n : {v.rows, v.rows + 1, detail::max_dropped}) forged(42, n);
    for (const std::int64_t n : {v.cols, v.cols + 1, detail::max_dropped}) forged(45, n);
    forged(42, 0);  // promises more than there is
    forged(45, 0);
    // Columns cannot be missing where groups of them have scales.
    auto bytes = sound;
    bytes[40] = std::byte{2};
    bytes[20] = std::byte{32};
    CHECK_THAT(judge_resealed(bytes, verify::header).text,
               Catch::Matchers::ContainsSubstring("one scale spans the row"));
}

TEST_CASE("any change of an image with lists is noticed, and any cut", "[pack]") {
    auto bytes = pack_test::copy_of(smaller_image());
    int accepted = 0;
    for (std::size_t at = 64; at < bytes.size(); ++at) {
        const std::byte flip{static_cast<unsigned char>(1 << (at % 8))};
        bytes[at] ^= flip;
        accepted += judge_resealed(bytes, verify::everything).ok();
        bytes[at] ^= flip;
    }
    for (std::size_t n = 64; n < bytes.size(); n += 4)
        for (const verify depth : {verify::header, verify::everything})
            accepted += judge_resealed(
                            {bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(n)}, depth)
                            .ok();
    CHECK(accepted == 0);
}
