// SPDX-License-Identifier: MIT
// Room support. Enters: Ctrl-C or a polite kill. Leaves: a flag that long loops look at, so that
// they end cleanly. The second signal kills the program as usual.
#pragma once

namespace tbx::support {

/// Watches SIGINT and SIGTERM for as long as it lives, then restores what was there before.
/// One at a time.
class interrupt_watch {
public:
    interrupt_watch();
    interrupt_watch(const interrupt_watch&) = delete;
    interrupt_watch& operator=(const interrupt_watch&) = delete;
    ~interrupt_watch();

    /// Forgets the signal and watches again: for a chat, where Ctrl-C ends one answer only.
    void rearm() noexcept;
};

/// Has a watched signal come? Cheap enough for an inner loop.
[[nodiscard]] bool interrupted() noexcept;

}  // namespace tbx::support
