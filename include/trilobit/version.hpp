// SPDX-License-Identifier: MIT
// The one place that names versions: CMake reads the three API numbers from here.
// Enters: nothing. Leaves: the API version and the version of packed bytes, which move apart.
#pragma once

#define TRILOBIT_VERSION_MAJOR 0
#define TRILOBIT_VERSION_MINOR 1
#define TRILOBIT_VERSION_PATCH 0

/// Version of the bytes that `pack/header.hpp` writes; raised when a layout or the header changes.
/// 2: rows and columns of zeros can be missing. 3: ternary_base3 has another code. Files of older
/// versions are read as well, but not those of that layout.
#define TRILOBIT_PACKED_VERSION 3
