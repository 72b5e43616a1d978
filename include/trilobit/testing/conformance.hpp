// SPDX-License-Identifier: MIT
// Room testing. Enters: a layout or a back end, the library's or yours. Leaves: a report; assert it
// with the test framework of your choice.
//
//   trilobit::testing::check_layout<my_layout>()
//   trilobit::testing::check_kernels(trilobit::kernels_for<my_arch, my_layout>::table,
//                                    trilobit::type_list<my_layout>{})
#pragma once

#include "trilobit/version.hpp"

#include "trilobit/testing/check_kernels.hpp"
#include "trilobit/testing/check_layout.hpp"
