// SPDX-License-Identifier: MIT
// Nulls, zeros, sizes beyond all memory, ids that there are not, structs of another size: each has
// its code and a sentence, and nothing is read or written.
#include <math.h>

#include "check.h"

enum { rows = 20, cols = 64 };

static float weights[rows * cols], x[3 * cols], y[3 * rows];
static int8_t values[rows * cols];
static trilobit_context* c;
static trilobit_matrix *w, *none;

#define SHAPE TRILOBIT_ERROR_BAD_SHAPE
#define VALUE TRILOBIT_ERROR_BAD_VALUE
#define UNSUPPORTED TRILOBIT_ERROR_UNSUPPORTED

static const float* odd(const float* p) { return (const float*)(const void*)((const char*)p + 1); }

static void contexts(void) {
    trilobit_context* made = NULL;
    trilobit_context_options o = {0};
    CHECK_REFUSED(trilobit_context_new(NULL, NULL), VALUE);
    CHECK_REFUSED(trilobit_context_new(&o, &made), VALUE);  // struct_size is 0
    o.struct_size = sizeof o;
    o.threads = -1;
    CHECK_REFUSED(trilobit_context_new(&o, &made), VALUE);
    o.threads = 1025;
    CHECK_REFUSED(trilobit_context_new(&o, &made), VALUE);
    o.threads = 1;
    o.arch = "abacus";
    CHECK_REFUSED(trilobit_context_new(&o, &made), UNSUPPORTED);
    o.arch = NULL;
    o.reserved = 1;
    CHECK_REFUSED(trilobit_context_new(&o, &made), UNSUPPORTED);
    // A newer struct, with and without a wish.
    struct {
        trilobit_context_options known;
        int64_t wish;
    } newer = {{0}, 0};
    newer.known.struct_size = sizeof newer;
    CHECK_OK(trilobit_context_new(&newer.known, &made));
    trilobit_context_free(made);
    newer.wish = 1;
    CHECK_REFUSED(trilobit_context_new(&newer.known, &made), UNSUPPORTED);
    CHECK(made == NULL);
    trilobit_context_free(NULL);
    CHECK(trilobit_context_arch(NULL) == NULL);
}

