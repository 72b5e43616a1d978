// SPDX-License-Identifier: MIT
// Blocks of ggml's, encoded here by the words of the formats, against the same values packed as
// values: the images are equal byte for byte.
#include "check.h"

enum { rows = 5, cols = 512 };

/// Bits of halves: 1, 0.5, -2.
static const uint16_t halves[] = {0x3c00, 0x3800, 0xc000};
static const float scale_values[] = {1.0f, 0.5f, -2.0f};

static void put_half(unsigned char* at, uint16_t bits) {
    at[0] = (unsigned char)(bits & 255), at[1] = (unsigned char)(bits >> 8);
}

/// Values of one block; returns its bytes.
static int encode(int32_t type, const int8_t* v, uint16_t scale, unsigned char* to) {
    memset(to, 0, 66);
    switch (type) {
        case TRILOBIT_BLOCKS_TQ2_0:
            for (int i = 0; i < 256; ++i)
                to[32 * (i / 128) + i % 32] |= (unsigned char)((v[i] + 1) << (2 * (i / 32 % 4)));
            put_half(to + 64, scale);
            return 66;
        case TRILOBIT_BLOCKS_TQ1_0: {
            const int first[] = {0, 32, 48, 52}, width[] = {32, 16, 4}, trits[] = {5, 5, 4};
            for (int part = 0, at = 0; part < 3; at += width[part] * trits[part], ++part)
                for (int b = 0; b < width[part]; ++b) {
                    int number = 0;
                    for (int n = 0; n < 5; ++n)
                        number =
                            3 * number + (n < trits[part] ? v[at + n * width[part] + b] + 1 : 0);
                    to[first[part] + b] = (unsigned char)((number * 256 + 242) / 243);
                }
            put_half(to + 52, scale);
            return 54;
        }
        case TRILOBIT_BLOCKS_Q1_0:
            put_half(to, scale);
            for (int i = 0; i < 128; ++i)
                to[2 + i / 8] |= (unsigned char)((v[i] > 0 ? 1 : 0) << (i % 8));
            return 18;
        default:
            put_half(to, scale);
            for (int i = 0; i < 64; ++i)
                to[2 + i / 4] |= (unsigned char)((v[i] + 1) << (2 * (i % 4)));
            return 18;
    }
}

static void same_image(const trilobit_matrix* a, const trilobit_matrix* b) {
    trilobit_matrix_info of[2] = {{0}, {0}};
    of[0].struct_size = of[1].struct_size = sizeof of[0];
    CHECK_OK(trilobit_matrix_get_info(a, &of[0]));
    CHECK_OK(trilobit_matrix_get_info(b, &of[1]));
    CHECK(of[0].image_bytes == of[1].image_bytes);
    CHECK(memcmp(of[0].image, of[1].image, of[0].image_bytes) == 0);
}

static void one_type(int32_t type, int width, int32_t layout) {
    trilobit_context* c = new_context(2);
    int8_t* values = random_values(
        rows * cols, type == TRILOBIT_BLOCKS_Q1_0                ? TRILOBIT_LAYOUT_BINARY_1BIT
                     : layout == TRILOBIT_LAYOUT_QUATERNARY_2BIT ? layout
                                                                 : TRILOBIT_LAYOUT_TERNARY_2BIT);
    const int groups = cols / width;
    float* scales = random_floats(rows * groups);
    unsigned char* blocks = (unsigned char*)room((size_t)(rows * groups * 66 + 1)) + 1;
    for (int one = 0; one < 2; ++one) {
        size_t bytes = 0;
        for (int b = 0; b < rows * groups; ++b) {
            const int s = one ? 1 : b % 3;
            scales[b] = scale_values[s];
            bytes += (size_t)encode(type, values + b * width, halves[s], blocks + bytes);
        }
        trilobit_matrix *w = NULL, *same = NULL, *first = NULL;
        trilobit_pack_options o = {0};
        o.struct_size = sizeof o;
        CHECK_OK(trilobit_pack_blocks(c, layout, type, blocks, bytes, rows, cols, &o, &w));
        o.scale_per = TRILOBIT_SCALE_PER_GROUP;
        o.group_cols = width;
        o.scale_type = TRILOBIT_SCALE_TYPE_F16;
        CHECK_OK(trilobit_pack_values(c, layout, values, rows, cols, 0, scales, &o, &same));
        same_image(w, same);
        // The one scale of all, if there is one.
        trilobit_pack_options merged = {0};
        merged.struct_size = sizeof merged;
        merged.one_scale = 1;
        CHECK_OK(trilobit_pack_blocks(c, layout, type, blocks, bytes, rows, cols, &merged, &first));
        if (one) {
            trilobit_matrix_free(same);
            CHECK_OK(trilobit_pack_values(c, layout, values, rows, cols, 0, scales, NULL, &same));
        }
        same_image(first, same);
        trilobit_matrix_free(w), trilobit_matrix_free(same), trilobit_matrix_free(first);

        trilobit_matrix* none = NULL;
        CHECK_REFUSED(
            trilobit_pack_blocks(c, layout, type, blocks, bytes - 1, rows, cols, NULL, &none),
            TRILOBIT_ERROR_BAD_SHAPE);
        CHECK_REFUSED(
            trilobit_pack_blocks(c, layout, type, blocks, bytes, rows, cols - 32, NULL, &none),
            TRILOBIT_ERROR_BAD_SHAPE);
        CHECK_REFUSED(
            trilobit_pack_blocks(c, layout, type, blocks, bytes, INT64_MAX / 4, cols, NULL, &none),
            TRILOBIT_ERROR_BAD_SHAPE);
        // An infinite scale in the last block.
        encode(type, values, 0x7c00, blocks + bytes - bytes / (size_t)(rows * groups));
        CHECK_REFUSED(trilobit_pack_blocks(c, layout, type, blocks, bytes, rows, cols, NULL, &none),
                      TRILOBIT_ERROR_BAD_VALUE);
        CHECK(none == NULL);
    }
    free(blocks - 1), free(scales), free(values);
    trilobit_context_free(c);
}

