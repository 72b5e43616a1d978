# SPDX-License-Identifier: MIT
# trilobit_per_arch(<target> SOURCE <header> TABLE <type> OF <template> [ARCHS generic avx2 ...])
#
# "This source once for each instruction set, then choose": puts tables of functions for several
# instruction sets into one program. <header> declares <type>, plain data with a member `name`, and
# <template>, of which <template><Arch>::table is the <type> of one instruction set. <target>, which
# links trilobit::trilobit, gets one source for each, compiled with its flags, and one more, compiled
# with the target's own, that looks at the CPU: trilobit::dispatch::per_arch<type, template>::best()
# and the like, see dispatch/per_arch.hpp. Without ARCHS, every set that the compiler knows for this
# processor family is built, or, where the variable TRILOBIT_ARCHS is set, of these `generic` and what
# it names.
#
# trilobit_runtime_dispatch(<target> [ARCHS generic avx2 ...])
#
# The same of the library's own kernels, for trilobit/dispatch/dispatch.hpp.
#
# Users without CMake write the same few lines by hand: see per_arch.cpp.in and per_arch_list.cpp.in.

include_guard(GLOBAL)
include(CheckCXXCompilerFlag)

# All back ends, those of each family of processors weakest first, as in simd/arch.hpp, and the flags
# of each.
function(trilobit_add_arch family name)
  set_property(GLOBAL APPEND PROPERTY trilobit_archs ${name})
  set_property(GLOBAL PROPERTY trilobit_family_of_${name} ${family})
  set_property(GLOBAL PROPERTY trilobit_flags_of_${name} ${ARGN})
endfunction()
block()
  trilobit_add_arch(any generic -DTRILOBIT_UNROLL=) # its registers are arrays
  trilobit_add_arch(x86 sse2)                       # x86-64's own baseline
  trilobit_add_arch(x86 ssse3 -mssse3)
  trilobit_add_arch(x86 sse4_2 -msse4.2 -mpopcnt)
  # On 64-bit Windows GCC keeps the stack to 16 bytes (its bug 54412) and moves 32 and 64 to and from
  # it with instructions that fault there. Debian's is mended; others leave it to the assembler.
  set(avx2 -mavx2 -mfma -mf16c -mbmi2 -mpopcnt)
  if(MINGW AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    list(APPEND avx2 -Wa,-muse-unaligned-vector-move)
  endif()
  trilobit_add_arch(x86 avx2 ${avx2})
  trilobit_add_arch(x86 avxvnni ${avx2} -mavxvnni)
  set(avx512bw ${avx2} -mavx512f -mavx512cd -mavx512dq -mavx512bw -mavx512vl)
  trilobit_add_arch(x86 avx512bw ${avx512bw})
  # Plain loops, which quantise activations, use half of a register without being told.
  set(avx512vnni ${avx512bw} -mprefer-vector-width=512 -mavx512vnni -mavx512vbmi -mavx512ifma
                 -mavx512vbmi2 -mavx512bitalg -mavx512vpopcntdq -mgfni)
  trilobit_add_arch(x86 avx512vnni ${avx512vnni})
  trilobit_add_arch(x86 amx ${avx512vnni} -mamx-tile -mamx-int8)

  # GCC moves loads forward before it knows how many registers there are, and then spills sums.
  set(in_order "")
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    set(in_order -fno-schedule-insns)
  endif()
  trilobit_add_arch(arm neon ${in_order}) # AArch64's own baseline
  trilobit_add_arch(arm neon_dotprod ${in_order} -march=armv8.2-a+dotprod)
  trilobit_add_arch(arm sve_256 ${in_order} -march=armv8.2-a+sve -msve-vector-bits=256)
  trilobit_add_arch(arm neon_i8mm ${in_order} -march=armv8.2-a+dotprod+i8mm)
  trilobit_add_arch(arm sve_512 ${in_order} -march=armv8.2-a+sve -msve-vector-bits=512)

  trilobit_add_arch(wasm simd128 -msimd128)
  trilobit_add_arch(wasm relaxed_simd -msimd128 -mrelaxed-simd)

  # By the least length that a source is compiled for; longer registers are used in part.
  trilobit_add_arch(riscv rvv_128 -mno-strict-align -march=rv64gcv_zvl128b)
  trilobit_add_arch(riscv rvv_256 -mno-strict-align -march=rv64gcv_zvl256b)
  trilobit_add_arch(riscv rvv_512 -mno-strict-align -march=rv64gcv_zvl512b)
endblock()

function(trilobit_arch_flags arch result)
  get_property(archs GLOBAL PROPERTY trilobit_archs)
  if(NOT arch IN_LIST archs)
    list(JOIN archs " " archs)
    message(FATAL_ERROR "trilobit: unknown instruction set '${arch}'; known are ${archs}")
  endif()
  get_property(flags GLOBAL PROPERTY trilobit_flags_of_${arch})
  set(${result} ${flags} PARENT_SCOPE)
endfunction()

function(trilobit_family result)
  set(family none)
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64)$")
    set(family x86)
  elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "^(aarch64|arm64|ARM64)$")
    set(family arm)
  elseif(CMAKE_SYSTEM_PROCESSOR STREQUAL "riscv64")
    set(family riscv)
  elseif(CMAKE_SYSTEM_PROCESSOR STREQUAL "wasm32")
    set(family wasm)
  endif()
  set(${result} ${family} PARENT_SCOPE)
