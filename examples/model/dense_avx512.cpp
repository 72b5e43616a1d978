// SPDX-License-Identifier: MIT
// Room examples/model. Enters: dense_kernels_impl.hpp. Leaves: its table, compiled for avx512.
#define TBX_DENSE_NAME "avx512"
#include "model/dense_kernels_impl.hpp"

namespace tbx::model {
extern const dense_kernels dense_avx512;
constinit const dense_kernels dense_avx512 = table;
}  // namespace tbx::model
