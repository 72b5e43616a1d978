// SPDX-License-Identifier: MIT
// Packing into memory of the caller: the bytes of pack(), nothing behind them, and every refusal.
#include <algorithm>
#include <catch2/catch_template_test_macros.hpp>
#include <catch2/catch_test_macros.hpp>
#include <cstring>
#include <limits>

#include "sample.hpp"
#include "trilobit/core/thread_pool.hpp"
#include "trilobit/testing/guarded_buffer.hpp"

using namespace trilobit;
using pack_test::sample;

namespace {

using lay = layout::ternary_2bit;
constexpr std::byte untouched{0xa5};  // what a guarded_buffer holds at first
constexpr std::int64_t margin = 128;

/// Memory for an image that ends `margin` bytes before a page where writing faults.
struct room {
    std::int64_t size;
    testing::guarded_buffer bytes;

    explicit room(std::int64_t n) : size(n), bytes(n + margin) {}
    [[nodiscard]] std::span<std::byte> span() const {
        return {bytes.data(), static_cast<std::size_t>(size)};
    }
    [[nodiscard]] bool margin_untouched() const {
        return std::all_of(bytes.data() + size, bytes.data() + bytes.size(),
                           [](std::byte b) { return b == untouched; });
    }
    [[nodiscard]] bool all_untouched() const {
        return std::all_of(bytes.data(), bytes.data() + bytes.size(),
                           [](std::byte b) { return b == untouched; });
    }
};

/// Were exactly these bytes packed, and does the view that came back show them?
void check_image(const room& at, const result<packed_view>& view, const any_packed_matrix& same) {
    REQUIRE(same.status().ok());
    REQUIRE(view.ok());
    REQUIRE(at.span().size() == same.bytes().size());
    CHECK(std::memcmp(at.span().data(), same.bytes().data(), at.span().size()) == 0);
    CHECK(at.margin_untouched());
    const packed_view& v = view.value();
    CHECK(v.problem.ok());
    CHECK((v.rows == same.view().rows && v.cols == same.view().cols));
    CHECK((v.layout == same.view().layout && v.scale == same.view().scale));
    const auto* tiles = reinterpret_cast<const std::byte*>(at.span().data()) + 64;
    CHECK(v.tiles == tiles);
    CHECK(v.scales == tiles + v.tiles_bytes());
}

std::int64_t bytes_of(layout_id layout, std::int64_t rows, std::int64_t cols,
                      const scale_spec& spec) {
    const auto bytes = packed_bytes(layout, rows, cols, spec);
    REQUIRE(bytes.ok());
    return bytes.value();
}

template <class T>
void check_refused(const result<T>& r, errc code) {
    REQUIRE_FALSE(r.ok());
    CHECK(r.error().code == code);
    CHECK(std::string_view(r.error().text).size() > 20);
    CHECK(std::string_view(r.error().text).ends_with('.'));
}

}  // namespace

TEMPLATE_LIST_TEST_CASE("what is packed into memory is the image of pack()", "[pack]", layouts) {
    constexpr layout_id id = TestType::id;
    thread_pool pool(3);
    for (const scale_spec& spec : pack_test::all_specs())
        // The widest and the tallest image have room for the sums of few of their rows at once.
        for (const auto& [rows, cols] :
             {std::pair{0, 7}, std::pair{7, 0}, std::pair{1, 1}, std::pair{17, 67},
              std::pair{65, 1257}, std::pair{3000, 1}}) {
            CAPTURE(rows, cols, spec.group_cols, static_cast<int>(spec.type));
            const std::int64_t bytes = bytes_of(id, rows, cols, spec);
            const auto of_layout = packed_bytes(packed_shape::of<TestType>(rows, cols, spec));
            CHECK((of_layout.ok() && of_layout.value() == bytes));

            std::vector<float> w(static_cast<std::size_t>(rows * (cols + 3)));
            testing::generator r(3);
            for (float& x : w) x = r.spread();
            const matrix_view<const float> weights(w.data(), rows, cols, cols + 3);
            const auto floats = pack<TestType>(weights, {spec});
            const room a(bytes), b(bytes);
            check_image(a, pack_into<TestType>(a.span(), weights, {spec}, pool), floats);
            check_image(b, pack_into(id, b.span(), weights, {spec}), floats);

            const sample s = sample::of<TestType>(rows, cols, spec);
            const auto values = pack<TestType>(s.view());
            const room c(bytes), d(bytes);
            check_image(c, pack_into<TestType>(c.span(), s.view()), values);
            check_image(d, pack_into(id, d.span(), s.view(), {}, pool), values);

            const std::int64_t along = spec.segments(cols);
            const bool tensor = spec.per == granularity::tensor;
            const auto source = [&, width = s.cols](std::int64_t row, std::int8_t* to,
                                                    float* scales) {
                std::copy_n(s.values.data() + row * width, width, to);
                if (!tensor || row == 0) std::copy_n(s.scales.data() + row * along, along, scales);
                return status{};
            };
            const room e(bytes), f(bytes);
            check_image(e, pack_rows_into<TestType>(e.span(), rows, cols, source, {spec}, pool),
                        values);
            check_image(f, pack_rows_into(id, f.span(), rows, cols, source, {spec}), values);
        }
}

TEST_CASE("memory may be larger than the image and hold anything", "[pack]") {
    const sample s(33, 70, scale_spec::group(32));
    const auto packed = pack<lay>(s.view());
    const room at(static_cast<std::int64_t>(packed.bytes().size()));
    const std::span<std::byte> larger(at.bytes.data(), at.bytes.size());
    for (int turn = 0; turn < 2; ++turn)  // over bytes never written, then over an image
        check_image(at, pack_into<lay>(larger, s.view()), packed);
}

