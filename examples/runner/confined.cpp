// SPDX-License-Identifier: MIT
// Room examples/runner. Enters: work. Leaves: its text; see confined.hpp.
#include "runner/confined.hpp"

#include "support/error.hpp"

#if !defined(_WIN32)
#include <poll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <exception>
#include <fstream>
#endif

namespace tbx::runner {

#if defined(_WIN32)

std::string confined(std::string_view, const std::function<std::string()>& work, int) {
    return work();
}

#else

namespace {

constexpr rlim_t more_memory = rlim_t{1} << 30;
constexpr std::size_t most_text = std::size_t{64} << 20;

// What the process has mapped counts too: a model, say. Without /proc there is no limit.
void limit_memory() {
    rlim_t pages = 0;
    if (!(std::ifstream("/proc/self/statm") >> pages)) return;
    rlimit now{};
    if (::getrlimit(RLIMIT_AS, &now) != 0) return;
    const rlim_t wanted = pages * static_cast<rlim_t>(::sysconf(_SC_PAGESIZE)) + more_memory;
    if (now.rlim_cur != RLIM_INFINITY && now.rlim_cur <= wanted) return;
    now.rlim_cur = wanted;
    (void)::setrlimit(RLIMIT_AS, &now);
}

void write_all(int to, std::string_view text) {
    while (!text.empty()) {
        const ssize_t count = ::write(to, text.data(), text.size());
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return;
        text.remove_prefix(static_cast<std::size_t>(count));
    }
}

// The first byte says what follows: a text, or a complaint.
[[noreturn]] void be_the_child(int to, const std::function<std::string()>& work, int seconds) {
    for (const int number : {SIGTERM, SIGSEGV, SIGBUS}) (void)::signal(number, SIG_DFL);
    (void)::signal(SIGINT, SIG_IGN);  // Ctrl-C is for the program
    const rlimit no_core{}, end{static_cast<rlim_t>(seconds) + 1, static_cast<rlim_t>(seconds) + 1};
    (void)::setrlimit(RLIMIT_CORE, &no_core);
    (void)::setrlimit(RLIMIT_CPU, &end);  // where nobody is left to end it
    limit_memory();
    try {
        write_all(to, "+" + work());
    } catch (const std::bad_alloc&) {
        write_all(to, "-it wants too much memory");
    } catch (const std::exception& e) {
        write_all(to, std::string("-") + e.what());
    }
    ::_exit(0);
}

// False when the time is over, or more comes than any template writes.
bool read_all(int from, std::string& text, int seconds) {
    using clock = std::chrono::steady_clock;
    const auto end = clock::now() + std::chrono::seconds(seconds);
    for (char block[1 << 14];;) {
        const auto left =
            std::chrono::duration_cast<std::chrono::milliseconds>(end - clock::now()).count();
        pollfd waiting{from, POLLIN, 0};
        const int ready = left > 0 ? ::poll(&waiting, 1, static_cast<int>(left)) : 0;
        if (ready < 0 && errno == EINTR) continue;
        if (ready <= 0 || text.size() > most_text) return false;
        const ssize_t count = ::read(from, block, sizeof block);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return true;
        text.append(block, static_cast<std::size_t>(count));
    }
}

}  // namespace

std::string confined(std::string_view subject, const std::function<std::string()>& work,
                     int seconds) {
    int ends[2];
    if (::pipe(ends) != 0) throw error(subject, "there is no pipe for the process that runs it");
    const pid_t child = ::fork();
    if (child == 0) {
        (void)::close(ends[0]);
        be_the_child(ends[1], work, seconds);
    }
    (void)::close(ends[1]);
    std::string text;
    const bool in_time = child > 0 && read_all(ends[0], text, seconds);
    (void)::close(ends[0]);
    if (child < 0) throw error(subject, "no process can be started to run it");
    if (!in_time) (void)::kill(child, SIGKILL);
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
    if (!in_time) throw error(subject, "it did not end within " + std::to_string(seconds) + " s");
    if (text.empty() || !WIFEXITED(status))
        throw error(subject, "it broke the program that runs it");
    if (text[0] == '+') return text.substr(1);
    // What is a tbx::error there is one here.
    text.erase(0, 1);
    const std::string prefix = std::string(subject) + ": ";
    throw error(subject, text.starts_with(prefix) ? text.substr(prefix.size()) : text);
}

#endif

}  // namespace tbx::runner
