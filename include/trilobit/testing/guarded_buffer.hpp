// SPDX-License-Identifier: MIT
// Room testing. Enters: a size. Leaves: writable bytes that end where the next page begins, which
// nobody may touch: reading or writing one byte too many faults at the instruction that does it.
#pragma once

#include "trilobit/version.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "trilobit/core/aligned_buffer.hpp"
#include "trilobit/core/arithmetic.hpp"

#if defined(_WIN32)
#include "trilobit/core/windows.hpp"
#define TRILOBIT_HAS_GUARD_PAGES 1
#elif defined(__unix__) || defined(__APPLE__)
#include <sys/mman.h>
#include <unistd.h>
#define TRILOBIT_HAS_GUARD_PAGES 1
#endif

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI::testing {

/// `alignment` of the first byte; the size is rounded up to it. Bytes start as 0xa5, so that what
/// was never written is seen. Without virtual memory it is an ordinary buffer.
class guarded_buffer {
    std::byte* bytes = nullptr;
    std::size_t count = 0;
    void* base = nullptr;
    std::size_t mapped = 0;
    aligned_buffer plain;

#if defined(_WIN32)
    static void* pages(std::size_t size) noexcept {
        constexpr unsigned long reserve_and_commit = 0x3000, read_write = 4;
        return windows::VirtualAlloc(nullptr, size, reserve_and_commit, read_write);
    }
    static bool forbid(void* at, std::size_t size) noexcept {
        constexpr unsigned long no_access = 1;
        unsigned long before = 0;
        return windows::VirtualProtect(at, size, no_access, &before) != 0;
    }
    static void give_back(void* at, std::size_t) noexcept {
        constexpr unsigned long release = 0x8000;
        (void)windows::VirtualFree(at, 0, release);
    }
#elif defined(TRILOBIT_HAS_GUARD_PAGES)
    static void* pages(std::size_t size) noexcept {
        void* const at =
            ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        return at == MAP_FAILED ? nullptr : at;
    }
    static bool forbid(void* at, std::size_t size) noexcept {
        return ::mprotect(at, size, PROT_NONE) == 0;
    }
    static void give_back(void* at, std::size_t size) noexcept { ::munmap(at, size); }
#endif

public:
    guarded_buffer() noexcept = default;
    explicit guarded_buffer(std::int64_t size, std::int64_t alignment = 64) noexcept
        : count(static_cast<std::size_t>(round_up(size, alignment))) {
#if defined(TRILOBIT_HAS_GUARD_PAGES)
#if defined(_WIN32)
        constexpr std::size_t page = 4096;
#else
        const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
#endif
        const std::size_t usable = (count + page - 1) / page * page;
        mapped = usable + page;
        base = pages(mapped);
        auto* start = static_cast<std::byte*>(base);
        if (start == nullptr || !forbid(start + usable, page))
            std::abort();  // a test without memory has nothing to say
        bytes = start + usable - count;
#else
        plain = aligned_buffer(count + 64);
        if (plain.data() == nullptr) std::abort();
        bytes = plain.data();
#endif
        if (count != 0) std::memset(bytes, 0xa5, count);
    }
    guarded_buffer(guarded_buffer&& other) noexcept { swap(other); }
    guarded_buffer& operator=(guarded_buffer&& other) noexcept {
        guarded_buffer(std::move(other)).swap(*this);
        return *this;
    }
    guarded_buffer(const guarded_buffer&) = delete;
    guarded_buffer& operator=(const guarded_buffer&) = delete;
    ~guarded_buffer() {
#if defined(TRILOBIT_HAS_GUARD_PAGES)
        if (base != nullptr) give_back(base, mapped);
#endif
    }
    void swap(guarded_buffer& other) noexcept {
        std::swap(bytes, other.bytes);
        std::swap(count, other.count);
        std::swap(base, other.base);
        std::swap(mapped, other.mapped);
        plain.swap(other.plain);
    }

    [[nodiscard]] std::byte* data() const noexcept { return bytes; }
    [[nodiscard]] std::size_t size() const noexcept { return count; }
    template <class T>
    [[nodiscard]] T* as() const noexcept {
        return reinterpret_cast<T*>(bytes);
    }
};

}  // namespace trilobit::inline TRILOBIT_ABI::testing

#include "trilobit/core/end.hpp"
