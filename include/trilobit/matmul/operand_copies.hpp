// SPDX-License-Identifier: MIT
// Room matmul. Enters: how large the operand is that a kernel makes of one token, and for how many
// threads. Leaves: a copy for each thread, made by that thread when it first asks.
//
// Tables of one token are a hundred times larger than its activations. Made by the caller they keep all
// others waiting, and then each has to fetch them from the caller's cache: decoding in base 3 with two
// threads took a tenth longer. For the same reason a thread finds the copy that it had before.
#pragma once

#include <atomic>
#include <memory>
#include <new>

#include "trilobit/core/aligned_buffer.hpp"

namespace trilobit::detail {

class operand_copies {
    struct alignas(64) slot {
        std::atomic<const void*> owner{nullptr};
        std::atomic<bool> ready{false};
        aligned_buffer copy;
    };
    std::unique_ptr<slot[]> slots;
    std::int64_t count = 0;
    const void* caller = nullptr;  // of renew()

    /// An address that no other living thread has.
    static const void* this_thread() noexcept {
        static thread_local char mark;
        return &mark;
    }

public:
    /// Before each product, by one thread: nobody has made a copy of it yet. False where memory is short.
    [[nodiscard]] bool renew(std::int64_t threads, std::int64_t copy_bytes) noexcept {
        const auto wanted = static_cast<std::size_t>(copy_bytes);
        if (threads > count) {
            count = 0;
            slots.reset(new (std::nothrow) slot[static_cast<std::size_t>(threads)]);
            if (slots == nullptr) return false;
            count = threads;
        }
        for (std::int64_t i = 0; i < count; ++i) {
            slot& s = slots[static_cast<std::size_t>(i)];
            if (wanted > s.copy.size()) s.copy = aligned_buffer(wanted + wanted / 4);
            if (wanted > s.copy.size()) return false;
            s.owner.store(nullptr, std::memory_order_relaxed);
            s.ready.store(false, std::memory_order_relaxed);
        }
        caller = this_thread();
        return true;
    }

    /// The calling thread's copy; `make(copy)` if it has none. A thread too many reads another's.
    template <class F>
    std::byte* mine(F&& make) noexcept {
        const void* const self = this_thread();
        // The caller's is the first; others' marks lie some pages apart.
        const auto page = static_cast<std::int64_t>(reinterpret_cast<std::uintptr_t>(self) >> 12);
        const std::int64_t home = self == caller || count == 1 ? 0 : 1 + page % (count - 1);
        for (std::int64_t i = 0; i < count; ++i) {
            slot& s = slots[static_cast<std::size_t>((home + i) % count)];
            const void* owner = s.owner.load(std::memory_order_relaxed);
            if (owner == nullptr && s.owner.compare_exchange_strong(owner, self)) owner = self;
            if (owner != self) continue;
            if (!s.ready.load(std::memory_order_relaxed)) {
                make(s.copy.data());
                s.ready.store(true, std::memory_order_release);
            }
            return s.copy.data();
        }
        // Each copy has an owner, who has made it or is making it.
        for (std::int64_t i = 0;; i = (i + 1) % count)
            if (slots[static_cast<std::size_t>(i)].ready.load(std::memory_order_acquire))
                return slots[static_cast<std::size_t>(i)].copy.data();
    }
};

}  // namespace trilobit::detail
