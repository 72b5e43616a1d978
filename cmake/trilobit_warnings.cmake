# SPDX-License-Identifier: MIT
# The warnings our own programs are held to, for every target of the calling folder and below.
# A macro, so that add_compile_options acts on the caller's folder.

macro(trilobit_warnings)
  if(MSVC)
    add_compile_options(/W4 /permissive- /Zc:preprocessor /bigobj)
  else()
    add_compile_options(-Wall -Wextra -Wpedantic -Wconversion -Wshadow)
  endif()
  if(TRILOBIT_WERROR)
    if(MSVC)
      add_compile_options(/WX)
    else()
      add_compile_options(-Werror)
    endif()
  endif()
endmacro()