static void packs(void) {
    const int32_t layout = TRILOBIT_LAYOUT_TERNARY_2BIT;
    const int64_t sizes[] = {-1, INT64_MIN, INT64_MAX, INT64_MAX / 64, (int64_t)1 << 40};
    const float one = 1;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; ++i) {
        size_t bytes = 1;
        CHECK_REFUSED(trilobit_packed_bytes(layout, sizes[i], cols, NULL, &bytes), SHAPE);
        CHECK_REFUSED(trilobit_packed_bytes(layout, rows, sizes[i], NULL, &bytes), SHAPE);
        CHECK(bytes == 0);
        CHECK_REFUSED(trilobit_pack_floats(c, layout, weights, sizes[i], cols, 0, NULL, &none),
                      SHAPE);
        CHECK_REFUSED(trilobit_pack_floats(c, layout, weights, rows, sizes[i], 0, NULL, &none),
                      SHAPE);
        CHECK_REFUSED(trilobit_pack_values(c, layout, values, sizes[i], cols, 0, &one, NULL, &none),
                      SHAPE);
        CHECK_REFUSED(
            trilobit_pack_blocks(c, layout, 35, values, sizeof values, sizes[i], 256, NULL, &none),
            SHAPE);
        CHECK_REFUSED(
            trilobit_pack_blocks(c, layout, 35, values, sizeof values, 1, sizes[i], NULL, &none),
            SHAPE);
    }
    CHECK_REFUSED(trilobit_packed_bytes(layout, rows, cols, NULL, NULL), VALUE);
    CHECK_REFUSED(trilobit_pack_floats(NULL, layout, weights, rows, cols, 0, NULL, &none), VALUE);
    CHECK_REFUSED(trilobit_pack_floats(c, layout, weights, rows, cols, 0, NULL, NULL), VALUE);
    CHECK_REFUSED(trilobit_pack_floats(c, layout, NULL, rows, cols, 0, NULL, &none), SHAPE);
    CHECK_REFUSED(trilobit_pack_floats(c, layout, weights, rows, cols, cols - 1, NULL, &none),
                  SHAPE);
    CHECK_REFUSED(trilobit_pack_floats(c, layout, odd(weights), rows, cols, 0, NULL, &none), SHAPE);
    CHECK_REFUSED(trilobit_pack_values(c, layout, values, rows, cols, 0, NULL, NULL, &none), SHAPE);
    CHECK_REFUSED(trilobit_pack_values(c, layout, values, rows, cols, 0, odd(&one), NULL, &none),
                  SHAPE);
    values[5] = 2;
    CHECK_REFUSED(trilobit_pack_values(c, layout, values, rows, cols, 0, &one, NULL, &none), VALUE);
    values[5] = 0;
    const float nan = NAN;
    CHECK_REFUSED(trilobit_pack_values(c, layout, values, rows, cols, 0, &nan, NULL, &none), VALUE);
    CHECK_REFUSED(trilobit_pack_blocks(c, layout, 35, NULL, 66, 1, 256, NULL, &none), VALUE);
    CHECK_REFUSED(trilobit_pack_blocks(c, layout, 14, values, 4096, 1, 256, NULL, &none),
                  UNSUPPORTED);
    const int32_t ids[] = {-1, 0, 255, 4096, INT32_MAX, INT32_MIN};
    for (size_t i = 0; i < sizeof ids / sizeof *ids; ++i) {
        CHECK_REFUSED(trilobit_pack_floats(c, ids[i], weights, rows, cols, 0, NULL, &none),
                      UNSUPPORTED);
        CHECK_REFUSED(trilobit_pack_blocks(c, ids[i], 35, values, 66, 1, 256, NULL, &none),
                      UNSUPPORTED);
        CHECK_REFUSED(trilobit_pack_blocks(c, layout, ids[i], values, 66, 1, 256, NULL, &none),
                      UNSUPPORTED);
    }
    trilobit_pack_options o = {0};
    o.struct_size = sizeof o;
    o.scale_per = 3;
    CHECK_REFUSED(trilobit_pack_floats(c, layout, weights, rows, cols, 0, &o, &none), UNSUPPORTED);
    o.scale_per = TRILOBIT_SCALE_PER_GROUP;
    o.group_cols = 48;
    CHECK_REFUSED(trilobit_pack_floats(c, layout, weights, rows, cols, 0, &o, &none), SHAPE);
    o.scale_per = TRILOBIT_SCALE_PER_ROW;
    o.group_cols = 0;
    CHECK_REFUSED(trilobit_pack_blocks(c, layout, 35, values, 66, 1, 256, &o, &none), UNSUPPORTED);
    o.scale_per = 0;
    o.scale_type = -1;
    CHECK_REFUSED(trilobit_pack_floats(c, layout, weights, rows, cols, 0, &o, &none), UNSUPPORTED);
    o.scale_type = 0;
    o.one_scale = 2;
    CHECK_REFUSED(trilobit_pack_floats(c, layout, weights, rows, cols, 0, &o, &none), VALUE);
    o.one_scale = 0;
    o.memory_bytes = 64;
    CHECK_REFUSED(trilobit_pack_floats(c, layout, weights, rows, cols, 0, &o, &none), VALUE);
    // A matrix of nothing is a matrix.
    CHECK_OK(trilobit_pack_floats(c, layout, NULL, 0, cols, 0, NULL, &none));
    CHECK_OK(trilobit_matmul(c, none, x, 3, 0, NULL, 0, NULL));
    trilobit_matrix_free(none);
    CHECK_OK(trilobit_pack_floats(c, layout, NULL, rows, 0, 0, NULL, &none));
    y[0] = 1;
    CHECK_OK(trilobit_matmul(c, none, NULL, 3, 0, y, 0, NULL));
    CHECK(y[0] == 0);
    trilobit_matrix_free(none);
    none = NULL;
}

static void images(void) {
    CHECK_REFUSED(trilobit_view(NULL, 100, 0, &none), VALUE);
    CHECK_REFUSED(trilobit_view(weights, sizeof weights, 2, &none), UNSUPPORTED);
    CHECK_REFUSED(trilobit_view(weights, SIZE_MAX, 0, &none), SHAPE);
    CHECK_REFUSED(trilobit_view(weights, 0, 0, &none), TRILOBIT_ERROR_BAD_FORMAT);
    CHECK_REFUSED(trilobit_map(NULL, 0, &none), VALUE);
    CHECK_REFUSED(trilobit_map("x", -1, &none), UNSUPPORTED);
    CHECK_REFUSED(trilobit_save(NULL, "x"), VALUE);
    CHECK_REFUSED(trilobit_save(w, NULL), VALUE);
    trilobit_matrix_info info = {0};
    CHECK_REFUSED(trilobit_matrix_get_info(w, &info), VALUE);
    CHECK_REFUSED(trilobit_matrix_get_info(w, NULL), VALUE);
    CHECK_REFUSED(trilobit_matrix_get_info(NULL, &info), VALUE);
    trilobit_matrix_free(NULL);
}

