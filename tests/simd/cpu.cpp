// SPDX-License-Identifier: MIT
// What the processor check claims: a tower without gaps that never promises more than the
// compiler's own check of single features sees.
#include "runnable.hpp"

using trilobit::dispatch::cpu;

TEST_CASE("stronger back ends imply weaker ones", "[simd]") {
    const cpu machine = cpu::detect();
    CHECK(machine.has("generic"));
    const auto implies = [&](const char* stronger, const char* weaker) {
        CAPTURE(stronger, weaker);
        CHECK((!machine.has(stronger) || machine.has(weaker)));
    };
    implies("ssse3", "sse2");
    implies("sse4_2", "ssse3");
    implies("avx2", "sse4_2");
    implies("avxvnni", "avx2");
    implies("avx512bw", "avx2");
    implies("avx512vnni", "avx512bw");
    implies("amx", "avx512vnni");
}

TEST_CASE("unknown names are answered with no", "[simd]") {
    const cpu machine = cpu::detect();
    for (const char* name : {"", "avx", "AVX2", "avx2 "}) CHECK_FALSE(machine.has(name));
}

TEST_CASE("a machine that says nothing of itself has the generic back end", "[simd]") {
    CHECK(cpu{}.has("generic"));
    CHECK_FALSE(cpu{}.has("sse2"));
}

#if defined(__x86_64__) && defined(__GNUC__)
TEST_CASE("the check agrees with the compiler's", "[simd]") {
    __builtin_cpu_init();
    const cpu f = cpu::detect();
    CHECK(f.has("ssse3") == (__builtin_cpu_supports("ssse3") != 0));
    CHECK(f.has("sse4_2") == (__builtin_cpu_supports("sse4.2") != 0));
    CHECK(f.has("avx2") ==
          (__builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0));
    CHECK(f.has("avx512bw") ==
          (__builtin_cpu_supports("avx512bw") != 0 && __builtin_cpu_supports("avx512vl") != 0 &&
           __builtin_cpu_supports("avx512dq") != 0));
    CHECK((!f.has("avx512vnni") || __builtin_cpu_supports("avx512vnni") != 0));
}
#endif
