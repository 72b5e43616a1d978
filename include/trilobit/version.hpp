// SPDX-License-Identifier: MIT
// The one place that names versions: CMake reads the three API numbers from here. Every header
// includes it first. Enters: the compiler's language. Leaves: the API version and the version of
// packed bytes, which move apart.
#pragma once

#if __cplusplus < 202002L && !(defined(_MSVC_LANG) && _MSVC_LANG >= 202002L)
#error "trilobit needs C++20: compile with -std=c++20 or later."
#include "a file that is missing, which ends the compilation; an #error alone does not"
#endif

#define TRILOBIT_VERSION_MAJOR 0
#define TRILOBIT_VERSION_MINOR 1
#define TRILOBIT_VERSION_PATCH 0

/// Version of the bytes that `pack/header.hpp` writes; raised when a layout or the header changes.
/// Files of other versions are refused. 4: every row and column is stored.
#define TRILOBIT_PACKED_VERSION 4

/// The inline namespace of all names: parts of one program that were built against two versions of
/// these headers keep apart. Users' own code says `trilobit::` and reopens `namespace trilobit`.
#define TRILOBIT_ABI_OF_(major, minor, patch, packed) v##major##_##minor##_##patch##_packed##packed
#define TRILOBIT_ABI_OF(major, minor, patch, packed) TRILOBIT_ABI_OF_(major, minor, patch, packed)
#define TRILOBIT_ABI                                                                        \
    TRILOBIT_ABI_OF(TRILOBIT_VERSION_MAJOR, TRILOBIT_VERSION_MINOR, TRILOBIT_VERSION_PATCH, \
                    TRILOBIT_PACKED_VERSION)
