// SPDX-License-Identifier: MIT
// Room examples/model. Enters: dense_kernels_impl.hpp. Leaves: its table, compiled for generic.
#define TBX_DENSE_NAME "generic"
#include "model/dense_kernels_impl.hpp"

namespace tbx::model {
extern const dense_kernels dense_generic;
constinit const dense_kernels dense_generic = table;
}  // namespace tbx::model
