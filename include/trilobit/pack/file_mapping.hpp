// SPDX-License-Identifier: MIT
// Room pack. Enters: a file's name. Leaves: its bytes, mapped read-only, and a new file in the
// place of an old one: what POSIX and Windows each do in their own way. TRILOBIT_HAS_FILE_MAPPING:
// there is one of the two.
#pragma once

#include "trilobit/version.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdio>

#include "trilobit/core/status.hpp"

#if defined(_WIN32)
#define TRILOBIT_HAS_FILE_MAPPING 1
#include "trilobit/core/windows.hpp"
#elif defined(__unix__) || defined(__APPLE__)
#define TRILOBIT_HAS_FILE_MAPPING 1
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#else
#define TRILOBIT_HAS_FILE_MAPPING 0
#endif

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI::detail {

#if defined(_WIN32)

inline status map_file(const char* path, std::size_t least, void*& base,
                       std::size_t& length) noexcept {
    constexpr unsigned long read = 0x80000000, all_share = 7, open_existing = 3, on_disk = 1;
    constexpr unsigned long page_readonly = 2, map_read = 4;
    void* const none = reinterpret_cast<void*>(std::intptr_t{-1});
    void* const file =
        windows::CreateFileA(path, read, all_share, nullptr, open_existing, 0, nullptr);
    if (file == none) return {errc::bad_format, "The packed file cannot be opened."};
    std::int64_t size = 0;
    status problem;
    if (windows::GetFileType(file) != on_disk ||
        windows::GetFileSizeEx(file, reinterpret_cast<_LARGE_INTEGER*>(&size)) == 0) {
        problem = {errc::bad_format, "The packed file is not a regular file."};
    } else if (size < static_cast<std::int64_t>(least)) {
        problem = {errc::bad_format, "The packed matrix is truncated inside its header."};
    } else {
        // The view keeps the mapping, and that keeps the file.
        void* const mapping =
            windows::CreateFileMappingA(file, nullptr, page_readonly, 0, 0, nullptr);
        void* at = nullptr;
        if (mapping != nullptr) {
            at = windows::MapViewOfFile(mapping, map_read, 0, 0, 0);
            (void)windows::CloseHandle(mapping);
        }
        if (at == nullptr) {
            problem = {errc::out_of_memory, "The packed file cannot be mapped."};
        } else {
            base = at;
            length = static_cast<std::size_t>(size);
        }
    }
    (void)windows::CloseHandle(file);
    return problem;
}
inline void unmap_file(void* base, std::size_t) noexcept { (void)windows::UnmapViewOfFile(base); }

inline bool replace_file(const char* from, const char* to) noexcept {
    constexpr unsigned long replace_existing = 1, write_through = 8;
    return windows::MoveFileExA(from, to, replace_existing | write_through) != 0;
}

#else

#if TRILOBIT_HAS_FILE_MAPPING
inline status map_file(const char* path, std::size_t least, void*& base,
                       std::size_t& length) noexcept {
    const int file = ::open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return {errc::bad_format, "The packed file cannot be opened."};
    struct stat info{};
    status problem;
    if (::fstat(file, &info) != 0 || !S_ISREG(info.st_mode)) {
        problem = {errc::bad_format, "The packed file is not a regular file."};
    } else if (info.st_size < static_cast<off_t>(least)) {
        problem = {errc::bad_format, "The packed matrix is truncated inside its header."};
    } else {
        length = static_cast<std::size_t>(info.st_size);
        void* at = ::mmap(nullptr, length, PROT_READ, MAP_SHARED, file, 0);
        if (at == MAP_FAILED)
            problem = {errc::out_of_memory, "The packed file cannot be mapped."};
        else
            base = at;
    }
    ::close(file);
    return problem;
}
inline void unmap_file(void* base, std::size_t length) noexcept { ::munmap(base, length); }
#endif

inline bool replace_file(const char* from, const char* to) noexcept {
    return std::rename(from, to) == 0;
}

#endif

}  // namespace trilobit::inline TRILOBIT_ABI::detail

#include "trilobit/core/end.hpp"
