// SPDX-License-Identifier: MIT
// Weights, scales and shapes that cannot be packed: each a status with a sentence, nothing owned.
#include <catch2/catch_template_test_macros.hpp>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <limits>

#include "sample.hpp"
#include "trilobit/core/thread_pool.hpp"

using namespace trilobit;
using pack_test::sample;
using lay = layout::ternary_2bit;

namespace {

void check_refused(const any_packed_matrix& m, errc code) {
    CHECK(m.status().code == code);
    CHECK(std::string_view(m.status().text).size() > 20);
    CHECK(std::string_view(m.status().text).ends_with('.'));
    CHECK(m.bytes().empty());
    CHECK(m.view().tiles == nullptr);
}

}  // namespace

TEMPLATE_LIST_TEST_CASE("weights that are no numbers are refused", "[pack]", layouts) {
    thread_pool pool(3);
    for (const float bad :
         {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()})
        for (const scale_spec& spec :
             {scale_spec::tensor(), scale_spec::row(), scale_spec::group(64)}) {
            std::vector<float> w(200 * 100, 0.5f);
            w[133 * 100 + 99] = bad;
            const matrix_view<const float> weights(w.data(), 200, 100);
            check_refused(pack<TestType>(weights, {spec}), errc::bad_value);
            check_refused(pack<TestType>(weights, {spec}, pool), errc::bad_value);
        }
}

TEMPLATE_LIST_TEST_CASE("values outside the set of the layout are refused", "[pack]", layouts) {
    for (const int bad : {-128, -2, 0, 2, 127}) {
        if (TestType::kind::holds(static_cast<std::int8_t>(bad))) continue;
        sample s = sample::of<TestType>(20, 33, scale_spec::row());
        s.values[19 * 33 + 32] = static_cast<std::int8_t>(bad);
        const auto packed = pack<TestType>(s.view());
        check_refused(packed, errc::bad_value);
        CHECK(packed.status().row == 19);
        CHECK(packed.status().col == 32);
    }
}

TEST_CASE("four weights with no zero or several are refused by row and column", "[pack]") {
    using L = layout::ternary_3of4;
    thread_pool pool(2);
    for (const scale_spec& spec : {scale_spec::row(), scale_spec::group(64)})
        for (const auto& [row, col] : {std::pair{0, 0}, std::pair{63, 128}, std::pair{64, 148},
                                       std::pair{129, 60}, std::pair{100, 64}})
            for (const int zeros : {0, 2, 3, 4}) {
                sample s = sample::of<L>(130, 153, spec);
                std::int8_t* four = s.values.data() + row * 153 + col;
                for (int i = 0; i < 4; ++i) four[i] = i < zeros ? 0 : -1;
                const auto packed = pack<L>(s.view());
                check_refused(packed, errc::bad_value);
                CAPTURE(row, col, zeros, spec.group_cols);
                CHECK(packed.status().row == row);
                CHECK(packed.status().col == col);
                CHECK(packed.status().text == L::kind::group_rule);
                CHECK(pack<L>(s.view(), {}, pool).status().row == row);
                // The same from floats that are trits already, which nothing may change.
                std::vector<float> w(s.values.begin(), s.values.end());
                const auto of_floats = pack<L>(matrix_view<const float>(w.data(), 130, 153));
                check_refused(of_floats, errc::bad_value);
                CHECK(of_floats.status().row == row);
                CHECK(of_floats.status().col == col);
            }
}

TEST_CASE("the last weights of a row may lack the zero that padding has", "[pack]") {
    using L = layout::ternary_3of4;
    for (const int cols : {1, 2, 3, 5, 6, 7})
        for (const int zeros : {0, 1, 2, 3}) {
            sample s = sample::of<L>(2, cols, scale_spec::row());
            const int first = cols / 4 * 4;
            for (int i = first; i < cols; ++i)
                s.values[static_cast<std::size_t>(cols + i)] = i - first < zeros ? 0 : 1;
            const auto packed = pack<L>(s.view());
            CAPTURE(cols, zeros);
            if (std::min(zeros, cols - first) <= 1) {
                REQUIRE(packed.status().ok());
                CHECK(pack_test::differences<L>(packed.view(), s) == 0);
            } else {
                check_refused(packed, errc::bad_value);
                CHECK(packed.status().row == 1);
                CHECK(packed.status().col == first);
            }
        }
}

