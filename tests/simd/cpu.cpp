// SPDX-License-Identifier: MIT
// What the processor check claims: a tower without gaps that never promises more than the
// compiler's own check of single features sees.
#include "runnable.hpp"

using trilobit::dispatch::x86_features;

TEST_CASE("stronger back ends imply weaker ones", "[simd]") {
    const x86_features f = x86_features::detect();
    CHECK((!f.ssse3 || f.sse2));
    CHECK((!f.sse4_2 || f.ssse3));
    CHECK((!f.avx2 || f.sse4_2));
    CHECK((!f.avxvnni || f.avx2));
    CHECK((!f.avx512bw || f.avx2));
    CHECK((!f.avx512vnni || f.avx512bw));
    CHECK((!f.amx || f.avx512vnni));
}

TEST_CASE("names are answered for, unknown ones with no", "[simd]") {
    const x86_features f = x86_features::detect();
    CHECK(f.has("generic"));
    CHECK(f.has("sse2") == f.sse2);
    CHECK(f.has("ssse3") == f.ssse3);
    CHECK(f.has("sse4_2") == f.sse4_2);
    CHECK(f.has("avx2") == f.avx2);
    CHECK(f.has("avxvnni") == f.avxvnni);
    CHECK(f.has("avx512bw") == f.avx512bw);
    CHECK(f.has("avx512vnni") == f.avx512vnni);
    CHECK(f.has("amx") == f.amx);
    CHECK_FALSE(f.has(""));
    CHECK_FALSE(f.has("avx"));
    CHECK_FALSE(f.has("AVX2"));
    CHECK_FALSE(x86_features{}.has("sse2"));
}

#if defined(__x86_64__) && defined(__GNUC__)
TEST_CASE("the check agrees with the compiler's", "[simd]") {
    __builtin_cpu_init();
    const x86_features f = x86_features::detect();
    CHECK(f.ssse3 == (__builtin_cpu_supports("ssse3") != 0));
    CHECK(f.sse4_2 == (__builtin_cpu_supports("sse4.2") != 0));
    CHECK(f.avx2 == (__builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0));
    CHECK(f.avx512bw ==
          (__builtin_cpu_supports("avx512bw") != 0 && __builtin_cpu_supports("avx512vl") != 0 &&
           __builtin_cpu_supports("avx512dq") != 0));
    CHECK((!f.avx512vnni || __builtin_cpu_supports("avx512vnni") != 0));
}
#endif
