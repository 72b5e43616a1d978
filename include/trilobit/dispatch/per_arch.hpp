// SPDX-License-Identifier: MIT
// Room dispatch. Enters: one table of functions for each instruction set, which CMake's
// trilobit_per_arch() compiled into this program. Leaves: those this machine can run, and the one
// to use.
//
// A Table is plain data with a `name`; Of<Arch>::table is that of one instruction set. Declarations
// only: both sides of them are in sources that the CMake function writes.
#pragma once

#include "trilobit/version.hpp"

#include <span>
#include <string_view>

#include "trilobit/core/status.hpp"

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI::dispatch {

template <class Table, template <class Arch> class Of>
struct per_arch {
    /// Tables in this program that this machine can run, weakest first.
    static std::span<const Table* const> available() noexcept;

    /// The strongest of them.
    static const Table& best() noexcept;

    /// The one of this name; an error whose text lists those available if there is no such.
    static result<const Table*> find(std::string_view arch) noexcept;

    /// What the environment variable TRILOBIT_ARCH names, or the best. Asked once, then remembered.
    static result<const Table*> active() noexcept;

    /// The strongest that needs no instruction which this arch lacks, for tables that are compiled
    /// for fewer instruction sets than the library.
    static const Table& serving(std::string_view arch) noexcept;
};

/// Where the table of one instruction set lies.
template <class Table, template <class> class Of, class Arch>
struct compiled {
    static const Table table;
};

}  // namespace trilobit::inline TRILOBIT_ABI::dispatch

#include "trilobit/core/end.hpp"
