// SPDX-License-Identifier: MIT
// Room kernel. Enters: the families. Leaves: the one list of them. Crossed with `layouts`,
// `activations` and `archs` it generates the tables, the conformance tests, the benchmarks and the
// table in the documentation.
#pragma once

#include "trilobit/version.hpp"

#include "trilobit/kernel/dot.hpp"
#include "trilobit/kernel/generic.hpp"
#include "trilobit/kernel/lookup.hpp"
#include "trilobit/kernel/popcount.hpp"
#include "trilobit/kernel/vector_lookup.hpp"

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI::kernel {

template <template <class Arch, class Layout, class Act> class Family>
struct family {
    template <class Arch, class Layout, class Act>
    using kernel = Family<Arch, Layout, Act>;
};

using families = type_list<family<kernel::generic>, family<kernel::dot>, family<kernel::lookup>,
                           family<kernel::popcount>, family<kernel::vector_lookup>>;

}  // namespace trilobit::inline TRILOBIT_ABI::kernel

#include "trilobit/core/end.hpp"
