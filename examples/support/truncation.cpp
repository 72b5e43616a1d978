// SPDX-License-Identifier: MIT
// Room support. Enters: SIGBUS. Leaves: a line on stderr and status 1 when the address lies in a
// mapped file. Enters: a signal that ends the program. Leaves: no half-written file, and the end
// that the signal means. Handlers call nothing that POSIX forbids them, and only read records.
#include "support/truncation.hpp"

#include <array>
#include <atomic>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>

#include <unistd.h>

namespace tbx::support {

/// Used again but never freed, since a handler may be reading. It changes only while it is `none`.
struct end_record {
    enum kind { none, mapping, temporary };
    std::atomic<kind> what = none;
    std::uintptr_t first = 0, last = 0;  // of a mapping
    std::string text;                    // the line to print, or the file to remove
    end_record* next = nullptr;
};

namespace {

std::mutex guard;  // for everyone but the handler
std::atomic<end_record*> records = nullptr;
std::atomic<bool> ending = false;
std::string beginning;  // of the line
struct sigaction action_before{};
constexpr std::array ends{SIGINT, SIGTERM, SIGHUP};
std::array<struct sigaction, ends.size()> ends_before{};

end_record* keep(end_record::kind what, std::uintptr_t first, std::size_t size, std::string text) {
    const std::lock_guard lock(guard);
    end_record* free = records;
    while (free != nullptr && free->what != end_record::none) free = free->next;
    const bool fresh = free == nullptr;
    if (fresh) free = new end_record;
    free->first = first;
    free->last = first + size;
    free->text = std::move(text);
    free->what = what;
    if (fresh) {
        free->next = records;
        records = free;
    }
    return free;
}

void say(std::string_view text) noexcept {
    while (!text.empty()) {
        const ssize_t done = ::write(STDERR_FILENO, text.data(), text.size());
        if (done <= 0) return;
        text.remove_prefix(static_cast<std::size_t>(done));
    }
}

void remove_temporaries() noexcept {
    for (const end_record* r = records; r != nullptr; r = r->next)
        if (r->what == end_record::temporary) ::unlink(r->text.c_str());
}

[[noreturn]] void end_with(const end_record& cause) noexcept {
    // Other threads are likely to meet the same hole: one of them speaks.
    while (ending.exchange(true)) ::pause();
    say(beginning);
    say(cause.text);
    remove_temporaries();
    ::_exit(1);
}

// SA_RESETHAND has given the signal its default meaning back: it ends the program on return.
extern "C" void end_by_signal(int number) {
    remove_temporaries();
    ::raise(number);
}

extern "C" void bus_error(int, siginfo_t* info, void*) {
    const auto address = reinterpret_cast<std::uintptr_t>(info->si_addr);
    for (const end_record* r = records; info->si_code > 0 && r != nullptr; r = r->next)
        if (r->what == end_record::mapping && address >= r->first && address < r->last)
            end_with(*r);
    // The instruction runs again when this returns; a signal that someone sent has to be repeated.
    ::sigaction(SIGBUS, &action_before, nullptr);
    if (info->si_code <= 0) ::raise(SIGBUS);
}

}  // namespace

end_note end_note::mapping(std::span<const std::byte> bytes, std::string_view path) {
    std::string line(path);
    for (char& c : line)
        if (c == '\n' || c == '\r') c = ' ';
    line += ": was cut short while it was being read\n";
    return end_note(keep(end_record::mapping, reinterpret_cast<std::uintptr_t>(bytes.data()),
                         bytes.size(), std::move(line)));
}

end_note end_note::temporary(std::string_view path) {
    return end_note(keep(end_record::temporary, 0, 0, std::string(path)));
}

end_note::~end_note() {
    if (kept == nullptr) return;
    const std::lock_guard lock(guard);
    kept->what = end_record::none;
}

truncation_watch::truncation_watch(std::string_view program) {
    // A progress bar may stand in the line.
    beginning = ::isatty(STDERR_FILENO) == 1 ? "\r\x1b[K" : "";
    beginning.append(program).append(": ");
    struct sigaction action{};
    action.sa_sigaction = bus_error;
    action.sa_flags = SA_SIGINFO;
    sigemptyset(&action.sa_mask);
    ::sigaction(SIGBUS, &action, &action_before);
    action.sa_handler = end_by_signal;
    action.sa_flags = static_cast<int>(SA_RESETHAND);
    for (std::size_t i = 0; i < ends.size(); ++i) {
        ::sigaction(ends[i], nullptr, &ends_before[i]);
        // Not where it is ignored, by nohup or a shell's &, or somebody else handles it.
        if (ends_before[i].sa_handler == SIG_DFL) ::sigaction(ends[i], &action, nullptr);
    }
}

truncation_watch::~truncation_watch() {
    ::sigaction(SIGBUS, &action_before, nullptr);
    for (std::size_t i = 0; i < ends.size(); ++i) ::sigaction(ends[i], &ends_before[i], nullptr);
}

}  // namespace tbx::support
