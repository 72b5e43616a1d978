// SPDX-License-Identifier: MIT
// Plans on the caller's own threads and memory, and all that a plan can have beside float outputs,
// against trilobit_matmul and against integers.
#include <pthread.h>

#include "check.h"

enum { cols = 320, tokens = 7, most_threads = 3 };

struct team {
    const trilobit_plan* plan;
    const float* x;
    void* memory;
    size_t bytes;
    int threads;
};
struct member {
    const struct team* team;
    int number, step;
};

static void* work(void* of) {
    const struct member* m = (const struct member*)of;
    const struct team* t = m->team;
    const int64_t all = m->step == 0 ? tokens : trilobit_plan_tasks(t->plan);
    const int64_t first = all * m->number / t->threads, last = all * (m->number + 1) / t->threads;
    if (m->step == 0)
        CHECK_OK(trilobit_plan_quantise(t->plan, t->x, tokens, 0, NULL, first, last, t->memory,
                                        t->bytes));
    else
        CHECK_OK(trilobit_plan_run(t->plan, first, last, m->number, t->memory, t->bytes));
    return NULL;
}

/// By so many threads, which are joined between the two steps.
static void run(const trilobit_plan* plan, const float* x, int threads) {
    void* owner = NULL;
    struct team t = {plan, x, NULL, trilobit_plan_bytes(plan), threads};
    t.memory = aligned_room(t.bytes, &owner);
    for (int step = 0; step < 2; ++step) {
        pthread_t others[most_threads];
        struct member members[most_threads];
        for (int i = 0; i < threads; ++i) {
            members[i].team = &t, members[i].number = i, members[i].step = step;
            if (pthread_create(&others[i], NULL, work, &members[i]) != 0) abort();
        }
        for (int i = 0; i < threads; ++i) pthread_join(others[i], NULL);
    }
    free(owner);
}

static trilobit_product product_of(const trilobit_matrix* w, void* y) {
    trilobit_product p = {0};
    p.struct_size = sizeof p;
    p.matrix = w;
    p.y = y;
    return p;
}

