// SPDX-License-Identifier: MIT
// What a newcomer to the C API writes first: floats in, packed weights, product out.
#include <stdio.h>

#include <trilobit/trilobit.h>

static int failed(trilobit_status s) {
    if (s.code != TRILOBIT_OK) fprintf(stderr, "%s\n", s.text);
    return s.code != TRILOBIT_OK;
}

int main(void) {
    const float weights[] = {1, -1, 0, 1, 1, -1};  // (2, 3)
    const float x[] = {1, 2, 3};                   // (1, 3)
    float y[2];                                    // (1, 2)
    trilobit_context* context;
    trilobit_matrix* w;

    if (failed(trilobit_context_new(NULL, &context))) return 1;
    if (failed(trilobit_pack_floats(context, TRILOBIT_LAYOUT_TERNARY_2BIT, weights, 2, 3, 0, NULL,
                                    &w)))
        return 1;
    if (failed(trilobit_matmul(context, w, x, 1, 0, y, 0, NULL))) return 1;
    printf("%s: %g %g\n", trilobit_context_arch(context), (double)y[0], (double)y[1]);
    trilobit_matrix_free(w);
    trilobit_context_free(context);
    // x is rounded to 42, 85, 127 of 127/3: -43 and 0 of them.
    return !(y[0] < -1.0f && y[0] > -1.03f && y[1] == 0.0f);
}
