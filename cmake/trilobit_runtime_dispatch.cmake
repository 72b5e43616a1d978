# SPDX-License-Identifier: MIT
# trilobit_runtime_dispatch(<target> [ARCHS generic sse2 avx2 ...])
#
# Puts several instruction sets into one program: adds to <target>, which links trilobit::trilobit,
# one three-line source per instruction set, compiled with that set's flags, and one registry
# source, compiled with the target's own flags, which looks at the CPU and chooses at run time.
# Without ARCHS, every set that the compiler knows for this processor family is built, or, where the
# variable TRILOBIT_ARCHS is set, of these `generic` and what it names.
# Users without CMake write the same few lines by hand: see dispatch_arch.cpp.in.

include(CheckCXXCompilerFlag)

# Flags of one instruction set. `generic` and `sse2` are x86-64's own baseline.
function(trilobit_arch_flags arch result)
  set(avx2 -mavx2 -mfma -mf16c -mbmi2 -mpopcnt)
  set(avx512bw ${avx2} -mavx512f -mavx512cd -mavx512dq -mavx512bw -mavx512vl)
  set(flags_generic -DTRILOBIT_UNROLL=)  # its registers are arrays
  set(flags_sse2 "")
  set(flags_ssse3 -mssse3)
  set(flags_sse4_2 -msse4.2 -mpopcnt)
  set(flags_avx2 ${avx2})
  set(flags_avxvnni ${avx2} -mavxvnni)
  set(flags_avx512bw ${avx512bw})
  # Plain loops, which quantise activations, use half of a register without being told.
  set(flags_avx512vnni ${avx512bw} -mprefer-vector-width=512 -mavx512vnni -mavx512vbmi -mavx512ifma -mavx512vbmi2
                       -mavx512bitalg -mavx512vpopcntdq -mgfni)
  set(flags_amx ${flags_avx512vnni} -mamx-tile -mamx-int8)
  if(NOT DEFINED flags_${arch})
    message(FATAL_ERROR "trilobit_runtime_dispatch: unknown instruction set '${arch}'; known are "
                        "generic sse2 ssse3 sse4_2 avx2 avxvnni avx512bw avx512vnni amx")
  endif()
  set(${result} ${flags_${arch}} PARENT_SCOPE)
endfunction()

# What is built without ARCHS, in rising order.
function(trilobit_default_archs result)
  foreach(arch IN LISTS TRILOBIT_ARCHS)
    trilobit_arch_flags(${arch} known)
  endforeach()
  set(archs generic)
  if(NOT MSVC AND CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64)$")
    foreach(arch sse2 ssse3 sse4_2 avx2 avxvnni avx512bw avx512vnni amx)
      if(TRILOBIT_ARCHS AND NOT arch IN_LIST TRILOBIT_ARCHS)
        continue()
      endif()
      trilobit_arch_flags(${arch} flags)
      list(JOIN flags " " flags)
      check_cxx_compiler_flag("${flags}" TRILOBIT_COMPILES_${arch})
      if(TRILOBIT_COMPILES_${arch})
        list(APPEND archs ${arch})
      endif()
    endforeach()
  endif()
  set(${result} ${archs} PARENT_SCOPE)
endfunction()

function(trilobit_runtime_dispatch target)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "ARCHS")
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "trilobit_runtime_dispatch: unknown argument ${arg_UNPARSED_ARGUMENTS}")
  endif()
  get_target_property(type ${target} TYPE)
  if(type STREQUAL "INTERFACE_LIBRARY")
    message(FATAL_ERROR "trilobit_runtime_dispatch: ${target} compiles nothing; give a program or "
                        "a library that has sources")
  endif()
  if(NOT arg_ARCHS)
    trilobit_default_archs(arg_ARCHS)
  endif()

  # The float order of the kernels is part of the contract, so no multiply-add may be contracted.
  # Optimised even in Debug: unoptimised SIMD is a hundred times slower, and functions which should
  # vanish by inlining would be emitted with flags that the CPU may lack. Sanitizers want their own.
  set(common "")
  if(NOT MSVC)
    list(APPEND common -ffp-contract=off)
    if(NOT TRILOBIT_SANITIZE AND NOT CMAKE_CXX_FLAGS MATCHES "-fsanitize")
      list(APPEND common -O3)
    endif()
    # Checks of each pointer double the time that kernels take to compile; tests that instantiate
    # kernels themselves have them.
    if(TRILOBIT_SANITIZE MATCHES "undefined")
      list(APPEND common -fno-sanitize=null,alignment,pointer-overflow)
    endif()
  endif()

  set(folder "${CMAKE_CURRENT_BINARY_DIR}/trilobit_dispatch/${target}")
  set(trilobit_registry "")
  set(sources "")
  foreach(trilobit_arch IN LISTS arg_ARCHS)
    trilobit_arch_flags(${trilobit_arch} flags)
    set(source "${folder}/trilobit_arch_${trilobit_arch}.cpp")
    configure_file("${CMAKE_CURRENT_FUNCTION_LIST_DIR}/dispatch_arch.cpp.in" "${source}" @ONLY)
    set_source_files_properties("${source}" TARGET_DIRECTORY ${target}
                                PROPERTIES COMPILE_OPTIONS "${flags};${common}")
    list(APPEND sources "${source}")
    string(APPEND trilobit_registry " X(${trilobit_arch})")
  endforeach()
  string(STRIP "${trilobit_registry}" trilobit_registry)

  set(source "${folder}/trilobit_registry.cpp")
  configure_file("${CMAKE_CURRENT_FUNCTION_LIST_DIR}/dispatch_registry.cpp.in" "${source}" @ONLY)
  list(APPEND sources "${source}")
  set_source_files_properties(${sources} TARGET_DIRECTORY ${target}
                              PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON SKIP_PRECOMPILE_HEADERS ON)
  target_sources(${target} PRIVATE ${sources})
endfunction()
