# SPDX-License-Identifier: MIT
# A toolchain file: WebAssembly by clang, LLVM's linker and the libraries of WASI. The newest clang
# that has them all is taken, or the one that CMAKE_CXX_COMPILER names.
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR wasm32)
set(CMAKE_CXX_COMPILER_TARGET wasm32-wasi)
# clang 22 calls that name old; it is the one of Debian's folders.
set(CMAKE_CXX_FLAGS_INIT -Wno-deprecated)
# What CMake tries while it configures need not be a module that something can start.
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
if(NOT CMAKE_CXX_COMPILER)
  find_program(CMAKE_CXX_COMPILER NAMES clang++-22 clang++-21 clang++-20 clang++-19 clang++ REQUIRED)
endif()
# Headers and libraries come from the compiler's own folders of that machine, never from this one's.
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
# WASI has none, and the trial above would find some.
set(CMAKE_DISABLE_FIND_PACKAGE_Threads ON)
