// SPDX-License-Identifier: MIT
// Room dispatch. Enters: this source's compiler flags. Leaves: every kernel of an arch, for all
// layouts of the library, as per_arch.hpp takes it. Only sources of one instruction set include it.
#pragma once

#include "trilobit/version.hpp"

#include "trilobit/dispatch/dispatch.hpp"
#include "trilobit/matmul/table.hpp"

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI::dispatch {

template <class Arch>
struct kernels_of {
    static constexpr const kernel_table& table = kernel_table_of<Arch>;
};

}  // namespace trilobit::inline TRILOBIT_ABI::dispatch

#include "trilobit/core/end.hpp"
