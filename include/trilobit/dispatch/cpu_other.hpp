// SPDX-License-Identifier: MIT
// Room dispatch. Enters: RISC-V, WebAssembly or any other machine. Leaves: what each back end adds
// to those that it derives from, and whether it is there.
#pragma once

#include "trilobit/version.hpp"

#if !defined(__x86_64__) && !defined(__i386__) && !defined(_M_X64) && !defined(__aarch64__) && \
    !defined(_M_ARM64)

#include <type_traits>

#include "trilobit/simd/arch.hpp"

#if defined(__linux__) && defined(__riscv)
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI::dispatch {

class processor {
    unsigned long vector_bytes = 0;  // of a register of RISC-V

public:
    template <class Arch>
    using of = std::type_identity<Arch>;

    /// A module that an engine has loaded holds nothing that it lacks.
    template <has_simd128 Arch>
    [[nodiscard]] bool adds(of<Arch>) const noexcept {
        return true;
    }
    /// In longer registers than these an index of lookup16 from 128 on would find something.
    [[nodiscard]] bool adds(of<arch::rvv_128>) const noexcept {
        return vector_bytes >= 16 && vector_bytes <= 128;
    }
    [[nodiscard]] bool adds(of<arch::rvv_256>) const noexcept { return vector_bytes >= 32; }
    [[nodiscard]] bool adds(of<arch::rvv_512>) const noexcept { return vector_bytes >= 64; }

    static processor detect() noexcept {
        processor p;
#if defined(__linux__) && defined(__riscv)
        // riscv_hwprobe since Linux 6.4: of IMA_EXT_0 the bit of V 1.0. Before, the letter V is all
        // there is to ask for, which draft 0.7 claimed as well.
        struct {
            long long key;
            unsigned long long value;
        } pair = {4, 0};
        const bool answers = syscall(258, &pair, 1ul, 0ul, nullptr, 0u) == 0 && pair.key == 4;
        if (answers ? (pair.value >> 2 & 1) != 0 : (getauxval(AT_HWCAP) >> 21 & 1) != 0)
            __asm__ volatile("csrr %0, 0xc22" : "=r"(p.vector_bytes));  // vlenb
#endif
        return p;
    }
};

}  // namespace trilobit::inline TRILOBIT_ABI::dispatch

#include "trilobit/core/end.hpp"

#endif
