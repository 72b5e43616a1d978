// SPDX-License-Identifier: MIT
// Room support. Enters: a page of a mapped file that cannot be read, since its disk or network is
// gone. Leaves: a line on stderr and status 1. Half-written files Windows removes by itself: see
// atomic_file.cpp.
#include "support/truncation.hpp"

#include <cstdio>
#include <string>

#include <io.h>

#include "support/windows/api.hpp"

namespace tbx::support {

/// Nobody has to remember anything.
struct end_record {};

namespace {

void* watching = nullptr;
std::string line;

LONG CALLBACK page_error(EXCEPTION_POINTERS* what) {
    if (what->ExceptionRecord->ExceptionCode != static_cast<DWORD>(EXCEPTION_IN_PAGE_ERROR))
        return EXCEPTION_CONTINUE_SEARCH;
    DWORD done = 0;
    (void)::WriteFile(::GetStdHandle(STD_ERROR_HANDLE), line.data(),
                      static_cast<DWORD>(line.size()), &done, nullptr);
    // Other threads are likely to meet the same hole: the first ends them all.
    ::TerminateProcess(::GetCurrentProcess(), 1);
    return EXCEPTION_CONTINUE_SEARCH;
}

}  // namespace

end_note end_note::mapping(std::span<const std::byte>, std::string_view) { return {}; }
end_note end_note::temporary(std::string_view) { return {}; }
end_note::~end_note() = default;

truncation_watch::truncation_watch(std::string_view program) {
    // A progress bar may stand in the line.
    line = ::_isatty(2) != 0 ? "\r\x1b[K" : "";
    line.append(program).append(": a mapped file: the system can no longer read it\n");
    watching = ::AddVectoredExceptionHandler(1, page_error);
}

truncation_watch::~truncation_watch() { ::RemoveVectoredExceptionHandler(watching); }

}  // namespace tbx::support
