// SPDX-License-Identifier: MIT
// Room examples/model. Enters: dense_kernels_impl.hpp. Leaves: its table, compiled for avx2.
#define TBX_DENSE_NAME "avx2"
#include "model/dense_kernels_impl.hpp"

namespace tbx::model {
extern const dense_kernels dense_avx2;
constinit const dense_kernels dense_avx2 = table;
}  // namespace tbx::model
