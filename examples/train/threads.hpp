// SPDX-License-Identifier: MIT
// Room train: how many threads the BLAS may use.
// Enters: a number, 0 for its own choice. Leaves: OpenBLAS told so.
#pragma once

#include <cblas.h>

namespace tbx::train {

inline void set_blas_threads(int threads) {
    if (threads > 0) openblas_set_num_threads(threads);
}

}  // namespace tbx::train