/// A zero scale makes zeros of its block; a code that is no trit is refused.
static void oddities(void) {
    trilobit_context* c = new_context(0);
    int8_t values[512], zeroed[512];
    for (int i = 0; i < 512; ++i) values[i] = (int8_t)(i % 3 - 1);
    memcpy(zeroed, values, sizeof values);
    memset(zeroed, 0, 256);
    unsigned char blocks[66 + 66];
    encode(TRILOBIT_BLOCKS_TQ2_0, values, 0, blocks);
    encode(TRILOBIT_BLOCKS_TQ2_0, values + 256, 0x3800, blocks + 66);
    trilobit_pack_options o = {0};
    o.struct_size = sizeof o;
    o.one_scale = 1;
    trilobit_matrix *w = NULL, *same = NULL;
    const float half = 0.5f;
    CHECK_OK(trilobit_pack_blocks(c, TRILOBIT_LAYOUT_TERNARY_2BIT, TRILOBIT_BLOCKS_TQ2_0, blocks,
                                  sizeof blocks, 1, 512, &o, &w));
    CHECK_OK(trilobit_pack_values(c, TRILOBIT_LAYOUT_TERNARY_2BIT, zeroed, 1, 512, 0, &half, NULL,
                                  &same));
    same_image(w, same);
    trilobit_matrix_free(w), trilobit_matrix_free(same);
    blocks[70] |= 3;
    CHECK_REFUSED(trilobit_pack_blocks(c, TRILOBIT_LAYOUT_TERNARY_2BIT, TRILOBIT_BLOCKS_TQ2_0,
                                       blocks, sizeof blocks, 1, 512, NULL, &w),
                  TRILOBIT_ERROR_BAD_VALUE);
    // The fourth level of Q2_0, which no ternary layout has.
    unsigned char level[66];
    values[63] = 2;
    encode(TRILOBIT_BLOCKS_Q2_0, values, 0x3c00, level);
    CHECK_REFUSED(trilobit_pack_blocks(c, TRILOBIT_LAYOUT_TERNARY_2BIT, TRILOBIT_BLOCKS_Q2_0, level,
                                       18, 1, 64, NULL, &w),
                  TRILOBIT_ERROR_BAD_VALUE);
    CHECK(w == NULL);
    const float one = 1.0f;
    const int32_t layout = TRILOBIT_LAYOUT_QUATERNARY_2BIT;
    CHECK_OK(trilobit_pack_blocks(c, layout, TRILOBIT_BLOCKS_Q2_0, level, 18, 1, 64, &o, &w));
    CHECK_OK(trilobit_pack_values(c, layout, values, 1, 64, 0, &one, NULL, &same));
    same_image(w, same);
    trilobit_matrix_free(w), trilobit_matrix_free(same);
    trilobit_context_free(c);
}

int main(void) {
    for (int32_t layout = TRILOBIT_LAYOUT_TERNARY_2BIT; layout <= TRILOBIT_LAYOUT_TERNARY_PLANES;
         ++layout) {
        one_type(TRILOBIT_BLOCKS_TQ1_0, 256, layout);
        one_type(TRILOBIT_BLOCKS_TQ2_0, 256, layout);
        one_type(TRILOBIT_BLOCKS_Q2_0, 64, layout);
    }
    one_type(TRILOBIT_BLOCKS_Q2_0, 64, TRILOBIT_LAYOUT_QUATERNARY_2BIT);
    one_type(TRILOBIT_BLOCKS_Q1_0, 128, TRILOBIT_LAYOUT_BINARY_1BIT);
    one_type(TRILOBIT_BLOCKS_Q1_0, 128, TRILOBIT_LAYOUT_TERNARY_BASE3);
    oddities();
    return finished();
}
