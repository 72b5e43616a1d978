// SPDX-License-Identifier: MIT
// windows.h with all its macros before the library: what the library declares of Windows itself is
// the same, and nothing is renamed.
#include <windows.h>

#include "trilobit/trilobit.hpp"

#include <catch2/catch_test_macros.hpp>
#include <cstdio>

using namespace trilobit;

TEST_CASE("windows.h and the library live in one source", "[pack]") {
    const float weights[] = {1, -1, 0, 1};
    const auto packed = pack<layout::ternary_2bit>({weights, 2, 2});
    char path[MAX_PATH + 32] = {};
    const DWORD length = ::GetTempPathA(MAX_PATH, path);
    (void)std::snprintf(path + length, 32, "trilobit-%lu", ::GetCurrentProcessId());
    REQUIRE(save(packed, path).ok());
    CHECK(mapped_matrix(path).status().ok());
    CHECK(::DeleteFileA(path) != 0);
    CHECK(mapped_matrix(path).status().code == errc::bad_format);
    CHECK(mapped_matrix("NUL").status().code == errc::bad_format);
}
