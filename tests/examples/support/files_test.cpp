// SPDX-License-Identifier: MIT
// Tests of room support: mapped files are read whole, output files appear whole or not at all.
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <cstdint>
#include <string>
#include <utility>

#include <sys/stat.h>

#include "scratch_folder.hpp"
#include "support/atomic_file.hpp"
#include "support/error.hpp"
#include "support/human.hpp"
#include "support/mapped_file.hpp"

using namespace tbx;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::StartsWith;
using testing::scratch_folder;

namespace {

std::string content(const support::mapped_file& file) {
    const auto bytes = file.bytes();
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string content(const std::string& path) { return content(support::mapped_file(path)); }

}  // namespace

TEST_CASE("a mapped file holds the file's bytes and survives a move") {
    const scratch_folder folder;
    support::mapped_file file(folder.file("a", std::string("one\0two", 7)));
    const auto* address = file.bytes().data();
    support::mapped_file moved(std::move(file));
    CHECK(content(moved) == std::string("one\0two", 7));
    CHECK(moved.bytes().data() == address);
    support::mapped_file assigned(folder.file("b", "other"));
    assigned = std::move(moved);
    CHECK(content(assigned) == std::string("one\0two", 7));
}

TEST_CASE("an empty file maps to nothing") {
    const scratch_folder folder;
    CHECK(support::mapped_file(folder.file("empty", "")).bytes().empty());
}

TEST_CASE("what is no regular file is refused with its name") {
    const scratch_folder folder;
    const std::string missing = folder.path("missing");
    CHECK_THROWS_WITH(support::mapped_file(missing), StartsWith(missing + ": cannot open: "));
    CHECK_THROWS_WITH(support::mapped_file(folder.path(".")),
                      ContainsSubstring("not a regular file"));
    CHECK_THROWS_AS(support::atomic_file(folder.path(".")), error);
#if !defined(_WIN32)
    // A fifo that nobody writes must be refused, not waited for.
    const std::string fifo = folder.path("fifo");
    REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
    CHECK_THROWS_WITH(support::mapped_file(fifo), ContainsSubstring("not a regular file"));
    CHECK_THROWS_AS(support::atomic_file(fifo), error);
#endif
}

TEST_CASE("an output file appears at commit, and the old one stays until then") {
    const scratch_folder folder;
    const std::string path = folder.file("out", "old");
    {
        support::atomic_file file(path);
        file.write("new ");
        file.write("content");
        CHECK(file.position() == 11);
        CHECK(content(path) == "old");
        file.commit();
    }
    CHECK(content(path) == "new content");
    CHECK(folder.entries() == 1);
}

TEST_CASE("an output file without a name is refused before anything is written") {
    CHECK_THROWS_WITH(support::atomic_file(""), "output file: its name is empty");
}

TEST_CASE("an abandoned output file leaves no trace") {
    const scratch_folder folder;
    {
        support::atomic_file file(folder.path("out"));
        file.write("half");
    }
    CHECK(folder.entries() == 0);
    CHECK_THROWS_WITH(support::atomic_file(folder.path("no/such/folder")),
                      ContainsSubstring("cannot create"));
}

TEST_CASE("an output larger than the buffer is written in order") {
    const scratch_folder folder;
    std::string expected;
    support::atomic_file file(folder.path("out"));
    for (int i = 0; i < 100000; ++i) {
        const std::string line = std::to_string(i) + "\n";
        file.write(line);
        expected += line;
    }
    file.write(expected);  // one piece larger than the buffer
    file.commit();
    CHECK(content(folder.path("out")) == expected + expected);
}

#if !defined(_WIN32)
TEST_CASE("a new file can be read by others, an existing one keeps its permissions") {
    const scratch_folder folder;
    const auto mode = [](const std::string& path) {
        struct stat info{};
        REQUIRE(::stat(path.c_str(), &info) == 0);
        return info.st_mode & 0777;
    };
    support::atomic_file fresh(folder.path("fresh"));
    fresh.commit();
    CHECK(mode(folder.path("fresh")) == 0644);
    const std::string kept = folder.file("kept", "x");
    REQUIRE(::chmod(kept.c_str(), 0600) == 0);
    support::atomic_file file(kept);
    file.commit();
    CHECK(mode(kept) == 0600);
}
#endif

TEST_CASE("numbers for people") {
    using namespace support;
    CHECK(human_bytes(17) == "17 B");
    CHECK(human_bytes(1536) == "1.5 KiB");
    CHECK(human_bytes(1048575) == "1.0 MiB");
    CHECK(human_bytes(UINT64_MAX) == "16.0 EiB");
    CHECK(human_count(17) == "17");
    CHECK(human_count(2412820480.0) == "2.4 G");
    CHECK(human_duration(3.21) == "3.2 s");
    CHECK(human_duration(9.96) == "0:10");
    CHECK(human_duration(3723) == "1:02:03");
    CHECK(human_duration(-1) == "--:--");
}
