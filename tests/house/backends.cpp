// SPDX-License-Identifier: MIT
// Prints, weakest first, each back end that the library knows and whether this machine runs it:
// "avx2 yes". scripts/test forces those in turn.
#include <trilobit/dispatch/dispatch.hpp>

#include <cstdio>
#include <string_view>

int main() {
    constexpr std::string_view names[] = {"generic", "sse2",     "ssse3",      "sse4_2", "avx2",
                                          "avxvnni", "avx512bw", "avx512vnni", "amx"};
    int runnable = 0;
    for (const std::string_view name : names) {
        const bool has = trilobit::dispatch::find(name).ok();
        runnable += has ? 1 : 0;
        std::printf("%.*s %s\n", static_cast<int>(name.size()), name.data(), has ? "yes" : "no");
    }
    // A back end missing from the list above would never be tested.
    return runnable == static_cast<int>(trilobit::dispatch::available().size()) ? 0 : 1;
}
