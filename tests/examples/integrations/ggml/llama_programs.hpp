// SPDX-License-Identifier: MIT
// Tests of integrations/ggml. Enters: command lines. Leaves: what they did; and Debian's llama.cpp,
// fetched where it is missing, or a loud skip.
#pragma once

#include <sys/wait.h>

#include <array>
#include <catch2/catch_test_macros.hpp>
#include <cstdio>
#include <string>

namespace tbx::testing {

inline const std::string root = TRILOBIT_SOURCE_DIR, plugin = TRILOBIT_PLUGIN;
inline const std::string llama = root + "/build/rivals/bin/";

struct outcome {
    int status = -1;
    std::string text;  // both streams
};

inline std::string quoted(const std::string& word) { return "'" + word + "'"; }

inline outcome run(const std::string& command) {
    outcome o;
    std::FILE* pipe = ::popen((command + " 2>&1").c_str(), "r");
    REQUIRE(pipe != nullptr);
    std::array<char, 4096> part;
    for (std::size_t n; (n = std::fread(part.data(), 1, part.size(), pipe)) > 0;)
        o.text.append(part.data(), n);
    const int status = ::pclose(pipe);
    o.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return o;
}

/// llama.cpp writes from a thread that ends with the program, one time in ten before all is
/// written. Runs a program again until the last that it has to say is there.
inline outcome run_to_the_end(const std::string& command, const std::string& last) {
    outcome o;
    for (int i = 0; i < 8; ++i) {
        o = run(command);
        if (o.status != 0 || o.text.find(last) != o.text.npos) break;
    }
    return o;
}

/// Programs of llama.cpp, or a loud skip.
inline void need_llama() {
    // Tests run side by side, and one of them fetches.
    const outcome fetched =
        run("mkdir -p " + quoted(root + "/build") + " && flock " +
            quoted(root + "/build/.rivals.lock") + " " + quoted(root + "/scripts/fetch-rivals"));
    if (fetched.status != 0) SKIP("llama.cpp cannot be had: " << fetched.text);
}

}  // namespace tbx::testing
