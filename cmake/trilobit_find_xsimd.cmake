# SPDX-License-Identifier: MIT
# Finds xsimd >= 13.2 and < 15. Leaves trilobit_xsimd_problem, empty when all is well, and
# trilobit_xsimd_include, its headers.
# xsimd's version file accepts one major version only and refuses ranges, so it is asked for
# without a version and the version is looked at afterwards. Used by the build and by the package.

set(trilobit_xsimd_problem "")
if(NOT TARGET xsimd)
  # Honoured from 14.3 on: without it, the package would require xtl.
  set(XSIMD_ENABLE_XTL_COMPLEX OFF)
  find_package(xsimd QUIET)
  if(NOT xsimd_FOUND)
    set(trilobit_xsimd_problem "xsimd was not found")
  elseif(xsimd_VERSION VERSION_LESS 13.2 OR NOT xsimd_VERSION VERSION_LESS 15)
    set(trilobit_xsimd_problem "xsimd ${xsimd_VERSION} in ${xsimd_DIR} does not fit")
  endif()
endif()
if(NOT trilobit_xsimd_problem)
  # Resolved here where it can be: an imported target is not visible outside of this folder, from
  # where a library that links trilobit publicly may be used.
  set(trilobit_xsimd_include "$<TARGET_PROPERTY:xsimd,INTERFACE_INCLUDE_DIRECTORIES>")
  get_target_property(trilobit_xsimd_imported xsimd IMPORTED)
  if(trilobit_xsimd_imported)
    get_target_property(trilobit_xsimd_include xsimd INTERFACE_INCLUDE_DIRECTORIES)
  endif()
endif()
