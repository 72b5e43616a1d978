# SPDX-License-Identifier: MIT
# One consumer project, from an empty folder to its programs' exit status.
# Enters: kind source binary prefix root search compiler c_compiler libdir generator (see CMakeLists.txt).
cmake_minimum_required(VERSION 3.25)

function(step)
  execute_process(COMMAND ${ARGN} OUTPUT_VARIABLE out ERROR_VARIABLE out RESULT_VARIABLE status)
  if(NOT status STREQUAL "0")
    list(JOIN ARGN " " command)
    message(FATAL_ERROR "consumer ${kind}: '${command}' failed (${status}):\n${out}")
  endif()
endfunction()

file(REMOVE_RECURSE "${binary}")
file(MAKE_DIRECTORY "${binary}")

if(kind STREQUAL "pkgconfig")
  # As a Makefile would: the flags come from pkg-config alone.
  find_program(pkg_config NAMES pkg-config pkgconf)
  if(NOT pkg_config)
    message(STATUS "consumer skipped: no pkg-config")
    return()
  endif()
  set(folders "${prefix}/share/pkgconfig")
  foreach(folder IN LISTS search)
    file(GLOB more "${folder}/share/pkgconfig" "${folder}/lib/pkgconfig" "${folder}/lib/*/pkgconfig")
    list(APPEND folders ${more})
  endforeach()
  list(JOIN folders ":" path)
  set(ENV{PKG_CONFIG_PATH} "${path}")
  execute_process(COMMAND "${pkg_config}" --exists xsimd RESULT_VARIABLE missing)
  if(missing)
    message(STATUS "consumer skipped: xsimd was downloaded and has no pkg-config file")
    return()
  endif()
  execute_process(COMMAND "${pkg_config}" --cflags --libs trilobit OUTPUT_VARIABLE flags
                  OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
  separate_arguments(flags UNIX_COMMAND "${flags}")
  step("${compiler}" -std=c++20 "${CMAKE_CURRENT_LIST_DIR}/multiply.cpp" ${flags} -o "${binary}/multiply")
  step("${binary}/multiply")
  return()
endif()

if(kind MATCHES "^libtrilobit_pkgconfig(_static)?$")
  # The C library, by a C compiler and what pkg-config says of it alone.
  set(static "")
  set(pkg_static "")
  if(CMAKE_MATCH_1)
    set(static -static)
    set(pkg_static --static)
  endif()
  find_program(pkg_config NAMES pkg-config pkgconf)
  if(NOT pkg_config)
    message(STATUS "consumer skipped: no pkg-config")
    return()
  endif()
  set(ENV{PKG_CONFIG_PATH} "${prefix}/${libdir}/pkgconfig")
  execute_process(COMMAND "${pkg_config}" ${pkg_static} --cflags --libs libtrilobit
                  OUTPUT_VARIABLE flags OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
  separate_arguments(flags UNIX_COMMAND "${flags}")
  step("${c_compiler}" -std=c99 -pedantic -Wall -Werror ${static} "${source}/multiply.c" ${flags}
       -o "${binary}/multiply")
  set(ENV{LD_LIBRARY_PATH} "${prefix}/${libdir}")
  step("${binary}/multiply")
  return()
endif()

cmake_path(CONVERT "${prefix};${search}" TO_NATIVE_PATH_LIST paths)
set(ENV{CMAKE_PREFIX_PATH} "${paths}")
step("${CMAKE_COMMAND}" -S "${source}" -B "${binary}" -G "${generator}"
     "-DCMAKE_CXX_COMPILER=${compiler}" "-DCMAKE_C_COMPILER=${c_compiler}" "-DTRILOBIT_ROOT=${root}"
     "-DTRILOBIT_CONSUMER=${kind}")
step("${CMAKE_COMMAND}" --build "${binary}")
foreach(program multiply dispatch per_arch)
  if(EXISTS "${binary}/${program}")
    step("${binary}/${program}")
  endif()
endforeach()
