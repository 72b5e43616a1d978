# SPDX-License-Identifier: MIT
# trilobit_backends: every back end that the compiler knows, or with sanitizers, beside which one takes
# minutes to compile, that this machine runs, compiled once for all of the runner,
# the tests and the benchmarks. Only this repository has it: users call trilobit_runtime_dispatch
# on a target of their own.

include("${CMAKE_CURRENT_LIST_DIR}/trilobit_warnings.cmake")

if(TRILOBIT_SANITIZE AND NOT CMAKE_CROSSCOMPILING)
  try_run(ran compiled SOURCES "${CMAKE_CURRENT_LIST_DIR}/trilobit_runnable_archs.cpp" NO_CACHE
          CMAKE_FLAGS "-DINCLUDE_DIRECTORIES=${PROJECT_SOURCE_DIR}/include;${trilobit_xsimd_include}"
          CXX_STANDARD 20 CXX_STANDARD_REQUIRED ON RUN_OUTPUT_VARIABLE TRILOBIT_ARCHS)
  if(NOT compiled OR NOT ran EQUAL 0)
    message(FATAL_ERROR "trilobit_runnable_archs.cpp does not compile or run")
  endif()
endif()

if(EXISTS "${PROJECT_SOURCE_DIR}/include/trilobit/dispatch/instantiate.hpp"
   AND EXISTS "${PROJECT_SOURCE_DIR}/include/trilobit/dispatch/registry.hpp")
  add_library(trilobit_backends STATIC)
  target_link_libraries(trilobit_backends PUBLIC trilobit::trilobit)
  target_compile_options(trilobit_backends PRIVATE ${trilobit_warning_flags})
  trilobit_runtime_dispatch(trilobit_backends)
else()
  add_library(trilobit_backends INTERFACE)
  target_link_libraries(trilobit_backends INTERFACE trilobit::trilobit)
endif()
