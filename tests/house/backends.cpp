// SPDX-License-Identifier: MIT
// Prints, weakest first, each back end that the library knows and whether this machine runs it:
// "avx2 yes". The arguments are those that CMake knows: the same, in the same order.
#include <trilobit/dispatch/dispatch.hpp>
#include <trilobit/simd/arch.hpp>

#include <cstdio>

int main(int argc, char** argv) {
    int runnable = 0, known = 1;
    bool same = true;
    trilobit::any_type(trilobit::archs{}, [&]<class Arch>() {
        const bool has = trilobit::dispatch::find(Arch::name).ok();
        runnable += has ? 1 : 0;
        same = same && known < argc && Arch::name == argv[known];
        ++known;
        std::printf("%.*s %s\n", static_cast<int>(Arch::name.size()), Arch::name.data(),
                    has ? "yes" : "no");
        return false;
    });
    if (!same || known != argc) return std::puts("CMake knows others, or in another order"), 1;
    // A back end missing from the library's list would never be tested.
    return runnable == static_cast<int>(trilobit::dispatch::available().size()) ? 0 : 1;
}
