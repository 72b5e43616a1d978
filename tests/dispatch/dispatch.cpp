// SPDX-License-Identifier: MIT
// Back ends of this program on this machine: listed weakest first, found by name, forced by
// TRILOBIT_ARCH, and refused with the names that would have done.
#include "trilobit/dispatch/dispatch.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "trilobit/dispatch/cpu.hpp"
#include "trilobit/testing/random.hpp"

using namespace trilobit;

namespace {

std::vector<std::string_view> known_names() {
    std::vector<std::string_view> names;
    any_type(archs{}, [&]<class A>() {
        names.push_back(A::name);
        return false;
    });
    return names;
}

/// In the environment; nothing is as good as absent.
void set_arch(const char* name) {
#if defined(_WIN32)
    CHECK(::_putenv_s("TRILOBIT_ARCH", name) == 0);
#else
    CHECK(::setenv("TRILOBIT_ARCH", name, 1) == 0);
#endif
}

void check_refusal(const status& s) {
    CHECK(s.code == errc::unsupported);
    for (const kernel_table* t : dispatch::available())
        CHECK_THAT(s.text, Catch::Matchers::ContainsSubstring(" " + std::string(t->name)));
}

}  // namespace

TEST_CASE("back ends are listed weakest first, and generic is always there", "[dispatch]") {
    const auto all = dispatch::available();
    REQUIRE_FALSE(all.empty());
    CHECK(all.front()->name == "generic");
    CHECK(&dispatch::best() == all.back());
    const auto names = known_names();
    std::size_t last = 0;
    for (const kernel_table* t : all) {
        const auto at = static_cast<std::size_t>(std::find(names.begin(), names.end(), t->name) -
                                                 names.begin());
        REQUIRE(at < names.size());
        CHECK((t == all.front() || at > last));
        last = at;
    }
}

TEST_CASE("the list is what the processor has", "[dispatch]") {
    const auto cpu = dispatch::cpu::detect();
    for (const kernel_table* t : dispatch::available()) CHECK(cpu.has(t->name));
    for (const std::string_view name : known_names())
        if (!cpu.has(name)) CHECK_FALSE(dispatch::find(name).ok());
}

TEST_CASE("each is found by its name, nothing else is", "[dispatch]") {
    for (const kernel_table* t : dispatch::available()) {
        const auto found = dispatch::find(t->name);
        REQUIRE(found.ok());
        CHECK(found.value() == t);
    }
    for (const char* name : {"", "avx", "AVX2", "avx2 ", "generic,avx2", "nonsense"}) {
        const auto found = dispatch::find(name);
        REQUIRE_FALSE(found.ok());
        check_refusal(found.error());
    }
}

TEST_CASE("TRILOBIT_ARCH chooses, or is refused; without it the best is taken",
          "[dispatch][active]") {
    const auto active = dispatch::active();
    const char* wanted = std::getenv("TRILOBIT_ARCH");
    if (wanted == nullptr || *wanted == '\0') {
        REQUIRE(active.ok());
        CHECK(active.value() == &dispatch::best());
    } else if (dispatch::find(wanted).ok()) {
        REQUIRE(active.ok());
        CHECK(active.value()->name == wanted);
    } else {
        REQUIRE_FALSE(active.ok());
        check_refusal(active.error());
    }
    // Asked once, then remembered.
    set_arch("nonsense");
    CHECK(dispatch::active().ok() == active.ok());
    if (active.ok()) CHECK(dispatch::active().value() == active.value());
    if (wanted == nullptr) set_arch("");
}

TEST_CASE("all back ends of this machine give the same bits", "[dispatch]") {
    constexpr std::int64_t rows = 90, cols = 515, tokens = 3;
    testing::generator r(9);
    std::vector<float> weights(rows * cols), x(tokens * cols);
    for (float& v : weights) v = r.unit();
    for (float& v : x) v = r.spread();
    any_type(layouts{}, [&]<class L>() {
        const auto w =
            pack<L>(matrix_view<const float>(weights.data(), rows, cols), {scale_spec::group(64)});
        REQUIRE(w.status().ok());
        std::vector<float> first(tokens * rows);
        for (const kernel_table* t : dispatch::available()) {
            std::vector<float> y(tokens * rows);
            context c{*t};
            REQUIRE(
                matmul(c, w, {x.data(), tokens, cols}, matrix_view<float>(y.data(), tokens, rows))
                    .ok());
            if (t == dispatch::available().front()) first = y;
            CAPTURE(t->name, L::name);
            CHECK(std::memcmp(y.data(), first.data(), y.size() * sizeof(float)) == 0);
        }
        return false;
    });
}
