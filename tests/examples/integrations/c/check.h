// SPDX-License-Identifier: MIT
// What the tests of the C API share: checks that go on, numbers that look random, a matrix of
// trits.
#ifndef TRILOBIT_TESTS_CHECK_H
#define TRILOBIT_TESTS_CHECK_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <trilobit/trilobit.h>

static int failures = 0;

#define CHECK(truth)                                           \
    do {                                                       \
        if (!(truth)) {                                        \
            ++failures;                                        \
            printf("%s:%d: %s\n", __FILE__, __LINE__, #truth); \
        }                                                      \
    } while (0)

#define CHECK_OK(call)                                                     \
    do {                                                                   \
        const trilobit_status s_ = (call);                                 \
        if (s_.code != TRILOBIT_OK) {                                      \
            ++failures;                                                    \
            printf("%s:%d: %s: %s\n", __FILE__, __LINE__, #call, s_.text); \
        }                                                                  \
    } while (0)

/// Refused with this code and a whole sentence.
#define CHECK_REFUSED(call, wanted)                                                         \
    do {                                                                                    \
        const trilobit_status s_ = (call);                                                  \
        const size_t n_ = s_.text == NULL ? 0 : strlen(s_.text);                            \
        if (s_.code != (wanted) || n_ < 12 || s_.text[n_ - 1] != '.') {                     \
            ++failures;                                                                     \
            printf("%s:%d: %s: code %d, \"%s\"\n", __FILE__, __LINE__, #call, (int)s_.code, \
                   n_ == 0 ? "" : s_.text);                                                 \
        }                                                                                   \
    } while (0)

static uint32_t random_state = 12345;
static inline uint32_t random_bits(void) {
    random_state = random_state * 1664525u + 1013904223u;
    return random_state >> 8;
}
static inline float random_unit(void) { return (float)random_bits() / 8388608.0f - 1.0f; }

static inline void* room(size_t bytes) {
    void* at = malloc(bytes == 0 ? 1 : bytes);
    if (at == NULL) abort();
    return at;
}
/// From a multiple of 64 on; `owner` is to be freed.
static inline void* aligned_room(size_t bytes, void** owner) {
    *owner = room(bytes + 63);
    return (void*)(((uintptr_t)*owner + 63) & ~(uintptr_t)63);
}

static inline float* random_floats(int64_t count) {
    float* x = (float*)room((size_t)count * sizeof *x);
    for (int64_t i = 0; i < count; ++i) x[i] = random_unit();
    return x;
}
/// Of all the levels that the layout has; for rows of a multiple of four columns.
static inline int8_t* random_values(int64_t count, int32_t layout) {
    int lowest = -1, levels = 3, step = 1;
    if (layout == TRILOBIT_LAYOUT_BINARY_1BIT) levels = 2, step = 2;
    if (layout >= TRILOBIT_LAYOUT_QUATERNARY_2BIT && layout <= TRILOBIT_LAYOUT_QUATERNARY_2BIT_ODD)
        levels = 4;
    const int sparse = layout == TRILOBIT_LAYOUT_TERNARY_3OF4;
    if (sparse) levels = 2, step = 2;
    if (layout == TRILOBIT_LAYOUT_QUATERNARY_2BIT_LOW) lowest = -2;
    if (layout == TRILOBIT_LAYOUT_QUATERNARY_2BIT_ODD) lowest = -3, step = 2;
    int8_t* v = (int8_t*)room((size_t)count);
    for (int64_t i = 0; i < count; ++i)
        v[i] = (int8_t)(lowest + step * (int)(random_bits() % (unsigned)levels));
    for (int64_t i = 0; sparse && i < count; i += 4) v[i + random_bits() % 4] = 0;
    return v;
}

static inline trilobit_context* new_context(int32_t threads) {
    trilobit_context* c = NULL;
    trilobit_context_options o = {0};
    o.struct_size = sizeof o;
    o.threads = threads;
    CHECK_OK(trilobit_context_new(&o, &c));
    if (c == NULL) exit(1);
    return c;
}

static inline int finished(void) {
    if (failures == 0) return 0;
    printf("%d checks failed\n", failures);
    return 1;
}

#endif