static uint16_t to_bf16(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return (uint16_t)((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}

struct collected {
    float* y;
    int64_t rows;
};
static void collect(void* of, const float* sums, int64_t token, int64_t row, int32_t count) {
    const struct collected* to = (const struct collected*)of;
    memcpy(to->y + token * to->rows + row, sums, sizeof *sums * (size_t)count);
}

/// Three matrices of one plan, in three kinds of outputs.
static void shared(int32_t layout, int32_t activation, int threads) {
    trilobit_context* c = new_context(0);
    const int64_t rows[3] = {96, 33, 17};
    float *x = random_floats(tokens * cols), *wanted[3], *y[2];
    uint16_t* brains = (uint16_t*)room(sizeof *brains * tokens * 17);
    trilobit_matrix* w[3] = {NULL, NULL, NULL};
    trilobit_matmul_options m = {0};
    m.struct_size = sizeof m;
    m.activation = activation;
    for (int i = 0; i < 3; ++i) {
        float* weights = random_floats(rows[i] * cols);
        wanted[i] = random_floats(tokens * rows[i]);
        CHECK_OK(trilobit_pack_floats(c, layout, weights, rows[i], cols, 0, NULL, &w[i]));
        CHECK_OK(trilobit_matmul(c, w[i], x, tokens, 0, wanted[i], 0, &m));
        if (i < 2) y[i] = random_floats(tokens * rows[i]);
        free(weights);
    }
    struct collected second = {y[1], 33};
    trilobit_product products[3];
    products[0] = product_of(w[0], y[0]);
    products[1] = product_of(w[1], NULL);
    products[1].write = collect;
    products[1].write_context = &second;
    products[2] = product_of(w[2], brains);
    products[2].output = TRILOBIT_OUTPUT_BF16;
    trilobit_plan* plan = NULL;
    CHECK_OK(trilobit_plan_new(c, products, 3, tokens, threads, &m, &plan));
    trilobit_context_free(c);  // which a plan need not have any more
    CHECK(trilobit_plan_tasks(plan) > 0 && trilobit_plan_grain(plan) > 0);
    run(plan, x, threads);
    for (int i = 0; i < 2; ++i)
        CHECK(memcmp(y[i], wanted[i], sizeof(float) * tokens * (size_t)rows[i]) == 0);
    for (int i = 0; i < tokens * 17; ++i) CHECK(brains[i] == to_bf16(wanted[2][i]));
    trilobit_plan_free(plan);
    for (int i = 0; i < 3; ++i) trilobit_matrix_free(w[i]), free(wanted[i]);
    free(y[0]), free(y[1]), free(brains), free(x);
}

/// Integers in, integers out; tokens are chosen rows, and one product has some of them alone.
static void exact(int32_t layout) {
    enum { rows = 50, x_rows = 9 };
    trilobit_context* c = new_context(0);
    int8_t* values = random_values(rows * cols, layout);
    int8_t* x = (int8_t*)room(x_rows * cols);
    for (int i = 0; i < x_rows * cols; ++i) x[i] = (int8_t)((int)(random_bits() % 256) - 128);
    float* scales = random_floats(x_rows);
    const float one = 0.5f;
    const int64_t chosen[tokens] = {8, 0, 3, 3, 5, 1, 7};
    int32_t sums[tokens * rows], some[tokens * rows];
    memset(some, 0x11, sizeof some);
    trilobit_matrix* w = NULL;
    CHECK_OK(trilobit_pack_values(c, layout, values, rows, cols, 0, &one, NULL, &w));
    trilobit_product products[2] = {product_of(w, sums), product_of(w, some)};
    products[0].output = products[1].output = TRILOBIT_OUTPUT_SUMS;
    products[1].some_tokens = 1;
    products[1].token_begin = 2, products[1].token_end = 4;
    trilobit_plan* plan = NULL;
    CHECK_OK(trilobit_plan_new(c, products, 2, tokens, 1, NULL, &plan));
    void* owner = NULL;
    const size_t bytes = trilobit_plan_bytes(plan);
    void* memory = aligned_room(bytes, &owner);
    CHECK_OK(trilobit_plan_take(plan, x, 0, scales, 0, x_rows, chosen, 0, tokens, memory, bytes));
    CHECK_OK(trilobit_plan_run(plan, 0, trilobit_plan_tasks(plan), 0, memory, bytes));
    for (int t = 0; t < tokens; ++t)
        for (int r = 0; r < rows; ++r) {
            int32_t sum = 0;
            for (int k = 0; k < cols; ++k) sum += values[r * cols + k] * x[chosen[t] * cols + k];
            CHECK(sums[t * rows + r] == sum);
            CHECK(some[t * rows + r] == (t == 2 || t == 3 ? sum : 0x11111111));
        }
    const int64_t wrong[tokens] = {0, 0, 0, 9, 0, 0, 0};
    CHECK_REFUSED(
        trilobit_plan_take(plan, x, 0, scales, 0, x_rows, wrong, 0, tokens, memory, bytes),
        TRILOBIT_ERROR_BAD_VALUE);
    free(owner), free(values), free(x), free(scales);
    trilobit_plan_free(plan);
    trilobit_matrix_free(w);
    trilobit_context_free(c);
}

/// Several threads with one context: each has its own result.
struct caller {
    trilobit_context* context;
    const trilobit_matrix* w;
    float *x, *wanted;
};
static void* call(void* of) {
    const struct caller* me = (const struct caller*)of;
    float y[64];
    for (int i = 0; i < 200; ++i) {
        CHECK_OK(trilobit_matmul(me->context, me->w, me->x, 1, 0, y, 0, NULL));
        CHECK(memcmp(y, me->wanted, sizeof y) == 0);
    }
    return NULL;
}
static void one_context_for_all(void) {
    trilobit_context* c = new_context(2);
    trilobit_matrix* w = NULL;
    float* weights = random_floats(64 * cols);
    CHECK_OK(trilobit_pack_floats(c, TRILOBIT_LAYOUT_TERNARY_2BIT, weights, 64, cols, 0, NULL, &w));
    struct caller callers[3];
    pthread_t threads[3];
    for (int i = 0; i < 3; ++i) {
        callers[i].context = c, callers[i].w = w;
        callers[i].x = random_floats(cols), callers[i].wanted = random_floats(64);
        CHECK_OK(trilobit_matmul(c, w, callers[i].x, 1, 0, callers[i].wanted, 0, NULL));
    }
    for (int i = 0; i < 3; ++i)
        if (pthread_create(&threads[i], NULL, call, &callers[i]) != 0) abort();
    for (int i = 0; i < 3; ++i) {
        pthread_join(threads[i], NULL);
        free(callers[i].x), free(callers[i].wanted);
    }
    free(weights);
    trilobit_matrix_free(w);
    trilobit_context_free(c);
}

int main(void) {
    for (int32_t layout = 0; layout < 256; ++layout) {
        if (trilobit_layout_name(layout) == NULL) continue;
        for (int32_t a = 0; trilobit_activation_name(a) != NULL; ++a)
            for (int threads = 1; threads <= most_threads; threads += 2) shared(layout, a, threads);
        exact(layout);
    }
    one_context_for_all();
    return finished();
}
