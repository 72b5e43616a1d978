# SPDX-License-Identifier: MIT
# trilobit_backends: the library's back ends, compiled once for all of the runner, the tests and the
# benchmarks. Only this repository has it: users call trilobit_runtime_dispatch on a target of their
# own. TRILOBIT_ARCHS says which: nothing for all that the compiler knows, or with sanitizers, beside
# which each takes a minute to compile, for one of each width of registers that this machine runs;
# `native` for the best that it runs; `runnable` for those that it runs; or names. `generic` is
# always there.

include("${CMAKE_CURRENT_LIST_DIR}/trilobit_warnings.cmake")

if(TRILOBIT_SANITIZE AND NOT TRILOBIT_ARCHS AND NOT CMAKE_CROSSCOMPILING)
  set(TRILOBIT_ARCHS widths)
endif()
if(TRILOBIT_ARCHS MATCHES "^(native|runnable|widths)$")
  set(wanted ${TRILOBIT_ARCHS})
  try_run(ran compiled SOURCES "${CMAKE_CURRENT_LIST_DIR}/trilobit_runnable_archs.cpp" NO_CACHE
          CMAKE_FLAGS "-DINCLUDE_DIRECTORIES=${PROJECT_SOURCE_DIR}/include;${trilobit_xsimd_include}"
          CXX_STANDARD 20 CXX_STANDARD_REQUIRED ON RUN_OUTPUT_VARIABLE TRILOBIT_ARCHS)
  if(NOT compiled OR NOT ran EQUAL 0)
    message(FATAL_ERROR "trilobit_runnable_archs.cpp does not compile or run")
  endif()
  trilobit_default_archs(TRILOBIT_ARCHS) # those of them that the compiler knows
  if(wanted STREQUAL "native")
    list(GET TRILOBIT_ARCHS -1 TRILOBIT_ARCHS)
  elseif(wanted STREQUAL "widths")
    list(FILTER TRILOBIT_ARCHS INCLUDE REGEX "^(generic|avx2|avx512vnni)$") # 16, 32, 64 bytes
  endif()
endif()

add_library(trilobit_backends STATIC)
target_link_libraries(trilobit_backends PUBLIC trilobit::trilobit)
# Shared libraries of examples/integrations link them too, and show nothing of them.
set_target_properties(trilobit_backends PROPERTIES POSITION_INDEPENDENT_CODE ON
                                                   CXX_VISIBILITY_PRESET hidden
                                                   VISIBILITY_INLINES_HIDDEN ON)
target_compile_options(trilobit_backends PRIVATE ${trilobit_warning_flags})
trilobit_runtime_dispatch(trilobit_backends)
# Checks of each pointer double the time that kernels take to compile; tests that instantiate kernels
# themselves have them.
if(TRILOBIT_SANITIZE MATCHES "undefined")
  target_compile_options(trilobit_backends PRIVATE
                         -fno-sanitize=null,alignment,pointer-overflow)
endif()
