// SPDX-License-Identifier: MIT
// Tests of the runner. Enters: arguments. Leaves: what the program `trilobit` did with them.
#pragma once

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "../support/scratch_folder.hpp"
#include "model/random_weights.hpp"
#include "model/shapes.hpp"

namespace tbx::testing {

struct outcome {
    int status = -1;  // exit status; 128 + n when signal n ended it
    std::string out, err;

    /// One line, "trilobit: ...", with nothing before it.
    [[nodiscard]] bool complained() const {
        return err.starts_with("trilobit: ") && err.ends_with("\n") &&
               err.find('\n') == err.size() - 1 && err.find(": ", 10) != err.npos;
    }
};

inline std::string content_of(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

/// The program of this build, or another that behaves as it does: that of Windows under wine, say.
inline const char* program_path() {
    const char* other = std::getenv("TRILOBIT_TEST_PROGRAM");
    return other != nullptr ? other : TRILOBIT_PROGRAM;
}

/// The program while it runs, its streams in files.
class program {
    scratch_folder folder;
    pid_t child;

public:
    /// With no more than `addresses` bytes of address space, if that is not 0.
    explicit program(const std::vector<std::string>& arguments, const std::string& input = {},
                     const std::vector<std::string>& environment = {}, std::size_t addresses = 0) {
        const std::string in = folder.file("in", input), out = folder.path("out"),
                          err = folder.path("err");
        child = ::fork();
        if (child != 0) return;
        const auto take = [](const std::string& path, int flags, int descriptor) {
            const int file = ::open(path.c_str(), flags, 0600);
            if (file < 0 || ::dup2(file, descriptor) < 0) ::_exit(126);
        };
        take(in, O_RDONLY, 0);
        take(out, O_WRONLY | O_CREAT | O_TRUNC, 1);
        take(err, O_WRONLY | O_CREAT | O_TRUNC, 2);
        std::vector<char*> argv = {const_cast<char*>(program_path())};
        for (const std::string& a : arguments) argv.push_back(const_cast<char*>(a.c_str()));
        argv.push_back(nullptr);
        for (const std::string& e : environment) ::putenv(const_cast<char*>(e.c_str()));
        const rlimit limit{addresses, addresses};
        if (addresses > 0) (void)::setrlimit(RLIMIT_AS, &limit);
        ::execv(program_path(), argv.data());
        ::_exit(127);
    }
    [[nodiscard]] std::string output_so_far() const { return content_of(folder.path("out")); }
    void send(int signal) const { ::kill(child, signal); }
    [[nodiscard]] outcome wait() const {
        int status = 0;
        ::waitpid(child, &status, 0);
        return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status),
                content_of(folder.path("out")), content_of(folder.path("err"))};
    }
};

inline outcome run_program(const std::vector<std::string>& arguments, const std::string& input = {},
                           const std::vector<std::string>& environment = {}) {
    return program(arguments, input, environment).wait();
}

/// A dummy model of shape "tiny", made once.
inline const std::string& tiny_model() {
    static const scratch_folder folder;
    static const std::string path = [] {
        model::write_dummy(folder.path("tiny.gguf"), model::config_of_shape("tiny"),
                           gguf::tensor_type::tq2_0, 1, {});
        return folder.path("tiny.gguf");
    }();
    return path;
}

}  // namespace tbx::testing
