// SPDX-License-Identifier: MIT
// Room support. Enters: windows.h. Leaves: what this room takes of it, and what went wrong, in
// words. Functions that end in A take UTF-8: by the program's manifest that is its code page.
#pragma once

#include <string>
#include <system_error>

#ifndef WIN32_LEAN_AND_MEAN
#define WIN32_LEAN_AND_MEAN
#endif
#ifndef NOMINMAX
#define NOMINMAX
#endif
#include <windows.h>

namespace tbx::support::windows {

/// The text of GetLastError(), without the end of line and the full stop that it has.
[[nodiscard]] inline std::string last_error() {
    std::string text = std::system_category().message(static_cast<int>(::GetLastError()));
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == '.'))
        text.pop_back();
    return text;
}

}  // namespace tbx::support::windows
