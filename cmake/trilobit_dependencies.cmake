# SPDX-License-Identifier: MIT
# xsimd for the library, Catch2 for the tests: from the system or from build/deps when they are
# there, otherwise downloaded, pinned by hash, if TRILOBIT_FETCH_DEPENDENCIES allows it.
# Leaves trilobit_xsimd_include, and Catch2::Catch2WithMain when tests are to be built.

find_package(Threads)
include(FetchContent)

include("${CMAKE_CURRENT_LIST_DIR}/trilobit_find_xsimd.cmake")
if(trilobit_xsimd_problem AND TRILOBIT_FETCH_DEPENDENCIES)
  message(STATUS "trilobit: ${trilobit_xsimd_problem}, downloading 13.2.0")
  FetchContent_Declare(
    trilobit_xsimd
    URL https://github.com/xtensor-stack/xsimd/archive/13.2.0.tar.gz
    URL_HASH SHA256=edd8cd3d548c185adc70321c53c36df41abe64c1fe2c67bc6d93c3ecda82447a
    DOWNLOAD_EXTRACT_TIMESTAMP OFF
    # Headers only: a target named xsimd may already exist, from the version that did not fit.
    SOURCE_SUBDIR no-build)
  FetchContent_MakeAvailable(trilobit_xsimd)
  set(trilobit_xsimd_include "${trilobit_xsimd_SOURCE_DIR}/include")
elseif(trilobit_xsimd_problem)
  message(
    FATAL_ERROR
      "trilobit needs xsimd >= 13.2 and < 15: ${trilobit_xsimd_problem}. Install it, point "
      "CMAKE_PREFIX_PATH at it, or allow a download with -DTRILOBIT_FETCH_DEPENDENCIES=ON.")
endif()

if(TRILOBIT_BUILD_TESTS AND NOT TARGET Catch2::Catch2WithMain)
  find_package(Catch2 3 QUIET)
  if(Catch2_FOUND)
    list(APPEND CMAKE_MODULE_PATH "${Catch2_DIR}")
  elseif(TRILOBIT_FETCH_DEPENDENCIES)
    message(STATUS "trilobit: Catch2 3 was not found, downloading 3.7.1")
    FetchContent_Declare(
      Catch2
      URL https://github.com/catchorg/Catch2/archive/v3.7.1.tar.gz
      URL_HASH SHA256=c991b247a1a0d7bb9c39aa35faf0fe9e19764213f28ffba3109388e62ee0269c
      DOWNLOAD_EXTRACT_TIMESTAMP OFF SYSTEM)
    FetchContent_MakeAvailable(Catch2)
    list(APPEND CMAKE_MODULE_PATH "${Catch2_SOURCE_DIR}/extras")
  else()
    message(FATAL_ERROR "trilobit's tests need Catch2 3: install it, run scripts/bootstrap, or "
                        "build without tests (-DTRILOBIT_BUILD_TESTS=OFF).")
  endif()
endif()
