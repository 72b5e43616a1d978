// SPDX-License-Identifier: MIT
// The product that does everything in one call, against loops: floats equal bit for bit.
#include <math.h>

#include "check.h"

enum { rows = 70, cols = 200, tokens = 3 };

/// The definition: int8 activations with a scale for each token, weights with one for each row.
static void plain(const int8_t* w, const float* scales, const float* x, float* y) {
    for (int t = 0; t < tokens; ++t) {
        float largest = 1e-5f;
        for (int k = 0; k < cols; ++k)
            if (fabsf(x[t * cols + k]) > largest) largest = fabsf(x[t * cols + k]);
        const float factor = 127.0f / largest;
        for (int r = 0; r < rows; ++r) {
            int32_t sum = 0;
            for (int k = 0; k < cols; ++k)
                sum += w[r * cols + k] * (int32_t)nearbyintf(x[t * cols + k] * factor);
            y[t * rows + r] = 0.0f + (float)sum * (scales[r] * (1.0f / factor));  // never -0
        }
    }
}

static void one_layout(int32_t layout, int32_t threads) {
    trilobit_context* c = new_context(threads);
    int8_t* values = random_values(rows * cols, layout);
    float *x = random_floats(tokens * cols), *scales = random_floats(rows);
    float *wanted = random_floats(tokens * rows), *y = random_floats(tokens * rows);
    plain(values, scales, x, wanted);

    trilobit_pack_options o = {0};
    o.struct_size = sizeof o;
    o.scale_per = TRILOBIT_SCALE_PER_ROW;
    trilobit_matrix* w = NULL;
    CHECK_OK(trilobit_pack_values(c, layout, values, rows, cols, 0, scales, &o, &w));
    CHECK_OK(trilobit_matmul(c, w, x, tokens, 0, y, 0, NULL));
    CHECK(memcmp(y, wanted, sizeof *y * tokens * rows) == 0);

    // Each kernel that there is has the same bits; with strides too.
    float *wide_x = random_floats(tokens * (cols + 7)),
          *wide_y = random_floats(tokens * (rows + 5));
    for (int t = 0; t < tokens; ++t)
        memcpy(wide_x + t * (cols + 7), x + t * cols, cols * sizeof *x);
    trilobit_matmul_options m = {0};
    m.struct_size = sizeof m;
    for (int32_t kernel = 0; trilobit_kernel_name(kernel) != NULL; ++kernel) {
        m.kernel = kernel;
        const trilobit_status s =
            trilobit_matmul(c, w, wide_x, tokens, cols + 7, wide_y, rows + 5, &m);
        if (s.code == TRILOBIT_ERROR_UNSUPPORTED) continue;
        CHECK_OK(s);
        for (int t = 0; t < tokens; ++t)
            CHECK(memcmp(wide_y + t * (rows + 5), wanted + t * rows, rows * sizeof *y) == 0);
    }
    trilobit_matrix_free(w);

    // Floats that are such values already are packed to the same.
    float* floats = random_floats(rows * cols);
    for (int i = 0; i < rows * cols; ++i) floats[i] = 0.25f * (float)values[i];
    for (int r = 0; r < rows; ++r) scales[r] = 0.25f;
    plain(values, scales, x, wanted);
    o.scale_per = TRILOBIT_SCALE_PER_TENSOR;
    CHECK_OK(trilobit_pack_floats(c, layout, floats, rows, cols, 0, &o, &w));
    CHECK_OK(trilobit_matmul(c, w, x, tokens, 0, y, 0, NULL));
    CHECK(memcmp(y, wanted, sizeof *y * tokens * rows) == 0);

    // A number that is none leaves y as it was.
    memset(y, 0x55, sizeof *y * tokens * rows);
    x[cols + 1] = NAN;
    CHECK_REFUSED(trilobit_matmul(c, w, x, tokens, 0, y, 0, NULL), TRILOBIT_ERROR_BAD_VALUE);
    for (int i = 0; i < tokens * rows; ++i) CHECK(memcmp(&y[i], "UUUU", 4) == 0);
    trilobit_matrix_free(w);
    floats[17] = INFINITY;
    CHECK_REFUSED(trilobit_pack_floats(c, layout, floats, rows, cols, 0, &o, &w),
                  TRILOBIT_ERROR_BAD_VALUE);
    CHECK(w == NULL);

    free(values), free(x), free(scales), free(wanted), free(y), free(wide_x), free(wide_y);
    free(floats);
    trilobit_context_free(c);
}

static void names(void) {
    CHECK(trilobit_abi_version() == TRILOBIT_C_ABI);
    CHECK(strchr(trilobit_version(), '.') != NULL);
    CHECK(strcmp(trilobit_layout_name(TRILOBIT_LAYOUT_TERNARY_BASE3), "ternary_base3") == 0);
    CHECK(strcmp(trilobit_activation_name(TRILOBIT_ACTIVATION_SIGN), "sign") == 0);
    CHECK(strcmp(trilobit_kernel_name(TRILOBIT_KERNEL_DOT), "dot") == 0);
    CHECK(strcmp(trilobit_arch_name(0), "generic") == 0);
    const int32_t none[] = {-1, -257, 256, 1000, 4096, INT32_MAX, INT32_MIN};
    for (size_t i = 0; i < sizeof none / sizeof *none; ++i) {
        CHECK(trilobit_layout_name(none[i]) == NULL);
        CHECK(trilobit_activation_name(none[i]) == NULL);
        CHECK(trilobit_kernel_name(none[i]) == NULL);
        CHECK(trilobit_arch_name(none[i]) == NULL);
    }
    // Each back end by its name.
    for (int32_t i = 0; trilobit_arch_name(i) != NULL; ++i) {
        trilobit_context* c = NULL;
        trilobit_context_options o = {0};
        o.struct_size = sizeof o;
        o.arch = trilobit_arch_name(i);
        CHECK_OK(trilobit_context_new(&o, &c));
        CHECK(strcmp(trilobit_context_arch(c), o.arch) == 0);
        trilobit_context_free(c);
    }
}

int main(void) {
    names();
    int layouts = 0;
    for (int32_t layout = 0; layout < 256; ++layout) {
        if (trilobit_layout_name(layout) == NULL) continue;
        ++layouts;
        one_layout(layout, 0);
        one_layout(layout, 3);
    }
    CHECK(layouts == 8);
    return finished();
}
