// SPDX-License-Identifier: MIT
// Room train. Enters: a number of threads. Leaves: see threads.hpp.
#include "train/threads.hpp"

#include <cblas.h>

#include <algorithm>
#include <memory>
#include <thread>

#include "model/thread_team.hpp"

namespace tbx::train {
namespace {

std::unique_ptr<model::thread_team>& owned() {
    static std::unique_ptr<model::thread_team> pool;
    return pool;
}

}  // namespace

void set_threads(int threads) {
    const int processors = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
    const int wanted = threads > 0 ? threads : processors;
    owned().reset();
    owned() = std::make_unique<model::thread_team>(wanted);
    // It has one for each processor from the start, and waits for ever for more that it does not
    // get.
    openblas_set_num_threads(std::min(wanted, processors));
}

trilobit::thread_pool& team() {
    if (!owned()) owned() = std::make_unique<model::thread_team>(1);
    return *owned();
}

}  // namespace tbx::train
