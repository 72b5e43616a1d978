// SPDX-License-Identifier: MIT
// Room examples/runner. Enters: threads. Leaves: what the machine under them can do: how fast they read
// memory together, and how much memory this process has used.
#pragma once

#include <cstdint>
#include <functional>

#include <trilobit/core/thread_pool.hpp>

namespace tbx::runner {

/// Most bytes per second that these threads read from memory: the best of several ways to walk a
/// buffer of 512 MiB, in large pages and in small ones. A fair bound for what decoding can reach,
/// since decoding reads every weight once.
[[nodiscard]] double read_bytes_per_second(trilobit::thread_pool& pool,
                                           const std::function<void(double)>& progress);

/// Largest resident set of this process so far; 0 where the system does not tell.
[[nodiscard]] std::int64_t peak_resident_bytes();

}  // namespace tbx::runner
