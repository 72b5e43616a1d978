// SPDX-License-Identifier: MIT
// Room support. Enters: the file or option at fault and what is wrong with it. Leaves: tbx::error,
// whose text is the whole line that a program prints after its own name before it exits.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace tbx {

class error : public std::runtime_error {
public:
    error(std::string_view subject, std::string_view what)
        : std::runtime_error(std::string(subject) + ": " + std::string(what)) {}
};

}  // namespace tbx
