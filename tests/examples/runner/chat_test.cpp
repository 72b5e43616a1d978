// SPDX-License-Identifier: MIT
// Tests of `trilobit chat`.
#include <catch2/catch_test_macros.hpp>

#include "program.hpp"

using namespace tbx::testing;

TEST_CASE("chat answers each line and ends with its input") {
    const outcome two =
        run_program({"chat", "-m", tiny_model(), "-n", "5", "--temp", "0"}, "kalo\n\nmine\n");
    CHECK(two.status == 0);
    CHECK(std::count(two.out.begin(), two.out.end(), '\n') >= 2);
    const outcome one =
        run_program({"chat", "-m", tiny_model(), "-n", "5", "--temp", "0"}, "kalo\n");
    CHECK(two.out.starts_with(one.out));
    const outcome none = run_program({"chat", "-m", tiny_model()}, "");
    CHECK(none.status == 0);
    CHECK(none.out.empty());
}

TEST_CASE("chat stops when the context is full") {
    const outcome o = run_program({"chat", "-m", tiny_model(), "-n", "100", "-c", "24"},
                                  "kalo mine\nkalo mine\nkalo mine\n");
    CHECK(o.status == 0);
    CHECK(o.err.find("is full") != o.err.npos);
}
