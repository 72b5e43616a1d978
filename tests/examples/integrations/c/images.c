// SPDX-License-Identifier: MIT
// Packed images in the caller's memory, in files and maps: the same bytes everywhere.
#include "check.h"

enum { rows = 40, cols = 130 };

static double done = 0;
static int calls = 0;
static void progress(void* of, double share) {
    CHECK(of == &calls && share >= done && share <= 1);
    done = share;
    ++calls;
}

static void product(trilobit_context* c, const trilobit_matrix* w, const float* x, float* y) {
    CHECK_OK(trilobit_matmul(c, w, x, 1, 0, y, 0, NULL));
}

int main(void) {
    trilobit_context* c = new_context(2);
    float *weights = random_floats(rows * cols), *x = random_floats(cols);
    float y[rows], again[rows];
    trilobit_pack_options o = {0};
    o.struct_size = sizeof o;
    o.scale_per = TRILOBIT_SCALE_PER_GROUP;
    o.group_cols = 64;
    o.scale_type = TRILOBIT_SCALE_TYPE_F16;
    o.progress = progress;
    o.progress_context = &calls;

    trilobit_matrix *own = NULL, *lent = NULL, *viewed = NULL, *mapped = NULL;
    CHECK_OK(
        trilobit_pack_floats(c, TRILOBIT_LAYOUT_TERNARY_BASE3, weights, rows, cols, 0, &o, &own));
    CHECK(calls > 0 && done == 1);
    trilobit_matrix_info info = {0};
    info.struct_size = sizeof info;
    CHECK_OK(trilobit_matrix_get_info(own, &info));
    CHECK(info.rows == rows && info.cols == cols && info.layout == TRILOBIT_LAYOUT_TERNARY_BASE3);
    CHECK(info.scale_per == TRILOBIT_SCALE_PER_GROUP && info.group_cols == 64);
    CHECK(info.scale_type == TRILOBIT_SCALE_TYPE_F16);
    size_t bytes = 0;
    CHECK_OK(trilobit_packed_bytes(TRILOBIT_LAYOUT_TERNARY_BASE3, rows, cols, &o, &bytes));
    CHECK(bytes == info.image_bytes && bytes % 64 == 0 && memcmp(info.image, "TRILOBIT", 8) == 0);
    product(c, own, x, y);

    // The caller's memory.
    done = 0;
    void* owner = NULL;
    o.memory = aligned_room(bytes, &owner);
    o.memory_bytes = bytes;
    CHECK_OK(
        trilobit_pack_floats(c, TRILOBIT_LAYOUT_TERNARY_BASE3, weights, rows, cols, 0, &o, &lent));
    CHECK(memcmp(o.memory, info.image, bytes) == 0);
    product(c, lent, x, again);
    CHECK(memcmp(y, again, sizeof y) == 0);
    CHECK_OK(trilobit_view(o.memory, bytes, TRILOBIT_VERIFY_EVERYTHING, &viewed));
    product(c, viewed, x, again);
    CHECK(memcmp(y, again, sizeof y) == 0);

    // A file of each: owned, viewed, mapped.
    char path[] = "c_api_images_XXXXXX.trilobit";
    snprintf(path + 13, sizeof path - 13, "%06u.trilobit", (unsigned)(uintptr_t)owner % 1000000u);
    CHECK_OK(trilobit_save(own, path));
    CHECK_OK(trilobit_map(path, TRILOBIT_VERIFY_HEADER, &mapped));
    product(c, mapped, x, again);
    CHECK(memcmp(y, again, sizeof y) == 0);
    CHECK_OK(trilobit_save(mapped, path));  // over the file that is mapped, which stays readable
    CHECK_OK(trilobit_save(viewed, path));
    product(c, mapped, x, again);
    CHECK(memcmp(y, again, sizeof y) == 0);
    trilobit_matrix_free(mapped);
    CHECK_OK(trilobit_map(path, TRILOBIT_VERIFY_EVERYTHING, &mapped));
    CHECK_OK(trilobit_matrix_get_info(mapped, &info));
    CHECK(info.image_bytes == bytes && memcmp(info.image, o.memory, bytes) == 0);
    remove(path);

    trilobit_matrix_free(viewed);
    CHECK_REFUSED(trilobit_map(path, 0, &viewed), TRILOBIT_ERROR_BAD_FORMAT);
    CHECK_REFUSED(trilobit_map(".", 0, &viewed), TRILOBIT_ERROR_BAD_FORMAT);
    CHECK_REFUSED(trilobit_map("/dev/null", 0, &viewed), TRILOBIT_ERROR_BAD_FORMAT);
    CHECK(viewed == NULL);
    CHECK_REFUSED(trilobit_save(own, "no such folder/file"), TRILOBIT_ERROR_BAD_FORMAT);
    o.memory_bytes = bytes - 1;
    CHECK_REFUSED(
        trilobit_pack_floats(c, TRILOBIT_LAYOUT_TERNARY_BASE3, weights, rows, cols, 0, &o, &viewed),
        TRILOBIT_ERROR_BAD_SHAPE);
    o.memory = (char*)o.memory + 32;
    CHECK_REFUSED(
        trilobit_pack_floats(c, TRILOBIT_LAYOUT_TERNARY_BASE3, weights, 1, 1, 0, &o, &viewed),
        TRILOBIT_ERROR_BAD_SHAPE);

    trilobit_matrix_free(own), trilobit_matrix_free(lent), trilobit_matrix_free(mapped);
    free(owner), free(weights), free(x);
    trilobit_context_free(c);
    return finished();
}