endfunction()

# What is built without ARCHS, weakest first.
function(trilobit_default_archs result)
  foreach(arch IN LISTS TRILOBIT_ARCHS)
    trilobit_arch_flags(${arch} known)
  endforeach()
  set(archs generic)
  trilobit_family(here)
  if(NOT MSVC)
    get_property(known GLOBAL PROPERTY trilobit_archs)
    if(WIN32) # nobody asks it for tiles, and GCC's header keeps their strides in a `long`
      list(REMOVE_ITEM known amx)
    endif()
    foreach(arch IN LISTS known)
      get_property(family GLOBAL PROPERTY trilobit_family_of_${arch})
      if(NOT family STREQUAL here OR (TRILOBIT_ARCHS AND NOT arch IN_LIST TRILOBIT_ARCHS))
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

function(trilobit_per_arch target)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "SOURCE;TABLE;OF" "ARCHS")
  if(arg_UNPARSED_ARGUMENTS OR NOT arg_SOURCE OR NOT arg_TABLE OR NOT arg_OF)
    message(FATAL_ERROR "trilobit_per_arch: SOURCE, TABLE and OF are needed, and nothing unknown: "
                        "'${arg_UNPARSED_ARGUMENTS}'")
  endif()
  get_target_property(type ${target} TYPE)
  if(type STREQUAL "INTERFACE_LIBRARY")
    message(FATAL_ERROR "trilobit_per_arch: ${target} compiles nothing; give a program or a "
                        "library that has sources")
  endif()
  if(NOT arg_ARCHS)
    trilobit_default_archs(arg_ARCHS)
  endif()
  # A file of this project, or one that compilers find.
  cmake_path(ABSOLUTE_PATH arg_SOURCE OUTPUT_VARIABLE file)
  set(trilobit_source "<${arg_SOURCE}>")
  if(EXISTS "${file}")
    set(trilobit_source "\"${file}\"")
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
  endif()

  string(MAKE_C_IDENTIFIER "${arg_OF}" folder)
  set(folder "${CMAKE_CURRENT_BINARY_DIR}/trilobit_per_arch/${target}/${folder}")
  set(sources "")
  set(trilobit_declared "")
  set(trilobit_listed "")
  foreach(trilobit_arch IN LISTS arg_ARCHS)
    trilobit_arch_flags(${trilobit_arch} flags)
    set(source "${folder}/trilobit_arch_${trilobit_arch}.cpp")
    configure_file("${CMAKE_CURRENT_FUNCTION_LIST_DIR}/per_arch.cpp.in" "${source}" @ONLY)
    set_source_files_properties("${source}" TARGET_DIRECTORY ${target}
                                PROPERTIES COMPILE_OPTIONS "${flags};${common}")
    list(APPEND sources "${source}")
    set(table "trilobit::dispatch::compiled<${arg_TABLE}, ${arg_OF}, trilobit::arch::${trilobit_arch}>::table")
    string(APPEND trilobit_declared "template <>\nconst ${arg_TABLE} ${table};\n")
    string(APPEND trilobit_listed "\n        &${table},")
  endforeach()
  set(source "${folder}/trilobit_list.cpp")
  configure_file("${CMAKE_CURRENT_FUNCTION_LIST_DIR}/per_arch_list.cpp.in" "${source}" @ONLY)
  list(APPEND sources "${source}")
  set_source_files_properties(${sources} TARGET_DIRECTORY ${target}
                              PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON SKIP_PRECOMPILE_HEADERS ON)
  target_sources(${target} PRIVATE ${sources})
endfunction()

function(trilobit_runtime_dispatch target)
  trilobit_per_arch(${target} SOURCE trilobit/dispatch/kernels.hpp TABLE trilobit::kernel_table
                    OF trilobit::dispatch::kernels_of ${ARGN})
endfunction()