static void products(void) {
    CHECK_REFUSED(trilobit_matmul(NULL, w, x, 1, 0, y, 0, NULL), VALUE);
    CHECK_REFUSED(trilobit_matmul(c, NULL, x, 1, 0, y, 0, NULL), VALUE);
    CHECK_REFUSED(trilobit_matmul(c, w, NULL, 1, 0, y, 0, NULL), SHAPE);
    CHECK_REFUSED(trilobit_matmul(c, w, x, 1, 0, NULL, 0, NULL), SHAPE);
    CHECK_REFUSED(trilobit_matmul(c, w, odd(x), 1, 0, y, 0, NULL), SHAPE);
    CHECK_REFUSED(trilobit_matmul(c, w, x, -1, 0, y, 0, NULL), SHAPE);
    CHECK_REFUSED(trilobit_matmul(c, w, x, INT64_MAX, 0, y, 0, NULL), SHAPE);
    CHECK_REFUSED(trilobit_matmul(c, w, x, INT64_MAX / cols, 0, y, 0, NULL), SHAPE);
    CHECK_REFUSED(trilobit_matmul(c, w, x, 2, cols - 1, y, 0, NULL), SHAPE);
    CHECK_REFUSED(trilobit_matmul(c, w, x, 2, -1, y, 0, NULL), SHAPE);
    CHECK_REFUSED(trilobit_matmul(c, w, x, 2, 0, y, 1, NULL), SHAPE);
    CHECK_OK(trilobit_matmul(c, w, NULL, 0, 0, NULL, 0, NULL));
    trilobit_matmul_options o = {0};
    o.struct_size = sizeof o;
    o.activation = 4;
    CHECK_REFUSED(trilobit_matmul(c, w, x, 1, 0, y, 0, &o), UNSUPPORTED);
    o.activation = 0;
    o.activation_group = 33;
    CHECK_REFUSED(trilobit_matmul(c, w, x, 1, 0, y, 0, &o), SHAPE);
    o.activation_group = 0;
    o.kernel = -1;
    CHECK_REFUSED(trilobit_matmul(c, w, x, 1, 0, y, 0, &o), UNSUPPORTED);
    o.kernel = TRILOBIT_KERNEL_POPCOUNT;  // which this layout has not
    CHECK_REFUSED(trilobit_matmul(c, w, x, 1, 0, y, 0, &o), UNSUPPORTED);
}

