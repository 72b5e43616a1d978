// SPDX-License-Identifier: MIT
// Room support. Enters: the path of a regular file. Leaves: its bytes, mapped read-only.
// POSIX; Windows has its own in the folder of that name.
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

struct open_file {
    int number = -1;
    explicit open_file(int opened) : number(opened) {}
    open_file(const open_file&) = delete;
    open_file& operator=(const open_file&) = delete;
    ~open_file() {
        if (number >= 0) ::close(number);
    }
};

}  // namespace

mapped_file::mapped_file(std::string path) : file_path(std::move(path)) {
    // A fifo without a writer would block the open; O_NONBLOCK lets us get as far as refusing it.
    open_file file{::open(file_path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
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
    note = end_note::mapping(bytes(), file_path);
    descriptor = std::exchange(file.number, -1);
}

mapped_file::mapped_file(mapped_file&& other) noexcept
    : file_path(std::move(other.file_path)),
      data(std::exchange(other.data, nullptr)),
      size(std::exchange(other.size, 0)),
      descriptor(std::exchange(other.descriptor, -1)),
      note(std::move(other.note)) {}

mapped_file& mapped_file::operator=(mapped_file&& other) noexcept {
    if (this != &other) {
        release();
        file_path = std::move(other.file_path);
        data = std::exchange(other.data, nullptr);
        size = std::exchange(other.size, 0);
        descriptor = std::exchange(other.descriptor, -1);
        note = std::move(other.note);
    }
    return *this;
}

void mapped_file::release() noexcept {
    note = {};
    if (data != nullptr) ::munmap(const_cast<std::byte*>(data), size);
    if (descriptor >= 0) ::close(descriptor);
    data = nullptr;
    size = 0;
    descriptor = -1;
}

void mapped_file::require_whole() const {
    struct stat info{};
    if (descriptor < 0 || ::fstat(descriptor, &info) != 0) return;
    if (static_cast<std::uintmax_t>(info.st_size) < size)
        throw error(file_path, "was cut short while it was being read");
}

void mapped_file::will_need() const noexcept {
    if (data != nullptr) ::madvise(const_cast<std::byte*>(data), size, MADV_WILLNEED);
}

void mapped_file::forget(std::span<const std::byte> part) const noexcept {
    // Whole pages alone: what lies beside may be in use.
    const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
    const auto first = (reinterpret_cast<std::uintptr_t>(part.data()) + page - 1) / page * page;
    const auto last = reinterpret_cast<std::uintptr_t>(part.data() + part.size()) / page * page;
    if (data != nullptr && first < last)
        ::madvise(reinterpret_cast<void*>(first), last - first, MADV_DONTNEED);
}

}  // namespace tbx::support
