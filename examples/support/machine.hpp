// SPDX-License-Identifier: MIT
// Room support. Enters: the compiler. Leaves: the name of the processors that it compiles for.
#pragma once

#include <string_view>

namespace tbx::support {

inline constexpr std::string_view architecture =
#if defined(__x86_64__) || defined(_M_X64)
    "x86-64";
#elif defined(__i386__) || defined(_M_IX86)
    "32-bit x86";
#elif defined(__aarch64__) || defined(_M_ARM64)
    "AArch64";
#elif defined(__arm__)
    "32-bit ARM";
#elif defined(__riscv) && __riscv_xlen == 64
    "64-bit RISC-V";
#elif defined(__s390x__)
    "s390x";
#elif defined(__wasm__)
    "WebAssembly";
#elif defined(__powerpc64__)
    "64-bit POWER";
#elif defined(__loongarch64)
    "LoongArch";
#else
    "a processor without a name here";
#endif

}  // namespace tbx::support
