// SPDX-License-Identifier: MIT
// Room train: the threads that products run on.
// Enters: a number, 0 for one to a processor. Leaves: a team of so many, and OpenBLAS told so.
#pragma once

#include <trilobit/core/thread_pool.hpp>

namespace tbx::train {

// Throws tbx::error where the system does not give so many. Called while nothing else runs.
void set_threads(int threads);

// Before set_threads: the calling thread alone.
trilobit::thread_pool& team();

}  // namespace tbx::train