TEST_CASE("memory that is too small or not aligned is refused and left alone", "[pack]") {
    const sample s(33, 70, scale_spec::tensor());
    const std::vector<float> w(33 * 70, 0.5f);
    const matrix_view<const float> weights(w.data(), 33, 70);
    const auto source = [](std::int64_t, std::int8_t* values, float*) {
        std::fill_n(values, 70, std::int8_t{0});
        return status{};
    };
    const std::int64_t bytes = bytes_of(lay::id, 33, 70, s.spec);
    const room at(bytes + 64);
    const auto refused = [&](std::span<std::byte> memory, std::string_view word) {
        const result<packed_view> all[] = {
            pack_into<lay>(memory, s.view()), pack_into<lay>(memory, weights),
            pack_rows_into<lay>(memory, 33, 70, source), pack_into(lay::id, memory, weights)};
        for (const auto& r : all) {
            check_refused(r, errc::bad_shape);
            CHECK(std::string_view(r.error().text).find(word) != std::string_view::npos);
        }
        CHECK(at.all_untouched());
    };
    for (const std::int64_t less : {std::int64_t{1}, std::int64_t{64}, bytes - 1, bytes})
        refused(at.span().first(static_cast<std::size_t>(bytes - less)), "smaller");
    for (const std::size_t shift : {1u, 8u, 32u, 63u}) refused(at.span().subspan(shift), "64-byte");
    refused({}, "smaller");
}

TEST_CASE("shapes that cannot be have no size and are not packed", "[pack]") {
    constexpr auto huge = std::numeric_limits<std::int64_t>::max();
    constexpr auto least = std::numeric_limits<std::int64_t>::min();
    const room at(4096);
    const auto never = [](std::int64_t, std::int8_t*, float*) { return status{}; };
    const float one = 1.0f;
    const std::int8_t value = 1;
    const std::pair<std::int64_t, std::int64_t> shapes[] = {{huge, 1},
                                                            {1, huge},
                                                            {huge, huge},
                                                            {-1, 8},
                                                            {8, -1},
                                                            {least, least},
                                                            {max_rows + 1, 1},
                                                            {1, max_cols + 1},
                                                            {max_rows, max_cols},
                                                            {huge / 64, 64},
                                                            {std::int64_t{1} << 40, 4096}};
    for (const auto& [rows, cols] : shapes)
        for (const scale_spec& spec :
             {scale_spec::tensor(), scale_spec::row(), scale_spec::group(32)}) {
            CAPTURE(rows, cols, spec.group_cols);
            check_refused(packed_bytes(lay::id, rows, cols, spec), errc::bad_shape);
            const matrix_view<const float> floats(&one, rows, cols, cols);
            const quantized_view values{{&value, rows, cols, cols}, &one, spec};
            check_refused(pack_into<lay>(at.span(), floats, {spec}), errc::bad_shape);
            check_refused(pack_into<lay>(at.span(), values), errc::bad_shape);
            check_refused(pack_rows_into<lay>(at.span(), rows, cols, never, {spec}),
                          errc::bad_shape);
        }
    for (const scale_spec& spec :
         {scale_spec{granularity::group, 33}, scale_spec{granularity::row, 32},
          scale_spec{static_cast<granularity>(9)}}) {
        check_refused(packed_bytes(lay::id, 2, 32, spec), errc::bad_shape);
        check_refused(pack_rows_into<lay>(at.span(), 2, 32, never, {spec}), errc::bad_shape);
    }
    check_refused(packed_bytes(static_cast<layout_id>(77), 2, 32, {}), errc::unsupported);
    check_refused(pack_rows_into(static_cast<layout_id>(77), at.span(), 2, 32, never),
                  errc::unsupported);
    check_refused(
        pack_into(static_cast<layout_id>(77), at.span(), matrix_view<const float>(&one, 1, 1)),
        errc::unsupported);
    CHECK(at.all_untouched());
}

TEST_CASE("weights that cannot be packed leave no image", "[pack]") {
    thread_pool pool(3);
    for (const scale_spec& spec :
         {scale_spec::tensor(), scale_spec::row(), scale_spec::group(64)}) {
        const room at(bytes_of(lay::id, 200, 100, spec));
        const auto no_image = [&] {
            CHECK_FALSE(view_packed(at.span(), verify::header).ok());
            CHECK(at.margin_untouched());
        };
        std::vector<float> w(200 * 100, 0.5f);
        const matrix_view<const float> weights(w.data(), 200, 100);
        for (const float bad :
             {std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::infinity()}) {
            REQUIRE(pack_into<lay>(at.span(), weights, {spec}).ok());  // an image from before
            w[133 * 100 + 99] = bad;
            check_refused(pack_into<lay>(at.span(), weights, {spec}, pool), errc::bad_value);
            no_image();
            w[133 * 100 + 99] = 0.5f;
        }
        sample s(200, 100, spec);
        s.values[133 * 100 + 99] = 2;
        check_refused(pack_into<lay>(at.span(), s.view(), {}, pool), errc::bad_value);
        no_image();
        s.values[133 * 100 + 99] = 1;
        s.scales.front() = std::numeric_limits<float>::infinity();
        check_refused(pack_into<lay>(at.span(), s.view()), errc::bad_value);
        quantized_view without = s.view();
        without.scales = nullptr;
        check_refused(pack_into<lay>(at.span(), without), errc::bad_shape);
        const auto fails = [](std::int64_t row, std::int8_t* values, float*) {
            std::fill_n(values, 100, std::int8_t{1});
            return row == 70 ? status{errc::bad_format, "Row 70 cannot be read, it says."}
                             : status{};
        };
        check_refused(pack_rows_into<lay>(at.span(), 200, 100, fails, {spec}, pool),
                      errc::bad_format);
        no_image();
    }
}
