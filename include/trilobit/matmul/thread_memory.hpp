// SPDX-License-Identifier: MIT
// Room matmul. Enters: how many bytes each of some threads needs. Leaves: a place for each thread:
// what a kernel sums in, and where an operand is large, a copy of it, which that thread makes while
// its first rows pass.
//
// Tables of a token are fifty times larger than its activations. Made by the caller they keep all
// others waiting, and then each has to fetch them from the caller's cache: decoding in base 3 with
// two threads took a tenth longer, products of 2 to 8 tokens in cache a quarter. For the same
// reason a thread finds the place that it had before.
#pragma once

#include "trilobit/version.hpp"

#include <atomic>
#include <memory>
#include <new>

#include "trilobit/core/aligned_buffer.hpp"

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI::detail {

/// For one thread at a time.
struct alignas(64) thread_place {
    /// The thread that comes back here, in the lower half; in the upper half the product that it
    /// does. Places of an older product are anybody's: to clear those of many threads, the caller
    /// would have to fetch them.
    std::atomic<std::uint64_t> claim{0};
    std::atomic<int> busy{0};   // of an int: RISC-V exchanges bytes in a library of its own
    std::uint64_t product = 0;  // of which `made` tells
    std::int64_t made = 0;      // see task
    aligned_buffer memory;
};

class thread_memory {
    std::unique_ptr<thread_place[]> places;
    std::int64_t count = 0;
    std::size_t bytes = 0;
    std::uint64_t product = 0, caller = 0;  // of renew()

    /// A number that no other living thread has: where a variable of its own lies. Should the bits
    /// that are left out tell two apart, these have the same place, one after the other.
    static std::uint64_t this_thread() noexcept {
        static thread_local char mark;
        return reinterpret_cast<std::uintptr_t>(&mark) >> 4 & 0xffffffffu;
    }

    thread_place& take() noexcept {
        const std::uint64_t self = this_thread(), mine = product << 32 | self;
        // The caller's is the first; others' marks lie some pages apart.
        const auto page = static_cast<std::int64_t>(self >> 8);
        const std::int64_t home = self == caller || count == 1 ? 0 : 1 + page % (count - 1);
        const auto at = [&](std::int64_t i) -> thread_place& {
            return places[static_cast<std::size_t>((home + i) % count)];
        };
        const auto free = [](thread_place& p) {
            return p.busy.load(std::memory_order_relaxed) == 0 &&
                   p.busy.exchange(1, std::memory_order_acquire) == 0;
        };
        for (std::int64_t i = 0; i < count; ++i) {
            std::uint64_t seen = at(i).claim.load(std::memory_order_relaxed);
            if ((seen ^ mine) >> 32 != 0 && at(i).claim.compare_exchange_strong(seen, mine))
                seen = mine;
            if (seen == mine && free(at(i))) return at(i);
        }
        // A thread too many, or a new one: any that rests.
        for (std::int64_t i = 0;; ++i)
            if (free(at(i))) return at(i);
    }

public:
    /// Before each product, by one thread: no operand is made. False where memory is short.
    [[nodiscard]] bool renew(std::int64_t threads, std::int64_t place_bytes) noexcept {
        caller = this_thread();
        ++product;
        if (places == nullptr) count = 0, bytes = 0;  // moved away, or never there
        const auto wanted = static_cast<std::size_t>(place_bytes);
        if (threads <= count && wanted <= bytes) return true;
        if (threads > count) {
            count = 0, bytes = 0;
            places.reset(new (std::nothrow) thread_place[static_cast<std::size_t>(threads)]);
            if (places == nullptr) return false;
            count = threads;
        }
        if (wanted <= bytes) return true;
        bytes = 0;
        for (std::int64_t i = 0; i < count; ++i) {
            aligned_buffer& memory = places[static_cast<std::size_t>(i)].memory;
            memory = {};  // before the larger one: both might not fit
            memory = aligned_buffer(wanted + wanted / 4);
            if (memory.data() == nullptr) return false;
        }
        bytes = wanted + wanted / 4;
        return true;
    }

    /// f(place), which no other thread has meanwhile: the one of the last call, if any.
    template <class F>
    void with(F&& f) noexcept {
        thread_place& mine = take();
        if (mine.product != product) {
            mine.product = product;
            mine.made = 0;
        }
        f(mine);
        mine.busy.store(0, std::memory_order_release);
    }
};

}  // namespace trilobit::inline TRILOBIT_ABI::detail

#include "trilobit/core/end.hpp"
