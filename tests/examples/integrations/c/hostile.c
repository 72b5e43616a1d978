// SPDX-License-Identifier: MIT
// Images that were truncated, changed by one bit, or written by an enemy: refused with a sentence,
// or computed inside of their bytes. Run under AddressSanitizer, which sees every byte beyond.
#define _POSIX_C_SOURCE 200112L
#include "check.h"

/// A copy that ends where its bytes end, so that a read beyond is seen.
static void* exact_copy(const void* image, size_t bytes, void** owner) {
    void* at = NULL;
    // An image is a multiple of 64 long, a truncated one is not: aligned memory of its very size.
    if (posix_memalign(&at, 64, bytes == 0 ? 1 : bytes) != 0) abort();
    memcpy(at, image, bytes);
    *owner = at;
    return at;
}

static int tried = 0, computed = 0;

static int try_image(trilobit_context* c, const void* image, size_t bytes, int32_t verify) {
    void* owner = NULL;
    trilobit_matrix* w = NULL;
    ++tried;
    const trilobit_status s = trilobit_view(exact_copy(image, bytes, &owner), bytes, verify, &w);
    if (s.code == TRILOBIT_OK) {
        trilobit_matrix_info info = {0};
        info.struct_size = sizeof info;
        CHECK_OK(trilobit_matrix_get_info(w, &info));
        CHECK(info.image_bytes <= bytes);
        if (info.rows < 1 << 16 && info.rows * info.cols < 1 << 20) {
            float *x = random_floats(2 * info.cols), *y = random_floats(2 * info.rows);
            computed += trilobit_matmul(c, w, x, 2, 0, y, 0, NULL).code == TRILOBIT_OK;
            free(x), free(y);
        }
    } else {
        CHECK(w == NULL && s.text != NULL && strlen(s.text) > 12);
    }
    trilobit_matrix_free(w);
    free(owner);
    return s.code == TRILOBIT_OK;
}

/// The header's own checksum, over its first 56 bytes, as docs/format.md has it.
static void seal(unsigned char* image) {
    const uint64_t prime = 0x100000001b3u;
    uint64_t hash = 56;
    for (uint64_t lane = 0; lane < 8; ++lane) {
        uint64_t value = 0xcbf29ce484222325u + lane, word = 0;
        for (uint64_t i = 0; lane < 7 && i < 8; ++i) word |= (uint64_t)image[8 * lane + i] << 8 * i;
        if (lane < 7) value = (value ^ word) * prime;
        hash = ((hash << 29 | hash >> 35) ^ value) * prime;
    }
    hash ^= hash >> 32;
    for (int i = 0; i < 8; ++i) image[56 + i] = (unsigned char)(hash >> 8 * i);
}

/// Headers of an enemy, whose checksums are right: any field, small numbers and large.
static void forged_headers(trilobit_context* c, const unsigned char* sound, size_t bytes) {
    unsigned char* image = (unsigned char*)room(bytes);
    memcpy(image, sound, bytes);
    seal(image);
    CHECK(memcmp(image, sound, bytes) == 0);
    int believed = 0;
    for (int round = 0; round < 4000; ++round) {
        memcpy(image, sound, bytes);
        for (uint32_t n = random_bits() % 3 + 1; n > 0; --n) {
            const uint32_t at = 8 + random_bits() % 40;
            image[at] = (unsigned char)(random_bits() % 4 == 0 ? random_bits() % 8 : random_bits());
        }
        seal(image);
        believed += try_image(c, image, bytes, round % 2);
    }
    CHECK(believed > 0);
    free(image);
}

static void one_layout(trilobit_context* c, int32_t layout) {
    enum { rows = 19, cols = 300 };
    float* weights = random_floats(rows * cols);
    trilobit_pack_options o = {0};
    o.struct_size = sizeof o;
    o.scale_per = TRILOBIT_SCALE_PER_GROUP;
    o.group_cols = 128;
    trilobit_matrix* w = NULL;
    CHECK_OK(trilobit_pack_floats(c, layout, weights, rows, cols, 0, &o, &w));
    trilobit_matrix_info info = {0};
    info.struct_size = sizeof info;
    CHECK_OK(trilobit_matrix_get_info(w, &info));
    unsigned char* image = (unsigned char*)room(info.image_bytes);
    memcpy(image, info.image, info.image_bytes);
    trilobit_matrix_free(w);

    CHECK(try_image(c, image, info.image_bytes, TRILOBIT_VERIFY_EVERYTHING));
    for (size_t n = 0; n < info.image_bytes; n += n < 130 ? 1 : 61)
        for (int32_t verify = 0; verify < 2; ++verify) CHECK(!try_image(c, image, n, verify));
    // One bit: a header says so itself, a payload where all is read.
    for (size_t bit = 0; bit < 8 * info.image_bytes;
         bit += bit < 512 ? 1 : 1 + random_bits() % 200) {
        image[bit / 8] ^= (unsigned char)(1u << (bit % 8));
        CHECK(!try_image(c, image, info.image_bytes, TRILOBIT_VERIFY_EVERYTHING));
        const int believed = try_image(c, image, info.image_bytes, TRILOBIT_VERIFY_HEADER);
        CHECK(!(believed && bit < 512));
        image[bit / 8] ^= (unsigned char)(1u << (bit % 8));
    }
    forged_headers(c, image, info.image_bytes);
    // Any payload behind a sound header.
    for (int round = 0; round < 20; ++round) {
        for (size_t i = 64; i < info.image_bytes; ++i) image[i] = (unsigned char)random_bits();
        CHECK(!try_image(c, image, info.image_bytes, TRILOBIT_VERIFY_EVERYTHING));
        (void)try_image(c, image, info.image_bytes, TRILOBIT_VERIFY_HEADER);
    }
    // Noise.
    for (int round = 0; round < 50; ++round) {
        for (size_t i = round % 2 ? 8 : 0; i < info.image_bytes; ++i)
            image[i] = (unsigned char)random_bits();
        CHECK(!try_image(c, image, info.image_bytes, round % 4 < 2));
    }
    free(image), free(weights);
}

int main(void) {
    trilobit_context* c = new_context(0);
    for (int32_t layout = 0; layout < 256; ++layout)
        if (trilobit_layout_name(layout) != NULL) one_layout(c, layout);
    trilobit_context_free(c);
    printf("%d images, %d computed\n", tried, computed);
    CHECK(tried > 4 * 1000 && computed > 4 * 100);
    return finished();
}
