// SPDX-License-Identifier: MIT
// Room support. Enters: SIGINT or SIGTERM. Leaves: a flag; the handler touches nothing else.
#include "support/interrupt.hpp"

#include <array>
#include <csignal>
#include <cstddef>

namespace tbx::support {

namespace {

constexpr std::array watched{SIGINT, SIGTERM};

volatile std::sig_atomic_t seen = 0;
std::array<struct sigaction, watched.size()> previous{};

extern "C" void note_signal(int) { seen = 1; }

// SA_RESETHAND gives the second signal its default meaning; without SA_RESTART a read from the
// terminal returns, so that a program waiting for a line notices.
void watch(std::array<struct sigaction, watched.size()>* old) noexcept {
    struct sigaction action{};
    action.sa_handler = note_signal;
    action.sa_flags = static_cast<int>(SA_RESETHAND);
    sigemptyset(&action.sa_mask);
    for (std::size_t i = 0; i < watched.size(); ++i) {
        ::sigaction(watched[i], &action, old == nullptr ? nullptr : &(*old)[i]);
    }
}

}  // namespace

interrupt_watch::interrupt_watch() {
    seen = 0;
    watch(&previous);
}

interrupt_watch::~interrupt_watch() {
    for (std::size_t i = 0; i < watched.size(); ++i) ::sigaction(watched[i], &previous[i], nullptr);
}

void interrupt_watch::rearm() noexcept {
    seen = 0;
    watch(nullptr);
}

bool interrupted() noexcept { return seen != 0; }

}  // namespace tbx::support
