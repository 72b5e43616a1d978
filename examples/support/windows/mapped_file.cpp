// SPDX-License-Identifier: MIT
// Room support. Enters: the path of a regular file. Leaves: its bytes, mapped read-only by Windows,
// which lets nobody cut a mapped file short.
#include "support/mapped_file.hpp"

#include <cstdint>
#include <limits>
#include <utility>

#include <io.h>

#include "support/error.hpp"
#include "support/windows/api.hpp"

namespace tbx::support {

namespace {

struct handle {
    HANDLE value;
    explicit handle(HANDLE opened) : value(opened) {}
    handle(const handle&) = delete;
    handle& operator=(const handle&) = delete;
    ~handle() {
        if (value != nullptr && value != INVALID_HANDLE_VALUE) ::CloseHandle(value);
    }
};

}  // namespace

mapped_file::mapped_file(std::string path) : file_path(std::move(path)) {
    constexpr DWORD all = FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE;
    // With the flag a folder is opened as well, and refused by what it is.
    const handle file{::CreateFileA(file_path.c_str(), GENERIC_READ, all, nullptr, OPEN_EXISTING,
                                    FILE_FLAG_BACKUP_SEMANTICS, nullptr)};
    if (file.value == INVALID_HANDLE_VALUE)
        throw error(file_path, "cannot open: " + windows::last_error());
    BY_HANDLE_FILE_INFORMATION info{};
    if (::GetFileType(file.value) != FILE_TYPE_DISK ||
        ::GetFileInformationByHandle(file.value, &info) == 0 ||
        (info.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY) != 0)
        throw error(file_path, "is not a regular file");
    const std::uint64_t length = std::uint64_t{info.nFileSizeHigh} << 32 | info.nFileSizeLow;
    if (length == 0) return;
    if (length > static_cast<std::uint64_t>(std::numeric_limits<std::ptrdiff_t>::max()))
        throw error(file_path, "is too large for this system's address space");
    // The view keeps the mapping, and that keeps the file.
    const handle mapping{::CreateFileMappingA(file.value, nullptr, PAGE_READONLY, 0, 0, nullptr)};
    const void* address = nullptr;
    if (mapping.value != nullptr) address = ::MapViewOfFile(mapping.value, FILE_MAP_READ, 0, 0, 0);
    if (address == nullptr)
        throw error(file_path, "cannot map into memory: " + windows::last_error());
    data = static_cast<const std::byte*>(address);
    size = static_cast<std::size_t>(length);
    note = end_note::mapping(bytes(), file_path);
}

mapped_file::mapped_file(mapped_file&& other) noexcept
    : file_path(std::move(other.file_path)),
      data(std::exchange(other.data, nullptr)),
      size(std::exchange(other.size, 0)),
      note(std::move(other.note)) {}

mapped_file& mapped_file::operator=(mapped_file&& other) noexcept {
    if (this != &other) {
        release();
        file_path = std::move(other.file_path);
        data = std::exchange(other.data, nullptr);
        size = std::exchange(other.size, 0);
        note = std::move(other.note);
    }
    return *this;
}

void mapped_file::release() noexcept {
    note = {};
    if (data != nullptr) ::UnmapViewOfFile(data);
    data = nullptr;
    size = 0;
}

// Nobody has cut it: see above.
void mapped_file::require_whole() const {}

void mapped_file::will_need() const noexcept {
    WIN32_MEMORY_RANGE_ENTRY range{const_cast<std::byte*>(data), size};
    if (data != nullptr) ::PrefetchVirtualMemory(::GetCurrentProcess(), 1, &range, 0);
}

// Windows trims what has not been read lately by itself.
void mapped_file::forget(std::span<const std::byte>) const noexcept {}

}  // namespace tbx::support