TEST_CASE("scales that cannot be stored are refused", "[pack]") {
    for (const scale_type type : {scale_type::f32, scale_type::f16})
        for (const float bad : {std::numeric_limits<float>::quiet_NaN(),
                                -std::numeric_limits<float>::infinity(), 65520.0f, -1e30f}) {
            const bool fits = type == scale_type::f32 && std::isfinite(bad);
            for (const scale_spec& spec :
                 {scale_spec::tensor(type), scale_spec::row(type), scale_spec::group(32, type)}) {
                sample s(18, 40, spec);
                s.scales.back() = bad;
                const auto packed = pack<lay>(s.view());
                if (fits)
                    CHECK(packed.status().ok());
                else
                    check_refused(packed, errc::bad_value);
            }
        }
    // Float weights whose mean overflows a half.
    const std::vector<float> w(64, 1e6f);
    check_refused(
        pack<lay>(matrix_view<const float>(w.data(), 2, 32), {scale_spec::row(scale_type::f16)}),
        errc::bad_value);
    CHECK(pack<lay>(matrix_view<const float>(w.data(), 2, 32), {scale_spec::row()}).status().ok());
}

TEST_CASE("shapes that do not fit are refused", "[pack]") {
    const std::vector<float> w(64, 1.0f);
    using view = matrix_view<const float>;
    check_refused(pack<lay>(view(w.data(), -1, 32)), errc::bad_shape);
    check_refused(pack<lay>(view(nullptr, 2, 32)), errc::bad_shape);
    check_refused(pack<lay>(view(w.data(), 2, 32, 31)), errc::bad_shape);
    check_refused(pack<lay>(view(w.data(), 2, 32), {{granularity::group, 33}}), errc::bad_shape);
    check_refused(pack<lay>(view(w.data(), 2, 32), {{granularity::row, 32}}), errc::bad_shape);
    const sample s(2, 32, scale_spec::row());
    quantized_view without = s.view();
    without.scales = nullptr;
    check_refused(pack<lay>(without), errc::bad_shape);
}

TEST_CASE("the widest matrix packs, one column more is refused", "[pack]") {
    const std::vector<float> w(max_cols + 1, 1.0f);
    CHECK(pack<lay>(matrix_view<const float>(w.data(), 1, max_cols)).status().ok());
    check_refused(pack<lay>(matrix_view<const float>(w.data(), 1, max_cols + 1)), errc::bad_shape);
}

TEST_CASE("sizes beyond all memory are refused before anything is allocated", "[pack]") {
    const auto never = [](std::int64_t, std::int8_t*, float*) { return status{}; };
    constexpr auto huge = std::numeric_limits<std::int64_t>::max();
    for (const std::int64_t rows : {huge, huge / 2, std::int64_t{1} << 42}) {
        check_refused(pack_rows<lay>(rows, 4096, never), errc::bad_shape);
        check_refused(pack_rows<layout::ternary_base3>(rows, 1, never, {scale_spec::row()}),
                      errc::bad_shape);
    }
    check_refused(pack_rows<lay>(1, huge, never), errc::bad_shape);
    check_refused(pack_rows<lay>(-1, 1, never), errc::bad_shape);
}

TEST_CASE("the status of a source that fails is the packing's", "[pack]") {
    thread_pool pool(3);
    int progressed_to_the_end = 0;
    pack_options options;
    const auto look = [&](double f) { progressed_to_the_end += f == 1.0; };
    pack_test::report_to(look, options);
    const auto source = [](std::int64_t row, std::int8_t* values, float*) {
        std::fill_n(values, 10, std::int8_t{1});
        return row == 700 ? status{errc::bad_format, "Row 700 cannot be read, says the source."}
                          : status{};
    };
    const auto packed = pack_rows<lay>(1000, 10, source, options, pool);
    check_refused(packed, errc::bad_format);
    CHECK(std::string_view(packed.status().text) == "Row 700 cannot be read, says the source.");
    CHECK(progressed_to_the_end == 0);
}

TEST_CASE("an unknown layout is refused", "[pack]") {
    const std::vector<float> w(4, 1.0f);
    const matrix_view<const float> weights(w.data(), 2, 2);
    check_refused(pack(static_cast<layout_id>(77), weights), errc::unsupported);
}

TEST_CASE("what was never packed says so", "[pack]") {
    check_refused(any_packed_matrix(), errc::bad_shape);
    check_refused(packed_matrix<lay>(), errc::bad_shape);
}
