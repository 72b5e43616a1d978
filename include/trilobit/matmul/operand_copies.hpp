// SPDX-License-Identifier: MIT
// Room matmul. Enters: how large the operand is that a kernel makes of a few tokens, and for how many
// threads. Leaves: a copy for each thread, which the kernel makes while that thread's first rows pass.
//
// Tables of a token are fifty times larger than its activations. Made by the caller they keep all
// others waiting, and then each has to fetch them from the caller's cache: decoding in base 3 with two
// threads took a tenth longer, products of 2 to 8 tokens in cache a quarter. For the same reason a thread
// finds the copy that it had before.
#pragma once

#include <atomic>
#include <memory>
#include <new>

#include "trilobit/core/aligned_buffer.hpp"

namespace trilobit::detail {

/// For one thread at a time.
struct alignas(64) operand_copy {
    std::atomic<const void*> owner{nullptr};
    std::atomic<int> busy{0};  // of an int: RISC-V exchanges bytes in a library of its own
    std::int64_t made = 0;     // see task
    aligned_buffer memory;
};

class operand_copies {
    std::unique_ptr<operand_copy[]> copies;
    std::int64_t count = 0;
    const void* caller = nullptr;  // of renew()

    /// An address that no other living thread has.
    static const void* this_thread() noexcept {
        static thread_local char mark;
        return &mark;
    }

    operand_copy& take() noexcept {
        const void* const self = this_thread();
        // The caller's is the first; others' marks lie some pages apart.
        const auto page = static_cast<std::int64_t>(reinterpret_cast<std::uintptr_t>(self) >> 12);
        const std::int64_t home = self == caller || count == 1 ? 0 : 1 + page % (count - 1);
        const auto at = [&](std::int64_t i) -> operand_copy& {
            return copies[static_cast<std::size_t>((home + i) % count)];
        };
        const auto free = [](operand_copy& c) {
            return !c.busy.load(std::memory_order_relaxed) &&
                   !c.busy.exchange(true, std::memory_order_acquire);
        };
        for (std::int64_t i = 0; i < count; ++i) {
            const void* owner = at(i).owner.load(std::memory_order_relaxed);
            if (owner == nullptr && at(i).owner.compare_exchange_strong(owner, self)) owner = self;
            if (owner == self && free(at(i))) return at(i);
        }
        // A thread too many, or a new one: any that rests.
        for (std::int64_t i = 0;; ++i)
            if (free(at(i))) return at(i);
    }

public:
    /// Before each product, by one thread: nothing of any copy is made. False where memory is short.
    [[nodiscard]] bool renew(std::int64_t threads, std::int64_t copy_bytes) noexcept {
        const auto wanted = static_cast<std::size_t>(copy_bytes);
        if (threads > count) {
            count = 0;
            copies.reset(new (std::nothrow) operand_copy[static_cast<std::size_t>(threads)]);
            if (copies == nullptr) return false;
            count = threads;
        }
        for (std::int64_t i = 0; i < count; ++i) {
            operand_copy& c = copies[static_cast<std::size_t>(i)];
            if (wanted > c.memory.size()) c.memory = aligned_buffer(wanted + wanted / 4);
            if (wanted > c.memory.size()) return false;
            c.owner.store(nullptr, std::memory_order_relaxed);
            c.made = 0;
        }
        caller = this_thread();
        return true;
    }

    /// f(copy), with a copy that no other thread has meanwhile: what it had in the last call, if any.
    template <class F>
    void with(F&& f) noexcept {
        operand_copy& mine = take();
        f(mine);
        mine.busy.store(false, std::memory_order_release);
    }
};

}  // namespace trilobit::detail
