// SPDX-License-Identifier: MIT
// Room web. Enters: calls of the module. Leaves: calls of the few functions of engine.mjs.
#include "host.hpp"

extern "C" [[noreturn, clang::import_module("page"), clang::import_name("fail")]] void page_fail(
    const char* text, unsigned long bytes);
extern "C" [[clang::import_module("page"), clang::import_name("progress")]] void page_progress(
    double done);

namespace tbx::web {

void fail(std::string_view line) noexcept { page_fail(line.data(), line.size()); }

void report(double done) noexcept { page_progress(done); }

}  // namespace tbx::web
