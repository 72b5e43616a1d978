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

#if defined(__unix__) || defined(__APPLE__)
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

public:
    guarded_buffer() noexcept = default;
    explicit guarded_buffer(std::int64_t size, std::int64_t alignment = 64) noexcept
        : count(static_cast<std::size_t>(round_up(size, alignment))) {
#if defined(TRILOBIT_HAS_GUARD_PAGES)
        const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
        const std::size_t usable = (count + page - 1) / page * page;
        mapped = usable + page;
        base = ::mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (base == MAP_FAILED) std::abort();  // a test without memory has nothing to say
        auto* start = static_cast<std::byte*>(base);
        if (::mprotect(start + usable, page, PROT_NONE) != 0) std::abort();
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
        if (base != nullptr) ::munmap(base, mapped);
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
