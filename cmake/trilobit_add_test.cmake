# SPDX-License-Identifier: MIT
# trilobit_add_test(NAME <name> SOURCES <file>... [LIBRARIES <target>...]
#                   [ENV VAR=value...] [LABELS <label>...] [TIMEOUT <seconds>])
#
# One Catch2 program (target test_<name>) whose test cases are registered with ctest one by one as
# "<name>: <case>". Cases that SKIP are counted as skipped. Every case carries the label `library`,
# or `examples/<room>`, by the folder it lies in, and LABELS (`slow`: left out under sanitizers and
# clang). TRILOBIT_EXTERNAL_DATA and TRILOBIT_SOURCE_DIR are defined as string literals.

include(Catch)

function(trilobit_add_test)
  cmake_parse_arguments(PARSE_ARGV 0 arg "" "NAME;TIMEOUT" "SOURCES;LIBRARIES;ENV;LABELS")
  if(arg_UNPARSED_ARGUMENTS OR NOT arg_NAME OR NOT arg_SOURCES)
    message(FATAL_ERROR "trilobit_add_test: NAME and SOURCES are needed, and nothing unknown: "
                        "'${arg_UNPARSED_ARGUMENTS}'")
  endif()
  # Rooms land in any order: a test of something that is not there yet is named, not built.
  # scripts/test counts such a line as a failure.
  foreach(source IN LISTS arg_SOURCES)
    cmake_path(ABSOLUTE_PATH source)
    if(NOT EXISTS "${source}")
      message(STATUS "trilobit: test ${arg_NAME} left out, ${source} is not there")
      return()
    endif()
  endforeach()
  foreach(library IN LISTS arg_LIBRARIES)
    if(library MATCHES "^example_" AND NOT TARGET ${library})
      message(STATUS "trilobit: test ${arg_NAME} left out, ${library} is not there")
      return()
    endif()
  endforeach()

  set(target test_${arg_NAME})
  add_executable(${target} ${arg_SOURCES})
  target_link_libraries(${target} PRIVATE trilobit::trilobit ${arg_LIBRARIES}
                                          Catch2::Catch2WithMain)
  target_compile_definitions(
    ${target} PRIVATE TRILOBIT_EXTERNAL_DATA="${TRILOBIT_EXTERNAL_DATA}"
                      TRILOBIT_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  # Back ends are compiled as users compile them, once and outside of here. What tests instantiate
  # for themselves takes half the time to compile this way.
  if(NOT MSVC)
    target_compile_options(${target} PRIVATE $<$<CONFIG:Release>:-O1>)
  endif()

  # tests/kernel is of the library: target tests_kernel, and tests_library for all such rooms.
  # tests/examples/gguf is not: target tests_examples_gguf, label examples/gguf.
  file(RELATIVE_PATH label "${PROJECT_SOURCE_DIR}/tests" "${CMAKE_CURRENT_SOURCE_DIR}")
  string(REPLACE "/" "_" group "tests_${label}")
  if(NOT label MATCHES "^examples")
    set(label library)
  endif()
  foreach(group IN ITEMS ${group} tests_${label})
    string(REPLACE "/" "_" group "${group}")
    if(NOT TARGET ${group})
      add_custom_target(${group})
    endif()
    add_dependencies(${group} ${target})
  endforeach()
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 600)
  endif()
  # Catch2's script flattens lists, so labels become one string (ctest -L matches parts of it) and
  # variables are set by a wrapper around the program.
  list(PREPEND arg_LABELS ${label})
  list(JOIN arg_LABELS "," labels)
  if(arg_ENV)
    set_target_properties(
      ${target} PROPERTIES CROSSCOMPILING_EMULATOR
                           "${CMAKE_COMMAND};-E;env;${arg_ENV};${CMAKE_CROSSCOMPILING_EMULATOR}")
  endif()
  catch_discover_tests(
    ${target}
    TEST_PREFIX "${arg_NAME}: "
    DISCOVERY_MODE PRE_TEST
    PROPERTIES SKIP_RETURN_CODE 4 TIMEOUT ${arg_TIMEOUT} LABELS "${labels}")
endfunction()
