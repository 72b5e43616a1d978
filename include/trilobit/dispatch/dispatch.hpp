// SPDX-License-Identifier: MIT
// Room dispatch. Enters: the back ends that CMake's trilobit_runtime_dispatch() compiled into this
// program. Leaves: those this machine can run, and the one to use.
//
// Declarations only: the definitions are in the registry source that the CMake function adds.
#pragma once

#include "trilobit/version.hpp"

#include <span>
#include <string_view>

#include "trilobit/core/status.hpp"
#include "trilobit/matmul/matmul.hpp"

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI::dispatch {

/// Back ends in this program that this machine can run, weakest first.
std::span<const kernel_table* const> available() noexcept;

/// The strongest of them.
const kernel_table& best() noexcept;

/// The one of this name; an error whose text lists those available if there is no such.
result<const kernel_table*> find(std::string_view name) noexcept;

/// What the environment variable TRILOBIT_ARCH names, or the best. Asked once, then remembered.
result<const kernel_table*> active() noexcept;

}  // namespace trilobit::inline TRILOBIT_ABI::dispatch

#include "trilobit/core/end.hpp"
