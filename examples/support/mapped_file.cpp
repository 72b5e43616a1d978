// SPDX-License-Identifier: MIT
// Room support. Enters: the path of a regular file. Leaves: its bytes, mapped read-only.
// POSIX only: the one place to change for another system.
#include "support/mapped_file.hpp"

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <limits>
#include <utility>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/error.hpp"

namespace tbx::support {

namespace {

struct descriptor {
    int number = -1;
    explicit descriptor(int opened) : number(opened) {}
    descriptor(const descriptor&) = delete;
    descriptor& operator=(const descriptor&) = delete;
    ~descriptor() {
        if (number >= 0) ::close(number);
    }
};

}  // namespace

mapped_file::mapped_file(std::string path) : file_path(std::move(path)) {
    // A fifo without a writer would block the open; O_NONBLOCK lets us get as far as refusing it.
    const descriptor file{::open(file_path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
    if (file.number < 0)
        throw error(file_path, std::string("cannot open: ") + std::strerror(errno));
    struct stat info{};
    if (::fstat(file.number, &info) != 0) {
        throw error(file_path, std::string("cannot read its size: ") + std::strerror(errno));
    }
    if (!S_ISREG(info.st_mode)) throw error(file_path, "is not a regular file");
    if (info.st_size == 0) return;
    if (static_cast<std::uintmax_t>(info.st_size) > std::numeric_limits<std::ptrdiff_t>::max()) {
        throw error(file_path, "is too large for this system's address space");
    }
    const auto length = static_cast<std::size_t>(info.st_size);
    void* address = ::mmap(nullptr, length, PROT_READ, MAP_PRIVATE, file.number, 0);
    if (address == MAP_FAILED) {
        throw error(file_path, std::string("cannot map into memory: ") + std::strerror(errno));
    }
    data = static_cast<const std::byte*>(address);
    size = length;
}

mapped_file::mapped_file(mapped_file&& other) noexcept
    : file_path(std::move(other.file_path)),
      data(std::exchange(other.data, nullptr)),
      size(std::exchange(other.size, 0)) {}

mapped_file& mapped_file::operator=(mapped_file&& other) noexcept {
    if (this != &other) {
        release();
        file_path = std::move(other.file_path);
        data = std::exchange(other.data, nullptr);
        size = std::exchange(other.size, 0);
    }
    return *this;
}

void mapped_file::release() noexcept {
    if (data != nullptr) ::munmap(const_cast<std::byte*>(data), size);
    data = nullptr;
    size = 0;
}

void mapped_file::will_need() const noexcept {
    if (data != nullptr) ::madvise(const_cast<std::byte*>(data), size, MADV_WILLNEED);
}

}  // namespace tbx::support
