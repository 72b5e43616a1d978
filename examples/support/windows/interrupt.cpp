// SPDX-License-Identifier: MIT
// Room support. Enters: Ctrl-C, Ctrl-Break or SIGTERM. Leaves: a flag; the handler touches nothing
// else. The C library gives a signal its default meaning back before it calls the handler.
#include "support/interrupt.hpp"

#include <array>
#include <csignal>
#include <cstddef>

namespace tbx::support {

namespace {

constexpr std::array watched{SIGINT, SIGBREAK, SIGTERM};

volatile std::sig_atomic_t seen = 0;
std::array<void (*)(int), watched.size()> previous{};

extern "C" void note_signal(int) { seen = 1; }

}  // namespace

interrupt_watch::interrupt_watch() {
    seen = 0;
    for (std::size_t i = 0; i < watched.size(); ++i)
        previous[i] = std::signal(watched[i], note_signal);
}

interrupt_watch::~interrupt_watch() {
    for (std::size_t i = 0; i < watched.size(); ++i) (void)std::signal(watched[i], previous[i]);
}

void interrupt_watch::rearm() noexcept {
    seen = 0;
    for (const int number : watched) (void)std::signal(number, note_signal);
}

bool interrupted() noexcept { return seen != 0; }

}  // namespace tbx::support
