// SPDX-License-Identifier: MIT
// Room dispatch. Enters: the back ends that CMake's trilobit_runtime_dispatch() compiled into this
// program. Leaves: those this machine can run, and the one to use.
#pragma once

#include "trilobit/version.hpp"

#include "trilobit/dispatch/per_arch.hpp"
#include "trilobit/matmul/matmul.hpp"

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI::dispatch {

/// Every kernel of an arch; kernels.hpp defines it.
template <class Arch>
struct kernels_of;
using kernels = per_arch<kernel_table, kernels_of>;

/// Back ends in this program that this machine can run, weakest first.
inline std::span<const kernel_table* const> available() noexcept { return kernels::available(); }

/// The strongest of them.
inline const kernel_table& best() noexcept { return kernels::best(); }

/// The one of this name; an error whose text lists those available if there is no such.
inline result<const kernel_table*> find(std::string_view arch) noexcept {
    return kernels::find(arch);
}

/// What the environment variable TRILOBIT_ARCH names, or the best. Asked once, then remembered.
inline result<const kernel_table*> active() noexcept { return kernels::active(); }

}  // namespace trilobit::inline TRILOBIT_ABI::dispatch

#include "trilobit/core/end.hpp"
