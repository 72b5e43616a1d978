// SPDX-License-Identifier: MIT
// Room examples/runner. Enters: nothing. Leaves: what a conversation is made of.
#pragma once

#include <cstdint>
#include <string>

namespace tbx::runner {

enum class role : std::uint8_t { system, user, assistant };

struct message {
    role who;
    std::string text;
};

}  // namespace tbx::runner
