// SPDX-License-Identifier: MIT
// Tests of room support: the first Ctrl-C sets a flag, the second kills, and the old handler
// returns.
#include <catch2/catch_test_macros.hpp>

#include <csignal>

#if !defined(_WIN32)
#include <sys/wait.h>
#include <unistd.h>
#endif

#include "support/interrupt.hpp"

using namespace tbx::support;

TEST_CASE("a watched signal sets the flag and does not end the program") {
    const auto before = std::signal(SIGINT, SIG_IGN);
    {
        interrupt_watch watch;
        CHECK_FALSE(interrupted());
        std::raise(SIGINT);
        CHECK(interrupted());
        watch.rearm();
        CHECK_FALSE(interrupted());
        std::raise(SIGTERM);
        CHECK(interrupted());
    }
    CHECK(std::signal(SIGINT, before) == SIG_IGN);
}

#if !defined(_WIN32)
TEST_CASE("the second signal kills") {
    const pid_t child = ::fork();
    if (child == 0) {
        interrupt_watch watch;
        std::raise(SIGINT);
        if (!interrupted()) ::_exit(3);
        std::raise(SIGINT);
        ::_exit(4);
    }
    int state = 0;
    REQUIRE(::waitpid(child, &state, 0) == child);
    REQUIRE(WIFSIGNALED(state));
    CHECK(WTERMSIG(state) == SIGINT);
}
#endif
