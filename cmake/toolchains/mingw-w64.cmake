# SPDX-License-Identifier: MIT
# Windows on x86-64, by GCC of mingw-w64, with its POSIX threads: those of std::thread. Programs bring
# all their libraries along, and wine runs them where it is installed.
# CMAKE_FIND_ROOT_PATH: what scripts/fetch-windows-deps has built.
set(CMAKE_SYSTEM_NAME Windows)
set(CMAKE_SYSTEM_PROCESSOR x86_64)

# Debian's bear their kind of threads in their names.
foreach(language IN ITEMS C CXX)
  set(compiler_C gcc)
  set(compiler_CXX g++)
  find_program(TRILOBIT_MINGW_${language}
               NAMES x86_64-w64-mingw32-${compiler_${language}}-posix
                     x86_64-w64-mingw32-${compiler_${language}} REQUIRED)
  mark_as_advanced(TRILOBIT_MINGW_${language})
  set(CMAKE_${language}_COMPILER "${TRILOBIT_MINGW_${language}}")
endforeach()
set(CMAKE_RC_COMPILER x86_64-w64-mingw32-windres)
set(CMAKE_EXE_LINKER_FLAGS_INIT -static)
# FindOpenMP would link the DLL that it finds by its full name.
set(OpenMP_gomp_LIBRARY gomp CACHE STRING "")

# Debian keeps its programs out of the path.
find_program(TRILOBIT_WINE NAMES wine64 wine PATHS /usr/lib/wine)
mark_as_advanced(TRILOBIT_WINE)
if(TRILOBIT_WINE)
  set(CMAKE_CROSSCOMPILING_EMULATOR "${TRILOBIT_WINE}")
endif()

list(APPEND CMAKE_FIND_ROOT_PATH /usr/x86_64-w64-mingw32)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
