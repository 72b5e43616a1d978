# SPDX-License-Identifier: MIT
# Settings for building this repository itself. Never read when another project embeds trilobit.

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Release, Debug, RelWithDebInfo or MinSizeRel" FORCE)
endif()
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/bin")
set(CMAKE_CXX_EXTENSIONS OFF)

# What scripts/bootstrap unpacked.
if(EXISTS "${PROJECT_SOURCE_DIR}/build/deps/usr")
  list(PREPEND CMAKE_PREFIX_PATH "${PROJECT_SOURCE_DIR}/build/deps/usr")
endif()

find_program(TRILOBIT_CCACHE ccache)
mark_as_advanced(TRILOBIT_CCACHE)
if(TRILOBIT_CCACHE AND NOT DEFINED CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER "${TRILOBIT_CCACHE}")
endif()

# Beside each object a list of its functions' stack frames, which tests/house/stack_frames.sh reads.
if(NOT MSVC AND NOT TRILOBIT_SANITIZE)
  add_compile_options(-fstack-usage)
endif()

if(TRILOBIT_SANITIZE)
  add_compile_options(-fsanitize=${TRILOBIT_SANITIZE} -fno-sanitize-recover=all
                      -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${TRILOBIT_SANITIZE})
endif()
