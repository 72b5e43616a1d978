// SPDX-License-Identifier: MIT
// Room integrations. Enters: addresses that ggml's server would bind or connect to. Leaves: those
// of this machine alone pass, unless told otherwise. That is decided here, below ggml: a client may
// ask its server to listen on every address of the machine, or to connect to another one.
#pragma once

#include <atomic>

namespace tbx::ggml {

struct network_guard {
    bool exposed = false;                       // other machines may be met
    std::atomic<bool>* is_listening = nullptr;  // set by the first bind()
};
extern network_guard the_guard;

/// Is this text an IPv4 address, as ggml's server needs it?
bool is_address(const char* text) noexcept;
bool is_loopback(const char* address) noexcept;

}  // namespace tbx::ggml
