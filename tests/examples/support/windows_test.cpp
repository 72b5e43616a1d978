// SPDX-License-Identifier: MIT
// Tests of room support on Windows: what a program that ends suddenly leaves behind, and what it
// says when a mapped file can no longer be read. Those that end are this one, asked for one case.
#include <catch2/catch_test_macros.hpp>

#include <cstdlib>
#include <string>

#include <process.h>

#include "scratch_folder.hpp"
#include "support/atomic_file.hpp"
#include "support/mapped_file.hpp"
#include "support/truncation.hpp"
#include "support/windows/api.hpp"

using namespace tbx;
using testing::scratch_folder;

namespace {

/// Exit status of this program, run for the hidden case of a tag; TRILOBIT_AT says where.
std::intptr_t end_of(const char* tag, const std::string& at) {
    char self[MAX_PATH] = {};
    REQUIRE(::GetModuleFileNameA(nullptr, self, MAX_PATH) != 0);
    REQUIRE(::SetEnvironmentVariableA("TRILOBIT_AT", at.c_str()) != 0);
    REQUIRE(::_putenv(("TRILOBIT_AT=" + at).c_str()) == 0);
    return ::_spawnl(_P_WAIT, self, "self", tag, static_cast<char*>(nullptr));
}
std::string place() { return std::getenv("TRILOBIT_AT"); }

}  // namespace

TEST_CASE("child writes half a file", "[.half]") {
    support::atomic_file file(place());
    file.write(std::string(1 << 20, 'x'));
    ::TerminateProcess(::GetCurrentProcess(), 7);
}

TEST_CASE("child loses a mapped file", "[.lost]") {
    const support::truncation_watch watch("prog");
    const support::mapped_file file(place());
    const ULONG_PTR what[] = {0, reinterpret_cast<ULONG_PTR>(file.bytes().data()), 0};
    ::RaiseException(static_cast<DWORD>(EXCEPTION_IN_PAGE_ERROR), 0, 3, what);
}

TEST_CASE("a program that is killed leaves no half-written file") {
    const scratch_folder folder;
    const std::string path = folder.file("out", "old");
    CHECK(end_of("[half]", path) == 7);
    CHECK(folder.entries() == 1);
    const support::mapped_file kept(path);
    CHECK(kept.bytes().size() == 3);
}

TEST_CASE("a mapped file that can no longer be read ends the program with status 1") {
    const scratch_folder folder;
    CHECK(end_of("[lost]", folder.file("model", "x")) == 1);
}

TEST_CASE("nobody cuts short or replaces what is mapped") {
    const scratch_folder folder;
    const std::string path = folder.file("model", std::string(100, 'x'));
    const support::mapped_file file(path);
    std::error_code problem;
    std::filesystem::resize_file(path, 1, problem);
    CHECK(problem);
    CHECK_NOTHROW(file.require_whole());
    CHECK(file.bytes().size() == 100);
    CHECK(file.bytes()[99] == std::byte{'x'});
}
