// SPDX-License-Identifier: MIT
// Room support. Enters: how far a long job is. Leaves: one self-rewriting line on a terminal.
#include "support/progress.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <utility>

#if defined(_WIN32)
#include <io.h>

#include "support/windows/api.hpp"
#else
#include <sys/ioctl.h>
#include <unistd.h>
#endif

#include "support/human.hpp"

namespace tbx::support {

namespace {

constexpr auto redraw_interval = std::chrono::milliseconds(100);
constexpr const char* erase_line = "\r\x1b[K";

int terminal_columns() noexcept {
#if defined(_WIN32)
    CONSOLE_SCREEN_BUFFER_INFO info{};
    if (::GetConsoleScreenBufferInfo(::GetStdHandle(STD_ERROR_HANDLE), &info) != 0)
        return info.srWindow.Right - info.srWindow.Left + 1;
#else
    struct winsize size{};
    if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
#endif
    return 80;
}

// Bytes of the first `characters` characters: a cut must not split one.
std::size_t prefix_bytes(std::string_view text, std::size_t characters) noexcept {
    std::size_t at = 0;
    while (at < text.size()) {
        const bool starts = (static_cast<unsigned char>(text[at]) & 0xc0u) != 0x80u;
        if (starts && characters-- == 0) break;
        ++at;
    }
    return at;
}

}  // namespace

bool is_terminal(int descriptor) noexcept {
#if defined(_WIN32)
    // NUL passes for a terminal too.
    DWORD mode = 0;
    const auto handle = reinterpret_cast<HANDLE>(::_get_osfhandle(descriptor));
    return ::GetConsoleMode(handle, &mode) != 0;
#else
    return ::isatty(descriptor) == 1;
#endif
}

std::string progress_line(std::string_view label, double fraction, std::string_view text,
                          double seconds_left, int columns) {
    // NaN compares false, so it becomes 0.
    const double done = fraction > 0 ? std::min(fraction, 1.0) : 0.0;
    std::string after = " " + std::to_string(static_cast<int>(done * 100)) + "%";
    if (!text.empty()) after.append("  ").append(text);
    if (seconds_left >= 0) after += "  " + human_duration(seconds_left) + " left";

    std::string line(label);
    const int bar = std::min(30, columns - static_cast<int>(label.size() + after.size()) - 4);
    if (bar >= 5) {
        const int full = static_cast<int>(done * bar);
        line.append(" [").append(static_cast<std::size_t>(full), '=');
        line.append(static_cast<std::size_t>(bar - full), ' ').append("]");
    }
    line += after;
    line.resize(prefix_bytes(line, static_cast<std::size_t>(std::max(columns - 1, 0))));
    return line;
}

progress_bar::progress_bar(std::string name) : label(std::move(name)), terminal(is_terminal(2)) {}

void progress_bar::update(double done, std::string_view text) {
    if (!terminal) return;
    const std::lock_guard lock(guard);
    if (first_fraction < 0) first_fraction = done;
    // Threads may report out of order: the bar never runs backwards.
    fraction = std::max(fraction, done);
    shown_text = text;
    const auto now = clock::now();
    if (visible && now - drawn < redraw_interval) return;
    draw(now);
}

void progress_bar::draw(clock::time_point now) {
    const double elapsed = std::chrono::duration<double>(now - started).count();
    const double gained = fraction - first_fraction;
    double left = -1;
    if (gained > 0 && elapsed > 1 && fraction < 1) left = elapsed / gained * (1 - fraction);
    const std::string line = progress_line(label, fraction, shown_text, left, terminal_columns());
    std::fprintf(stderr, "%s%s", erase_line, line.c_str());
    std::fflush(stderr);
    drawn = now;
    visible = true;
}

void progress_bar::finish(std::string_view text) {
    if (!terminal) return;
    const std::lock_guard lock(guard);
    fraction = 1;
    shown_text = text;
    draw(clock::now());
    std::fputc('\n', stderr);
    visible = false;
}

void progress_bar::clear() {
    const std::lock_guard lock(guard);
    if (visible) {
        std::fputs(erase_line, stderr);
        std::fflush(stderr);
    }
    visible = false;
}

}  // namespace tbx::support