static void plans(void) {
    trilobit_plan* p = NULL;
    trilobit_product q = {0};
    CHECK_REFUSED(trilobit_plan_new(c, &q, 1, 1, 1, NULL, &p), VALUE);  // struct_size
    q.struct_size = sizeof q;
    CHECK_REFUSED(trilobit_plan_new(c, &q, 1, 1, 1, NULL, &p), VALUE);  // matrix
    q.matrix = w;
    CHECK_REFUSED(trilobit_plan_new(c, &q, 1, 1, 1, NULL, &p), SHAPE);  // y
    q.y = y;
    CHECK_REFUSED(trilobit_plan_new(NULL, &q, 1, 1, 1, NULL, &p), VALUE);
    CHECK_REFUSED(trilobit_plan_new(c, NULL, 1, 1, 1, NULL, &p), VALUE);
    CHECK_REFUSED(trilobit_plan_new(c, &q, 0, 1, 1, NULL, &p), SHAPE);
    CHECK_REFUSED(trilobit_plan_new(c, &q, -1, 1, 1, NULL, &p), SHAPE);
    CHECK_REFUSED(trilobit_plan_new(c, &q, INT32_MAX, 1, 1, NULL, &p), SHAPE);
    CHECK_REFUSED(trilobit_plan_new(c, &q, 1, -1, 1, NULL, &p), SHAPE);
    CHECK_REFUSED(trilobit_plan_new(c, &q, 1, INT64_MAX, 1, NULL, &p), SHAPE);
    CHECK_REFUSED(trilobit_plan_new(c, &q, 1, 3, 0, NULL, &p), VALUE);
    CHECK_REFUSED(trilobit_plan_new(c, &q, 1, 3, 1, NULL, NULL), VALUE);
    q.output = 4;
    CHECK_REFUSED(trilobit_plan_new(c, &q, 1, 3, 1, NULL, &p), UNSUPPORTED);
    q.output = 0;
    q.token_end = 2;
    CHECK_REFUSED(trilobit_plan_new(c, &q, 1, 3, 1, NULL, &p), VALUE);
    q.some_tokens = 1, q.token_end = 4;
    CHECK_REFUSED(trilobit_plan_new(c, &q, 1, 3, 1, NULL, &p), SHAPE);
    q.some_tokens = 0, q.token_end = 0;
    CHECK(p == NULL);
    CHECK(trilobit_plan_bytes(NULL) == 0 && trilobit_plan_tasks(NULL) == 0);
    CHECK(trilobit_plan_grain(NULL) == 0);

    CHECK_OK(trilobit_plan_new(c, &q, 1, 3, 2, NULL, &p));
    const size_t bytes = trilobit_plan_bytes(p);
    const int64_t tasks = trilobit_plan_tasks(p);
    void* owner = NULL;
    char* memory = (char*)aligned_room(bytes, &owner);
    CHECK_REFUSED(trilobit_plan_quantise(NULL, x, 3, 0, NULL, 0, 3, memory, bytes), VALUE);
    CHECK_REFUSED(trilobit_plan_quantise(p, x, 3, 0, NULL, 0, 3, NULL, bytes), VALUE);
    CHECK_REFUSED(trilobit_plan_quantise(p, x, 3, 0, NULL, 0, 3, memory, bytes - 1), SHAPE);
    CHECK_REFUSED(trilobit_plan_quantise(p, x, 3, 0, NULL, 0, 3, memory + 8, bytes), VALUE);
    CHECK_REFUSED(trilobit_plan_quantise(p, x, 4, 0, NULL, 0, 3, memory, bytes), SHAPE);
    CHECK_REFUSED(trilobit_plan_quantise(p, x, 3, 0, NULL, 0, 4, memory, bytes), SHAPE);
    CHECK_REFUSED(trilobit_plan_quantise(p, x, 3, 0, NULL, 2, 1, memory, bytes), SHAPE);
    CHECK_REFUSED(trilobit_plan_quantise(p, x, 3, 0, NULL, -1, 1, memory, bytes), SHAPE);
    CHECK_REFUSED(trilobit_plan_take(p, values, 0, NULL, 0, 3, NULL, 0, 3, memory, bytes), SHAPE);
    CHECK_REFUSED(trilobit_plan_take(p, values, 0, x, 0, 3, NULL, 0, 3, NULL, bytes), VALUE);
    CHECK_OK(trilobit_plan_quantise(p, x, 3, 0, NULL, 0, 3, memory, bytes));
    CHECK_REFUSED(trilobit_plan_run(NULL, 0, 1, 0, memory, bytes), VALUE);
    CHECK_REFUSED(trilobit_plan_run(p, 0, tasks + 1, 0, memory, bytes), SHAPE);
    CHECK_REFUSED(trilobit_plan_run(p, 1, 0, 0, memory, bytes), SHAPE);
    CHECK_REFUSED(trilobit_plan_run(p, 0, tasks, 2, memory, bytes), VALUE);
    CHECK_REFUSED(trilobit_plan_run(p, 0, tasks, -1, memory, bytes), VALUE);
    CHECK_REFUSED(trilobit_plan_run(p, 0, tasks, 0, memory, 64), SHAPE);
    CHECK_OK(trilobit_plan_run(p, 0, tasks, 1, memory, bytes));
    free(owner);
    trilobit_plan_free(p);
    trilobit_plan_free(NULL);
}

int main(void) {
    for (int i = 0; i < rows * cols; ++i) weights[i] = random_unit();
    for (int i = 0; i < 3 * cols; ++i) x[i] = random_unit();
    c = new_context(2);
    contexts();
    packs();
    CHECK_OK(
        trilobit_pack_floats(c, TRILOBIT_LAYOUT_TERNARY_2BIT, weights, rows, cols, 0, NULL, &w));
    images();
    products();
    plans();
    CHECK(none == NULL);
    trilobit_matrix_free(w);
    trilobit_context_free(c);
    return finished();
}
