// SPDX-License-Identifier: MIT
// Tests of the runner. Enters: keys. Leaves: what the program shows on a terminal of its own.
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "program.hpp"

namespace tbx::testing {

class terminal_program {
    int terminal = -1;
    pid_t child = -1;
    std::string seen;
    std::size_t looked_at = 0;
    bool over = false;  // the program has ended

    // False when nothing came in time, or nothing will come any more.
    bool read_some(int milliseconds) {
        pollfd waiting{terminal, POLLIN, 0};
        if (::poll(&waiting, 1, milliseconds) <= 0) return false;
        char block[4096];
        const ssize_t count = ::read(terminal, block, sizeof block);
        over = count <= 0;
        if (over) return false;
        seen.append(block, static_cast<std::size_t>(count));
        return true;
    }

public:
    explicit terminal_program(const std::vector<std::string>& arguments,
                              const std::vector<std::string>& environment = {}) {
        terminal = ::posix_openpt(O_RDWR | O_NOCTTY);
        REQUIRE(terminal >= 0);
        REQUIRE(::grantpt(terminal) == 0);
        REQUIRE(::unlockpt(terminal) == 0);
        const std::string name = ::ptsname(terminal);
        const winsize size{24, 100, 0, 0};
        (void)::ioctl(terminal, TIOCSWINSZ, &size);
        child = ::fork();
        if (child != 0) return;
        (void)::setsid();
        const int end = ::open(name.c_str(), O_RDWR);
        for (int i = 0; i < 3; ++i) (void)::dup2(end, i);
        (void)::setenv("TERM", "xterm", 1);
        (void)::setenv("LC_ALL", "C.UTF-8", 1);
        for (const std::string& e : environment) (void)::putenv(const_cast<char*>(e.c_str()));
        std::vector<char*> argv = {const_cast<char*>(program_path())};
        for (const std::string& a : arguments) argv.push_back(const_cast<char*>(a.c_str()));
        argv.push_back(nullptr);
        ::execv(program_path(), argv.data());
        ::_exit(127);
    }
    terminal_program(const terminal_program&) = delete;
    terminal_program& operator=(const terminal_program&) = delete;
    ~terminal_program() {
        if (child > 0) {
            (void)::kill(child, SIGKILL);
            (void)::waitpid(child, nullptr, 0);
        }
        (void)::close(terminal);
    }

    void type(const std::string& keys) const {
        REQUIRE(::write(terminal, keys.data(), keys.size()) == static_cast<ssize_t>(keys.size()));
    }

    /// Waits until `text` stands behind what was waited for last; what stands between the two.
    std::string wait_for(const std::string& text) {
        const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
        for (;;) {
            const std::size_t at = seen.find(text, looked_at);
            if (at != seen.npos) {
                const std::string between = seen.substr(looked_at, at - looked_at);
                looked_at = at + text.size();
                return between;
            }
            if (!read_some(1000) && (over || std::chrono::steady_clock::now() > end)) break;
        }
        FAIL("'" << text << "' did not come; what came: " << seen);
        return {};
    }

    /// Types a message's keys and waits for the end of the answer. What was sent, by --show-tokens.
    std::string answer_to(const std::string& keys) {
        type(keys);
        (void)wait_for("sent ");
        const std::string sent = wait_for("\r\n");
        (void)wait_for("decode");
        return sent;
    }

    /// The exit status; 128 + n when signal n ended it.
    int wait() {
        while (read_some(60000)) continue;
        int status = 0;
        (void)::waitpid(child, &status, 0);
        child = -1;
        return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }
    [[nodiscard]] const std::string& all() const noexcept { return seen; }
};

}  // namespace tbx::testing
