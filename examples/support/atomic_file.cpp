// SPDX-License-Identifier: MIT
// Room support. Enters: bytes, in order. Leaves: a whole file under its name, or nothing.
#include "support/atomic_file.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/error.hpp"

namespace tbx::support {

namespace {

constexpr std::size_t buffer_bytes = std::size_t{1} << 18;

std::string directory_of(const std::string& path) {
    const auto slash = path.rfind('/');
    if (slash == std::string::npos) return ".";
    return slash == 0 ? "/" : path.substr(0, slash);
}

// The permissions that open() would have given; mkstemp() gives 0600. umask() can only be read by
// setting it, which would race with other threads, so a new file asks for the usual 0644 and lets
// an existing one keep its own.
mode_t mode_for(const std::string& path) {
    struct stat info{};
    if (::stat(path.c_str(), &info) == 0) return info.st_mode & 0777;
    return 0644;
}

// Where a chain of links ends, whether something is there or not yet. rename() would put the file
// in the place of the link.
std::string behind_links(std::string path) {
    constexpr int most_links = 40;  // as the system follows
    for (int i = 0; i < most_links; ++i) {
        char text[4096];
        const ssize_t length = ::readlink(path.c_str(), text, sizeof text);
        if (length < 0 || length == ssize_t{sizeof text}) return path;
        const std::string next(text, static_cast<std::size_t>(length));
        path = next.starts_with('/') ? next : directory_of(path) + "/" + next;
    }
    throw error(path, "is a symbolic link without end");
}

}  // namespace

atomic_file::atomic_file(std::string path) : target(std::move(path)) {
    if (target.empty()) throw error("output file", "its name is empty");
    target = behind_links(std::move(target));
    struct stat info{};
    if (::stat(target.c_str(), &info) == 0 && !S_ISREG(info.st_mode)) {
        throw error(target, "exists and is not a regular file");
    }
    temporary = target + ".XXXXXX";
    descriptor = ::mkostemp(temporary.data(), O_CLOEXEC);
    if (descriptor < 0) {
        const int reason = errno;
        temporary.clear();
        throw error(target, std::string("cannot create: ") + std::strerror(reason));
    }
    note = end_note::temporary(temporary);
    buffer.reserve(buffer_bytes);
}

atomic_file::atomic_file(atomic_file&& other) noexcept
    : target(std::move(other.target)),
      temporary(std::exchange(other.temporary, {})),
      descriptor(std::exchange(other.descriptor, -1)),
      written(other.written),
      buffer(std::move(other.buffer)),
      note(std::move(other.note)) {}

void atomic_file::fail(std::string_view action) {
    const int reason = errno;
    discard();
    throw error(target, "cannot " + std::string(action) + ": " + std::strerror(reason));
}

void atomic_file::discard() noexcept {
    if (descriptor >= 0) ::close(descriptor);
    descriptor = -1;
    if (!temporary.empty()) ::unlink(temporary.c_str());
    temporary.clear();
    note = {};
}

void atomic_file::write(std::span<const std::byte> bytes) {
    written += bytes.size();
    while (!bytes.empty()) {
        const std::size_t room = buffer_bytes - buffer.size();
        const std::size_t part = bytes.size() < room ? bytes.size() : room;
        buffer.insert(buffer.end(), bytes.begin(),
                      bytes.begin() + static_cast<std::ptrdiff_t>(part));
        bytes = bytes.subspan(part);
        if (buffer.size() == buffer_bytes) flush();
    }
}

void atomic_file::flush() {
    std::span<const std::byte> rest = buffer;
    while (!rest.empty()) {
        const ssize_t done = ::write(descriptor, rest.data(), rest.size());
        if (done < 0) {
            if (errno == EINTR) continue;
            fail("write");
        }
        rest = rest.subspan(static_cast<std::size_t>(done));
    }
    buffer.clear();
}

void atomic_file::commit() {
    flush();
    if (::fchmod(descriptor, mode_for(target)) != 0) fail("set the permissions");
    if (::fsync(descriptor) != 0) fail("flush to disk");
    if (::close(std::exchange(descriptor, -1)) != 0) fail("close");
    if (::rename(temporary.c_str(), target.c_str()) != 0) fail("rename into place");
    temporary.clear();
    note = {};
    // The rename itself reaches the disk with its directory. Failing here loses nothing that a
    // reader could see, and some file systems do not support it.
    const int directory = ::open(directory_of(target).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory >= 0) {
        ::fsync(directory);
        ::close(directory);
    }
}

}  // namespace tbx::support
