// SPDX-License-Identifier: MIT
// Room examples/runner. Enters: work on what a stranger wrote. Leaves: the text that it makes,
// or an error, whatever happens meanwhile: it may crash, never end, or want all memory.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace tbx::runner {

/// Runs `work` in a process of its own, for at most so many seconds and with at most a gibibyte
/// more than there is. Throws tbx::error of `work`, or one about `subject`. On Windows it is merely
/// called.
[[nodiscard]] std::string confined(std::string_view subject,
                                   const std::function<std::string()>& work, int seconds = 10);

}  // namespace tbx::runner
