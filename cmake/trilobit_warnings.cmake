# SPDX-License-Identifier: MIT
# The warnings our own programs are held to: a list of flags for one target, and a macro for every
# target of the calling folder and below.

if(MSVC)
  set(trilobit_warning_flags /W4 /permissive- /Zc:preprocessor /bigobj)
  set(trilobit_werror_flag /WX)
else()
  set(trilobit_warning_flags -Wall -Wextra -Wpedantic -Wconversion -Wshadow)
  set(trilobit_werror_flag -Werror)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # GCC 12 sees overlap in every `"text" + std::string` (its bug 105651, fixed in 13).
  list(APPEND trilobit_warning_flags -Wno-restrict)
endif()
if(TRILOBIT_WERROR)
  list(APPEND trilobit_warning_flags ${trilobit_werror_flag})
endif()

macro(trilobit_warnings)
  add_compile_options(${trilobit_warning_flags})
endmacro()
