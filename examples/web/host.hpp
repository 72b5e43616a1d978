// SPDX-License-Identifier: MIT
// Room web. Enters: what JavaScript should know. Leaves: calls of it.
#pragma once

#include <string_view>

namespace tbx::web {

/// One line that says what is wrong; JavaScript gets it as an exception. Whatever was under
/// way is left as it is, so the instance may not be called again.
[[noreturn]] void fail(std::string_view line) noexcept;

/// How much of a long job is done, 0 to 1.
void report(double done) noexcept;

}  // namespace tbx::web
