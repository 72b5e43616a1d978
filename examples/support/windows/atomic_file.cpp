// SPDX-License-Identifier: MIT
// Room support. Enters: bytes, in order. Leaves: a whole file under its name, or nothing: until it
// is whole, Windows itself removes what there is of it, however the program ends.
#include "support/atomic_file.hpp"

#include <cstdint>
#include <utility>

#include <fcntl.h>
#include <io.h>

#include "support/error.hpp"
#include "support/windows/api.hpp"

namespace tbx::support {

namespace {

constexpr std::size_t buffer_bytes = std::size_t{1} << 18;

HANDLE handle_of(int descriptor) { return reinterpret_cast<HANDLE>(::_get_osfhandle(descriptor)); }

/// Is the file to be removed when its last handle is closed?
bool set_removal(HANDLE file, bool on) {
    FILE_DISPOSITION_INFO removal{};
    removal.DeleteFile = on;
    return ::SetFileInformationByHandle(file, FileDispositionInfo, &removal, sizeof removal) != 0;
}

/// A name of its own beside `target`, which did not exist.
HANDLE create_beside(const std::string& target, std::string& name) {
    constexpr DWORD access = GENERIC_WRITE | DELETE;
    HANDLE made = INVALID_HANDLE_VALUE;
    const DWORD seed = ::GetCurrentProcessId() ^ static_cast<DWORD>(::GetTickCount64());
    for (DWORD i = 0; i < 100; ++i) {
        name = target + "." + std::to_string(seed + i);
        made = ::CreateFileA(name.c_str(), access, 0, nullptr, CREATE_NEW, FILE_ATTRIBUTE_NORMAL,
                             nullptr);
        if (made != INVALID_HANDLE_VALUE || ::GetLastError() != ERROR_FILE_EXISTS) break;
    }
    return made;
}

}  // namespace

atomic_file::atomic_file(std::string path) : target(std::move(path)) {
    if (target.empty()) throw error("output file", "its name is empty");
    const DWORD there = ::GetFileAttributesA(target.c_str());
    if (there != INVALID_FILE_ATTRIBUTES &&
        (there & (FILE_ATTRIBUTE_DIRECTORY | FILE_ATTRIBUTE_DEVICE)) != 0)
        throw error(target, "exists and is not a regular file");
    const HANDLE file = create_beside(target, temporary);
    if (file == INVALID_HANDLE_VALUE) {
        temporary.clear();
        throw error(target, "cannot create: " + windows::last_error());
    }
    (void)set_removal(file, true);
    descriptor = ::_open_osfhandle(reinterpret_cast<std::intptr_t>(file), _O_BINARY);
    buffer.reserve(buffer_bytes);
}

atomic_file::atomic_file(atomic_file&& other) noexcept
    : target(std::move(other.target)),
      temporary(std::exchange(other.temporary, {})),
      descriptor(std::exchange(other.descriptor, -1)),
      written(other.written),
      buffer(std::move(other.buffer)) {}

void atomic_file::fail(std::string_view action) {
    const std::string reason = windows::last_error();
    discard();
    throw error(target, "cannot " + std::string(action) + ": " + reason);
}

void atomic_file::discard() noexcept {
    if (descriptor >= 0) ::_close(descriptor);
    descriptor = -1;
    // Where the file system could not do it by itself.
    if (!temporary.empty()) (void)::DeleteFileA(temporary.c_str());
    temporary.clear();
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
        DWORD done = 0;
        if (::WriteFile(handle_of(descriptor), rest.data(), static_cast<DWORD>(rest.size()), &done,
                        nullptr) == 0)
            fail("write");
        rest = rest.subspan(done);
    }
    buffer.clear();
}

void atomic_file::commit() {
    flush();
    if (::FlushFileBuffers(handle_of(descriptor)) == 0) fail("flush to disk");
    if (!set_removal(handle_of(descriptor), false)) fail("keep");
    if (::_close(std::exchange(descriptor, -1)) != 0) fail("close");
    if (::MoveFileExA(temporary.c_str(), target.c_str(),
                      MOVEFILE_REPLACE_EXISTING | MOVEFILE_WRITE_THROUGH) == 0)
        fail("rename into place");
    temporary.clear();
}

}  // namespace tbx::support
