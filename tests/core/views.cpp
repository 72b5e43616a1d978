// SPDX-License-Identifier: MIT
// Matrix views, and the statuses and results that refusals travel in.
#include <catch2/catch_test_macros.hpp>
#include <limits>
#include <memory>

#include "trilobit/core/matrix_view.hpp"

using namespace trilobit;

TEST_CASE("a view addresses rows by its stride", "[core]") {
    int data[15];
    for (int i = 0; i < 15; ++i) data[i] = i;
    const matrix_view<int> v(data, 3, 4, 5);
    CHECK(v(0, 0) == 0);
    CHECK(v(2, 3) == 13);
    CHECK(v.row(1) == data + 5);
    v(1, 2) = 70;
    CHECK(data[7] == 70);
    const matrix_view<const int> constant = v;
    const auto last = constant.rows_from(2, 1);
    CHECK(last.rows == 1);
    CHECK(last.stride == 5);
    CHECK(last(0, 0) == 10);
    CHECK(matrix_view<int>(data, 3, 5).stride == 5);
    CHECK(matrix_view<int>(data, 0, 5).empty());
    CHECK(matrix_view<int>(data, 5, 0).empty());
}

TEST_CASE("views that cannot be walked are refused", "[core]") {
    float data[4] = {};
    using view = matrix_view<float>;
    CHECK(check_view(view(data, 2, 2)).ok());
    CHECK(check_view(view()).ok());
    CHECK(check_view(view(nullptr, 0, 7)).ok());
    CHECK(check_view(view(data, -1, 2)).code == errc::bad_shape);
    CHECK(check_view(view(data, 2, -1)).code == errc::bad_shape);
    CHECK(check_view(view(nullptr, 1, 1)).code == errc::bad_shape);
    CHECK(check_view(view(data, 2, 2, 1)).code == errc::bad_shape);
    CHECK(check_view(view(data, 2, 2, -2)).code == errc::bad_shape);
    const auto huge = std::numeric_limits<std::int64_t>::max();
    CHECK(check_view(view(data, huge, 2)).code == errc::bad_shape);
    CHECK(check_view(view(data, 2, 2, huge)).code == errc::bad_shape);
    CHECK(std::string_view(check_view(view(data, -1, 2)).text).ends_with('.'));
}

TEST_CASE("a result holds a value or a status", "[core]") {
    const result<int> good = 7;
    CHECK(good.ok());
    CHECK(good.value() == 7);
    CHECK(good.error().ok());
    const result<int> bad = status{errc::bad_value, "No."};
    CHECK_FALSE(bad.ok());
    CHECK(bad.error().code == errc::bad_value);
    result<std::unique_ptr<int>> moved = std::make_unique<int>(3);
    const std::unique_ptr<int> taken = std::move(moved).value();
    CHECK(*taken == 3);
}
