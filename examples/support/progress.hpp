// SPDX-License-Identifier: MIT
// Room support. Enters: how far a long job is, from any thread. Leaves: one line on stderr that
// rewrites itself, with percent and time left, if stderr is a terminal; nothing otherwise.
#pragma once

#include <chrono>
#include <mutex>
#include <string>
#include <string_view>

namespace tbx::support {

class progress_bar {
    using clock = std::chrono::steady_clock;

    std::string label;
    std::string shown_text;
    std::mutex guard;
    clock::time_point started = clock::now();
    clock::time_point drawn{};
    double first_fraction = -1;  // where a resumed job began, so that time left is not too rosy
    double fraction = 0;
    bool terminal = false;
    bool visible = false;

    void draw(clock::time_point now);

public:
    explicit progress_bar(std::string label);
    progress_bar(const progress_bar&) = delete;
    progress_bar& operator=(const progress_bar&) = delete;
    ~progress_bar() { clear(); }

    /// `done` in 0..1; `text` is shown after the percentage ("loss 1.234  5.1k tokens/s").
    void update(double done, std::string_view text = {});
    /// Draws the full bar and ends the line, so that it stays on the screen.
    void finish(std::string_view text = {});
    /// Wipes the line, as if the bar had never been there. The destructor does the same.
    void clear();
};

/// Is this stream a terminal? 1 = stdout, 2 = stderr.
[[nodiscard]] bool is_terminal(int descriptor) noexcept;

/// The line that progress_bar draws, at most `columns` wide; apart so that it can be tested.
[[nodiscard]] std::string progress_line(std::string_view label, double fraction,
                                        std::string_view text, double seconds_left, int columns);

}  // namespace tbx::support
