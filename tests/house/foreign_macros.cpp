// SPDX-License-Identifier: MIT
// Every header after the macros of others: of windows.h, X11, Qt, Apple's AssertMacros.h,
// complex.h, termios.h and sysmacros.h. What is not ours has been included before, and looks after
// itself.
#include <xsimd/xsimd.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cassert>
#include <chrono>
#include <cmath>
#include <complex>
#include <concepts>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <limits>
#include <memory>
#include <new>
#include <numeric>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#if defined(__unix__)
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#endif

#define min(a, b) (((a) < (b)) ? (a) : (b))
#define max(a, b) (((a) > (b)) ? (a) : (b))
#define abs(x) ((x) > 0 ? (x) : -(x))
#define small char
#define near
#define far
#define IN
#define OUT
#define OPTIONAL
#define ERROR 0
#define DELETE 2
#define CONST const
#define STRICT 1
#define TRUE 1
#define FALSE 0
#define interface struct
#define I _Complex_I
#define None 0L
#define Bool int
#define Status int
#define True 1
#define False 0
#define Always 2
#define Above 0
#define Below 1
#define Complex 0
#define Convex 2
#define Success 0
#define Unsorted 0
#define B0 0000000
#define B1 0000001
#define check(x) (x)
#define verify(x) (x)
#define require(x, label) (x)
#define major(x) 1
#define minor(x) 1
#define makedev(x, y) 1
#define unix 1
#define linux 1
#define Yes 1
#define slots
#define signals public
#define emit
#define forever for (;;)
#define foreach for
#define hyper 1

#include "all_headers.hpp"

// Nor are they lost.
#if !defined(I) || !defined(abs) || !defined(far) || !defined(max) || !defined(min) || \
    !defined(near) || !defined(slots)
#error "A macro of the user's is gone after the library's headers."
#endif

// What dispatch/registry.hpp asks of the one source that includes it; nothing is run here.
template <>
struct trilobit::dispatch::compiled_tables<trilobit::kernel_table, trilobit::dispatch::kernels_of> {
    static constexpr const trilobit::kernel_table* all[] = {nullptr};
};

float product_among_macros() {
    float w[64 * 16] = {1}, x[64] = {1}, y[16];
    const auto packed = trilobit::pack<trilobit::layout::ternary_2bit>({w, 16, 64});
    return trilobit::matmul(packed, {x, 1, 64}, {y, 1, 16}).ok() ? y[0] : 0.0f;
}
