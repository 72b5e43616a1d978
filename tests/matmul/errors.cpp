// SPDX-License-Identifier: MIT
// What matmul() refuses, with a sentence and without touching the output.
#include <limits>

#include "sample.hpp"
#include "trilobit/core/thread_pool.hpp"

using namespace trilobit;
using matmul_test::active_table;
using matmul_test::sample;

namespace {

void check_refused(const status& s, errc code, const sample& p) {
    CHECK(s.code == code);
    CHECK(std::string_view(s.text).ends_with('.'));
    int written = 0;
    for (const float v : p.y) written += v != -77.0f;
    CHECK(written == 0);
}

struct call {
    context c{active_table()};
    status operator()(const packed_view& w, matrix_view<const float> x, matrix_view<float> y) {
        return matmul(c, w, x, y);
    }
};

}  // namespace

TEST_CASE("shapes that do not fit are refused", "[matmul]") {
    sample p(20, 33, 3);
    call run;
    REQUIRE(p.w.status().ok());
    float* y = p.y.data();
    const float* x = p.x.data();
    check_refused(run(p.w, {x, 3, 32}, p.out()), errc::bad_shape, p);
    check_refused(run(p.w, {x, 3, 34}, p.out()), errc::bad_shape, p);
    check_refused(run(p.w, {x, 2, 33}, p.out()), errc::bad_shape, p);
    check_refused(run(p.w, p.in(), {y, 3, 19}), errc::bad_shape, p);
    check_refused(run(p.w, p.in(), {y, 2, 20}), errc::bad_shape, p);
    check_refused(run(p.w, p.in(), {y, 3, 20, 19}), errc::bad_shape, p);
    check_refused(run(p.w, {x, 3, 33, 32}, p.out()), errc::bad_shape, p);
    check_refused(run(p.w, {nullptr, 3, 33}, p.out()), errc::bad_shape, p);
    check_refused(run(p.w, p.in(), {nullptr, 3, 20}), errc::bad_shape, p);
    check_refused(run(p.w, {x, -3, 33}, p.out()), errc::bad_shape, p);
}

TEST_CASE("activation groups other than 32, 64, 128 and 256 are refused", "[matmul]") {
    sample p(20, 33, 1);
    for (const int group : {-1, 1, 16, 31, 33, 512})
        check_refused(p.run({.activation_group = group}), errc::bad_shape, p);
    CHECK(p.run({.activation_group = 32}).ok());
}

TEST_CASE("activations that are no numbers are refused", "[matmul]") {
    for (const float bad :
         {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()})
        for (const activation_id kind :
             {activation_id::int8, activation_id::int4, activation_id::int2, activation_id::sign}) {
            sample p(20, 33, 5);
            p.x[4 * 33 + 32] = bad;
            check_refused(p.run({.activation = kind}), errc::bad_value, p);
        }
    // The same found by another thread.
    sample p(200, 1031, 40);
    p.x[39 * 1031] = std::numeric_limits<float>::quiet_NaN();
    thread_pool pool(3);
    context c{active_table(), pool};
    check_refused(matmul(c, p.w, p.in(), p.out()), errc::bad_value, p);
}

TEST_CASE("a kernel that no layout of this kind has is refused", "[matmul]") {
    sample p(20, 33, 1);
    check_refused(p.run({.kernel = kernel_id::popcount}), errc::unsupported, p);
    check_refused(p.run({.kernel = kernel_id::lookup}), errc::unsupported, p);
    check_refused(p.run({.kernel = static_cast<kernel_id>(77)}), errc::unsupported, p);
    sample base3(64, 40, 1, layout_id::ternary_base3);
    // Its tables belong to five columns, which 32 does not divide into.
    check_refused(base3.run({.activation_group = 32, .kernel = kernel_id::lookup}),
                  errc::unsupported, base3);
    CHECK(base3.run({.activation_group = 32}).ok());
}

TEST_CASE("a packing that failed says so at the multiplication", "[matmul]") {
    sample p(20, 33, 1);
    call run;
    packed_view nothing = p.w;
    nothing.tiles = nullptr;
    check_refused(run(nothing, p.in(), p.out()), errc::bad_shape, p);
    packed_view foreign = p.w;
    foreign.layout = static_cast<layout_id>(0x1234);
    check_refused(run(foreign, p.in(), p.out()), errc::unsupported, p);
    const packed_matrix<layout::ternary_2bit> never;
    CHECK(matmul(never, p.in(), p.out()).code == errc::bad_shape);
    const float nan = std::numeric_limits<float>::quiet_NaN();
    const auto failed = pack<layout::ternary_2bit>(matrix_view<const float>(&nan, 1, 1));
    CHECK(matmul(failed, p.in(), p.out()).code == errc::bad_value);
}

TEST_CASE("every use of a matrix that could not be made returns why", "[matmul]") {
    const float nan = std::numeric_limits<float>::quiet_NaN();
    const auto failed = pack<layout::ternary_2bit>(matrix_view<const float>(&nan, 1, 1));
    const any_packed_matrix never;
    any_packed_matrix moved = pack<layout::ternary_2bit>({std::vector<float>(64).data(), 8, 8});
    REQUIRE(moved.status().ok());
    const any_packed_matrix kept = std::move(moved);
    const mapped_matrix missing("/there/is/no/such/file");
    const packed_view none[] = {failed.view(), never.view(), moved.view(), missing.view()};
    const status why[] = {failed.status(), never.status(), moved.status(), missing.status()};
    sample p(20, 33, 3);
    context c{active_table()};
    for (std::size_t i = 0; i < std::size(none); ++i) {
        CAPTURE(why[i].text);
        CHECK_FALSE(why[i].ok());
        const auto told = [&](const status& s) {
            CHECK(s.code == why[i].code);
            CHECK(std::string_view(s.text) == why[i].text);
        };
        float one = 0;
        const epilogue::write write{p.out()};
        // Whether the other shapes fit a matrix of 0 x 0 or not.
        told(matmul(c, none[i], p.in(), p.out()));
        told(matmul(c, none[i], p.in(), write));
        told(matmul(c, none[i], {&one, 1, 0}, matrix_view<float>(&one, 1, 0)));
        const product both[] = {{p.w, into(write)}, {none[i], into(write)}};
        told(matmul_shared(c, p.in(), both));
        const packed_view experts[] = {p.w.view(), none[i]};
        const std::int32_t expert_of[] = {0, 0, 0};
        told(matmul_indexed(c, experts, expert_of, p.in(), p.out()));
    }
}

TEST_CASE("no tokens, rows or columns is nothing to do, or zeros", "[matmul]") {
    call run;
    for (const layout_id layout : matmul_test::every_layout) {
        sample no_rows(0, 33, 3, layout), no_tokens(20, 33, 0, layout), no_cols(20, 0, 3, layout);
        CHECK(no_rows.run().ok());
        CHECK(no_tokens.run().ok());
        CHECK(no_cols.run().ok());
        for (const float v : no_cols.y) CHECK(v == 0.0f);
    }
}
