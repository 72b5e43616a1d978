// SPDX-License-Identifier: MIT
// Room web. Enters: one line that says what is wrong. Leaves: the module, for good: JavaScript gets
// the line as an exception.
#pragma once

#include <string_view>

namespace tbx::web {

/// Whatever was under way is left as it is, so the instance may not be called again.
[[noreturn]] void fail(std::string_view line) noexcept;

}  // namespace tbx::web
