# SPDX-License-Identifier: MIT
# libtrilobit::shared, libtrilobit::static. A program in C that links the latter needs C++ as a
# language of its project, whose compiler then links it.
include(CMakeFindDependencyMacro)
find_package(Threads QUIET)
include("${CMAKE_CURRENT_LIST_DIR}/libtrilobitTargets.cmake")
