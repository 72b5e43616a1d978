// SPDX-License-Identifier: MIT
// Room kernel. Enters: the layouts. Leaves: the one list of what kernels know of them. A layout
// without a file here is multiplied through its own decode, as panels.
#pragma once

#include "trilobit/version.hpp"

#include "trilobit/kernel/layouts/binary_1bit.hpp"
#include "trilobit/kernel/layouts/binary_lookup.hpp"
#include "trilobit/kernel/layouts/quaternary_2bit.hpp"
#include "trilobit/kernel/layouts/ternary_2bit.hpp"
#include "trilobit/kernel/layouts/ternary_3of4.hpp"
#include "trilobit/kernel/layouts/ternary_base3.hpp"
#include "trilobit/kernel/layouts/ternary_planes.hpp"
