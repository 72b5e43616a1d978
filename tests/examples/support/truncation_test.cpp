// SPDX-License-Identifier: MIT
// Tests of room support: a file that someone cuts short while it is mapped ends the program with a
// line and status 1, and nothing that was being written stays behind.
#include "support/truncation.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <csignal>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "scratch_folder.hpp"
#include "support/atomic_file.hpp"
#include "support/error.hpp"
#include "support/mapped_file.hpp"

using namespace tbx;
using Catch::Matchers::EndsWith;
using testing::scratch_folder;

namespace {

constexpr std::size_t size = 16 * 65536;  // more than one page of any system

/// What a child process did, its standard error in a file.
struct end {
    int state = 0;
    std::string said;
};

template <class F>
end in_child(const scratch_folder& folder, F body) {
    const std::string path = folder.file("said", "");
    const pid_t child = ::fork();
    if (child == 0) {
        const int file = ::open(path.c_str(), O_WRONLY);
        if (file < 0 || ::dup2(file, 2) < 0) ::_exit(126);
        body();
        ::_exit(125);
    }
    end e;
    ::waitpid(child, &e.state, 0);
    std::ifstream in(path, std::ios::binary);
    e.said.assign(std::istreambuf_iterator<char>(in), {});
    return e;
}

int read_last(const support::mapped_file& file) {
    return static_cast<int>(*static_cast<const volatile std::byte*>(&file.bytes().back()));
}

}  // namespace

TEST_CASE("a file cut short while it is mapped gives a line with its name and status 1") {
    const scratch_folder folder;
    const std::string path = folder.file("model", std::string(size, 'x'));
    const end e = in_child(folder, [&] {
        const support::truncation_watch watch("prog");
        const support::mapped_file other(folder.file("other", std::string(size, 'y')));
        support::mapped_file first(path);
        const support::mapped_file file(std::move(first));
        if (::truncate(path.c_str(), 1) != 0) ::_exit(124);
        ::_exit(read_last(other) == 'y' ? read_last(file) : 123);
    });
    REQUIRE(WIFEXITED(e.state));
    CHECK(WEXITSTATUS(e.state) == 1);
    CHECK(e.said == "prog: " + path + ": was cut short while it was being read\n");
}

TEST_CASE("several threads that meet the hole say it once") {
    const scratch_folder folder;
    const std::string path = folder.file("model", std::string(size, 'x'));
    const end e = in_child(folder, [&] {
        const support::truncation_watch watch("prog");
        const support::mapped_file file(path);
        if (::truncate(path.c_str(), 1) != 0) ::_exit(124);
        std::vector<std::thread> threads;
        for (int i = 0; i < 8; ++i) threads.emplace_back([&] { (void)read_last(file); });
        for (std::thread& t : threads) t.join();
    });
    CHECK((WIFEXITED(e.state) && WEXITSTATUS(e.state) == 1));
    CHECK(e.said == "prog: " + path + ": was cut short while it was being read\n");
}

TEST_CASE("what was being written is removed, what is there stays") {
    const scratch_folder folder;
    const std::string path = folder.file("model", std::string(size, 'x'));
    const end e = in_child(folder, [&] {
        const support::truncation_watch watch("prog");
        support::atomic_file whole(folder.path("whole"));
        whole.commit();
        support::atomic_file out(folder.path("out"));
        support::atomic_file moved(std::move(out));
        moved.write("half");
        const support::mapped_file file(path);
        if (::truncate(path.c_str(), 1) != 0) ::_exit(124);
        moved.write(file.bytes());
        moved.commit();
    });
    CHECK((WIFEXITED(e.state) && WEXITSTATUS(e.state) == 1));
    CHECK(folder.entries() == 3);  // model, whole and said
}

TEST_CASE("a signal that ends the program leaves nothing half written") {
    for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
        const scratch_folder folder;
        const end e = in_child(folder, [&] {
            std::signal(number, SIG_DFL);
            const support::truncation_watch watch("prog");
            support::atomic_file out(folder.path("out"));
            out.write("half");
            std::raise(number);
        });
        CHECK((WIFSIGNALED(e.state) && WTERMSIG(e.state) == number));
        CHECK(folder.entries() == 1);  // said
        const end ignored = in_child(folder, [&] {
            std::signal(number, SIG_IGN);
            const support::truncation_watch watch("prog");
            support::atomic_file out(folder.path("out"));
            std::raise(number);
            out.commit();
            ::_exit(0);
        });
        CHECK((WIFEXITED(ignored.state) && WEXITSTATUS(ignored.state) == 0));
        CHECK(folder.entries() == 2);
    }
}

TEST_CASE("other causes of the signal kill as before") {
    const scratch_folder folder;
    const std::string path = folder.file("data", std::string(size, 'x'));
    const auto killed = [](const end& e) {
        return WIFSIGNALED(e.state) && WTERMSIG(e.state) == SIGBUS && e.said.empty();
    };
    CHECK(killed(in_child(folder, [&] {
        std::signal(SIGBUS, SIG_DFL);  // a sanitizer may have its own
        const support::truncation_watch watch("prog");
        const support::mapped_file noted(path);
        const int file = ::open(path.c_str(), O_RDONLY);
        void* at = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file, 0);
        if (at == MAP_FAILED || ::truncate(path.c_str(), 1) != 0) ::_exit(124);
        ::_exit(static_cast<const volatile char*>(at)[size - 1]);
    })));
    CHECK(killed(in_child(folder, [] {
        std::signal(SIGBUS, SIG_DFL);
        const support::truncation_watch watch("prog");
        std::raise(SIGBUS);
    })));
    // No longer mapped: the address is nobody's any more.
    const std::string again = folder.file("again", std::string(size, 'x'));
    CHECK(killed(in_child(folder, [&] {
        std::signal(SIGBUS, SIG_DFL);
        const support::truncation_watch watch("prog");
        const std::byte* old = nullptr;
        {
            const support::mapped_file file(again);
            old = file.bytes().data();
        }
        const int file = ::open(again.c_str(), O_RDONLY);
        void* at =
            ::mmap(const_cast<std::byte*>(old), size, PROT_READ, MAP_PRIVATE | MAP_FIXED, file, 0);
        if (at == MAP_FAILED || ::truncate(again.c_str(), 1) != 0) ::_exit(124);
        ::_exit(static_cast<const volatile char*>(at)[size - 1]);
    })));
}

TEST_CASE("what is missing of the last page is noticed by asking") {
    const scratch_folder folder;
    const std::string path = folder.file("model", std::string(100, 'x'));
    const support::mapped_file file(path);
    CHECK_NOTHROW(file.require_whole());
    REQUIRE(::truncate(path.c_str(), 99) == 0);
    CHECK_THROWS_WITH(file.require_whole(),
                      EndsWith("model: was cut short while it was being read"));
    // Another file under the name is not the one that is mapped.
    const std::string kept = folder.file("kept", "0123456789");
    const support::mapped_file old(kept);
    REQUIRE(::rename(folder.file("new", "x").c_str(), kept.c_str()) == 0);
    CHECK_NOTHROW(old.require_whole());
    CHECK_NOTHROW(support::mapped_file(folder.file("empty", "")).require_whole());
}
