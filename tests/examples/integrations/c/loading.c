// SPDX-License-Identifier: MIT
// The library loaded when the program runs, used, unloaded and loaded again; and a system that has
// no more threads to give.
//   loading LIBTRILOBIT
#define _POSIX_C_SOURCE 200112L
#include <dlfcn.h>
#include <sys/resource.h>

#include "check.h"

#if defined(__SANITIZE_ADDRESS__)
#define WATCHED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WATCHED 1
#endif
#endif

// ISO C knows no way from an object's pointer to a function's.
#define FIND(name, library)                                                     \
    do {                                                                        \
        void* found_ = dlsym(library, "trilobit_" #name);                       \
        if (found_ == NULL) printf("trilobit_" #name " is missing\n"), exit(1); \
        memcpy(&name, &found_, sizeof name);                                    \
    } while (0)

static trilobit_status (*context_new)(const trilobit_context_options*, trilobit_context**);
static void (*context_free)(trilobit_context*);

static void once(const char* path) {
    void* library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) printf("%s\n", dlerror()), exit(1);
    trilobit_status (*pack_floats)(trilobit_context*, int32_t, const float*, int64_t, int64_t,
                                   int64_t, const trilobit_pack_options*, trilobit_matrix**);
    trilobit_status (*matmul)(trilobit_context*, const trilobit_matrix*, const float*, int64_t,
                              int64_t, float*, int64_t, const trilobit_matmul_options*);
    void (*matrix_free)(trilobit_matrix*);
    FIND(context_new, library);
    FIND(context_free, library);
    FIND(pack_floats, library);
    FIND(matmul, library);
    FIND(matrix_free, library);
    trilobit_context_options o = {0};
    o.struct_size = sizeof o;
    o.threads = 3;
    trilobit_context* c = NULL;
    trilobit_matrix* w = NULL;
    float *weights = random_floats(200 * 2048), *x = random_floats(2048), y[200];
    CHECK_OK(context_new(&o, &c));
    CHECK_OK(pack_floats(c, TRILOBIT_LAYOUT_TERNARY_2BIT, weights, 200, 2048, 0, NULL, &w));
    CHECK_OK(matmul(c, w, x, 1, 0, y, 0, NULL));
    matrix_free(w);
    context_free(c);
    free(weights), free(x);
#if !defined(WATCHED)
    // Threads that cannot all be started are an error, and those that were are gone.
    struct rlimit all, little;
    getrlimit(RLIMIT_AS, &all);
    little = all;
    little.rlim_cur = (rlim_t)1 << 29;  // a thread's stack takes 8 MiB of it
    setrlimit(RLIMIT_AS, &little);
    o.threads = 1024;
    c = (trilobit_context*)&o;
    CHECK_REFUSED(context_new(&o, &c), TRILOBIT_ERROR_OUT_OF_MEMORY);
    CHECK(c == NULL);
    setrlimit(RLIMIT_AS, &all);
#endif
    CHECK(dlclose(library) == 0);
#if !defined(WATCHED)
    CHECK(dlopen(path, RTLD_NOW | RTLD_NOLOAD) == NULL);
#endif
}

int main(int argc, char** argv) {
    if (argc != 2) return 2;
    for (int i = 0; i < 3; ++i) once(argv[1]);
    return finished();
}
