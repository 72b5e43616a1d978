# SPDX-License-Identifier: MIT
# Prints the flags of a back end, for scripts that compile one without a build.
#   cmake -DARCH=neon -P cmake/print_arch_flags.cmake
cmake_minimum_required(VERSION 3.25)
include("${CMAKE_CURRENT_LIST_DIR}/trilobit_per_arch.cmake")
trilobit_arch_flags("${ARCH}" flags)
list(JOIN flags " " flags)
execute_process(COMMAND "${CMAKE_COMMAND}" -E echo "${flags}")
