// SPDX-License-Identifier: MIT
// Room dispatch. Enters: TRILOBIT_ARCH_ID, and this arch's compiler flags. Leaves: one constant,
// the table of its kernels. Included by a generated source, once for each arch.
#pragma once

#ifndef TRILOBIT_ARCH_ID
#error "Define TRILOBIT_ARCH_ID as the name of an arch, for example avx2, before including this."
#endif

#include "trilobit/version.hpp"

#include "trilobit/matmul/table.hpp"

#define TRILOBIT_JOIN_(a, b) a##b
#define TRILOBIT_JOIN(a, b) TRILOBIT_JOIN_(a, b)

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI::dispatch {

extern const kernel_table TRILOBIT_JOIN(table_, TRILOBIT_ARCH_ID);
constinit const kernel_table TRILOBIT_JOIN(table_, TRILOBIT_ARCH_ID) =
    kernel_table_of<arch::TRILOBIT_ARCH_ID>;

}  // namespace trilobit::inline TRILOBIT_ABI::dispatch

#include "trilobit/core/end.hpp"
