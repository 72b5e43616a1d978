// SPDX-License-Identifier: MIT
// The C API of trilobit: products with weights of one or two bits, y = x w^T, exact and with the
// same float bits on every machine and for every number of threads. C99 or newer, or C++; the
// library is libtrilobit (pkg-config and CMake: libtrilobit).
//
//   trilobit_context* c;
//   trilobit_matrix* w;
//   trilobit_context_options o = {.struct_size = sizeof o, .threads = 4};
//   trilobit_context_new(&o, &c);
//   trilobit_pack_floats(c, TRILOBIT_LAYOUT_TERNARY_2BIT, weights, rows, cols, 0, NULL, &w);
//   trilobit_matmul(c, w, x, tokens, 0, y, 0, NULL);  // x (tokens, cols), y (tokens, rows)
//   trilobit_matrix_free(w);
//   trilobit_context_free(c);
//
// - Every function that can fail returns a trilobit_status. When its code is not TRILOBIT_OK,
//   `text` is one sentence that lives as long as the program, and an output handle is NULL.
// - Matrices are row-major. A stride counts elements from row to row; 0 means that rows follow each
//   other without a gap. Floats and integers lie on multiples of their size.
// - Options may be NULL. Otherwise struct_size is sizeof the struct, and a field that is 0 has its
//   default: fields can be added without harm to programs that exist.
// - Arrays of the caller's are read during the call alone, except where "outlives" is written.
// - Matrices and plans never change: any threads may use one at once. So may they use a context,
//   but products of trilobit_matmul with the same context wait for each other.
// - No C++ exception leaves the library. A callback returns normally: it neither throws nor jumps.
#ifndef TRILOBIT_TRILOBIT_H
#define TRILOBIT_TRILOBIT_H

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define TRILOBIT_API __attribute__((visibility("default")))
#else
#define TRILOBIT_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/// Raised when a program that was compiled with an older header would no longer run.
#define TRILOBIT_C_ABI 1

/// The TRILOBIT_C_ABI of the library that is loaded.
TRILOBIT_API int32_t trilobit_abi_version(void);
/// "0.1.0": of the library that is loaded.
TRILOBIT_API const char* trilobit_version(void);

// ---- errors -------------------------------------------------------------------------------------

enum {
    TRILOBIT_OK = 0,
    TRILOBIT_ERROR_BAD_SHAPE = 1,      // sizes, strides or alignments that do not fit
    TRILOBIT_ERROR_BAD_VALUE = 2,      // NaN, infinity, a weight that the layout has not, a null
    TRILOBIT_ERROR_BAD_FORMAT = 3,     // a file or bytes that are no packed matrix of this version
    TRILOBIT_ERROR_OUT_OF_MEMORY = 4,  // or no more threads
    TRILOBIT_ERROR_UNSUPPORTED = 5     // an id, or a combination, that this library does not serve
};

typedef struct trilobit_status {
    int32_t code;      // TRILOBIT_OK or TRILOBIT_ERROR_..
    const char* text;  // a sentence; "" when all is well
} trilobit_status;

// ---- names --------------------------------------------------------------------------------------

/// How weights are stored. Ids are in files, and never change.
enum {
    TRILOBIT_LAYOUT_TERNARY_2BIT = 1,         // -1, 0, 1 in 2 bits: the fastest for most
    TRILOBIT_LAYOUT_TERNARY_BASE3 = 2,        // -1, 0, 1 in 1.6 bits: where memory is the limit
    TRILOBIT_LAYOUT_TERNARY_PLANES = 3,       // -1, 0, 1 in 2 bits: beside activations of few bits
    TRILOBIT_LAYOUT_BINARY_1BIT = 4,          // -1, 1 in 1 bit
    TRILOBIT_LAYOUT_QUATERNARY_2BIT = 5,      // -1, 0, 1, 2 in 2 bits
    TRILOBIT_LAYOUT_QUATERNARY_2BIT_LOW = 6,  // -2, -1, 0, 1
    TRILOBIT_LAYOUT_QUATERNARY_2BIT_ODD = 7,  // -3, -1, 1, 3: halves, with half their scales
    TRILOBIT_LAYOUT_TERNARY_3OF4 = 8          // -1, 0, 1, one 0 in each four columns, in 1.25 bits
};

/// What activations are rounded to: value * scale, with a scale for each token or group of it.
enum {
    TRILOBIT_ACTIVATION_INT8 = 0,  // -128..127; 127 / max|x|
    TRILOBIT_ACTIVATION_INT4 = 1,  // -8..7; sqrt(7) / mean|x|
    TRILOBIT_ACTIVATION_INT2 = 2,  // -2..1; 1 / mean|x|
    TRILOBIT_ACTIVATION_SIGN = 3   // -1, 1; 1 / mean|x|
};

/// Families of kernels. All give the same bits; the automatic choice is right for all but tests.
enum {
    TRILOBIT_KERNEL_AUTOMATIC = 0,
    TRILOBIT_KERNEL_GENERIC = 1,
    TRILOBIT_KERNEL_DOT = 2,
    TRILOBIT_KERNEL_LOOKUP = 3,
    TRILOBIT_KERNEL_POPCOUNT = 4,
    TRILOBIT_KERNEL_VECTOR_LOOKUP = 5
};

/// Which weights share a scale.
enum {
    TRILOBIT_SCALE_PER_TENSOR = 0,
    TRILOBIT_SCALE_PER_ROW = 1,
    TRILOBIT_SCALE_PER_GROUP = 2  // of group_cols columns of a row: 32, 64, 128 or 256
};

/// How weight scales are stored.
enum { TRILOBIT_SCALE_TYPE_F32 = 0, TRILOBIT_SCALE_TYPE_F16 = 1 };

/// ggml's numbers of the types whose blocks can be packed.
enum {
    TRILOBIT_BLOCKS_TQ1_0 = 34,  // -1, 0, 1; 256 weights in 54 bytes
    TRILOBIT_BLOCKS_TQ2_0 = 35,  // -1, 0, 1; 256 weights in 66 bytes
    TRILOBIT_BLOCKS_Q1_0 = 41,   // -1, 1; 128 weights in 18 bytes
    TRILOBIT_BLOCKS_Q2_0 = 42    // -1, 0, 1, 2; 64 weights in 18 bytes
};

/// The name of an id of the enums above, "ternary_2bit", "int8", "dot"; NULL for other ids.
TRILOBIT_API const char* trilobit_layout_name(int32_t layout);
TRILOBIT_API const char* trilobit_activation_name(int32_t activation);
TRILOBIT_API const char* trilobit_kernel_name(int32_t kernel);
/// Back ends that this machine runs, weakest first: 0, 1 and on; NULL past the last.
TRILOBIT_API const char* trilobit_arch_name(int32_t index);

// ---- context ------------------------------------------------------------------------------------

/// A back end, threads, and memory that products with it use again and again.
typedef struct trilobit_context trilobit_context;

typedef struct trilobit_context_options {
    size_t struct_size;
    const char* arch;  // a back end by name; NULL: what TRILOBIT_ARCH in the environment names, or
                       // the best of this machine
    int32_t threads;   // at most 1024, the calling one among them; 0: the calling thread alone
    int32_t reserved;  // 0
} trilobit_context_options;

/// Starts the threads. They spin for 0.2 ms after each product, then sleep.
TRILOBIT_API trilobit_status trilobit_context_new(const trilobit_context_options* options,
                                                  trilobit_context** context);
/// Ends the threads. NULL does nothing, as for the other handles.
TRILOBIT_API void trilobit_context_free(trilobit_context* context);
/// The name of its back end; NULL of NULL.
TRILOBIT_API const char* trilobit_context_arch(const trilobit_context* context);

// ---- packed matrices ----------------------------------------------------------------------------

/// Weights (rows, cols), packed: in memory of its own or the caller's, or a file that is mapped.
/// At most 262,144 columns and 2^28 rows.
typedef struct trilobit_matrix trilobit_matrix;

typedef struct trilobit_pack_options {
    size_t struct_size;
    int32_t scale_per;   // TRILOBIT_SCALE_PER_..
    int32_t group_cols;  // with TRILOBIT_SCALE_PER_GROUP alone
    int32_t scale_type;  // TRILOBIT_SCALE_TYPE_..
    int32_t one_scale;  // of trilobit_pack_blocks: 1 keeps one scale where all blocks have the same
    /// Where the image goes, from a multiple of 64 bytes on; outlives the matrix. NULL: the library
    /// allocates.
    void* memory;
    size_t memory_bytes;  // trilobit_packed_bytes() of them at least
    /// Called with progress_context and the share that is done, rising to 1, by one thread at a
    /// time.
    void (*progress)(void* progress_context, double done);
    void* progress_context;
} trilobit_pack_options;

/// Bytes of the image of a matrix, header and scales included: what a file of it has. Of the
/// options it reads scale_per, group_cols and scale_type.
TRILOBIT_API trilobit_status trilobit_packed_bytes(int32_t layout, int64_t rows, int64_t cols,
                                                   const trilobit_pack_options* options,
                                                   size_t* bytes);

/// Packs floats (rows, cols), rounded as the models are trained: to -1, 0, 1 by their mean size, to
/// -1, 1 by their sign around the mean, to the nearest of four levels. Floats that are such values
/// times a scale already lose nothing. Refused: NaN, infinity.
TRILOBIT_API trilobit_status trilobit_pack_floats(trilobit_context* context, int32_t layout,
                                                  const float* weights, int64_t rows, int64_t cols,
                                                  int64_t stride,
                                                  const trilobit_pack_options* options,
                                                  trilobit_matrix** matrix);

/// Packs values (rows, cols) that are quantised already, w ~ value * scale. `scales` has one float
/// for the tensor, or one for each row, or (rows, groups of a row), as the options say; a row has
/// ceil(cols / group_cols) groups. Refused: values that the layout has not, scales that are NaN,
/// infinite or too large for their type.
TRILOBIT_API trilobit_status trilobit_pack_values(trilobit_context* context, int32_t layout,
                                                  const int8_t* values, int64_t rows, int64_t cols,
                                                  int64_t stride, const float* scales,
                                                  const trilobit_pack_options* options,
                                                  trilobit_matrix** matrix);

/// Packs a tensor of ggml's, `type` one of TRILOBIT_BLOCKS_.., into a layout that has its values.
/// `blocks` are rows of whole blocks without a gap, at any alignment, `bytes` of them at least.
/// Nothing is rounded: each block keeps its scale, or with one_scale the tensor the one that all
/// blocks have. scale_per, group_cols and scale_type are 0.
TRILOBIT_API trilobit_status trilobit_pack_blocks(trilobit_context* context, int32_t layout,
                                                  int32_t type, const void* blocks, size_t bytes,
                                                  int64_t rows, int64_t cols,
                                                  const trilobit_pack_options* options,
                                                  trilobit_matrix** matrix);

/// How much of an image is read before it is believed. Products stay inside of it either way.
enum {
    TRILOBIT_VERIFY_EVERYTHING = 0,  // its checksum too: the whole image is read
    TRILOBIT_VERIFY_HEADER = 1       // 64 bytes and the scales
};

/// Maps a file that trilobit_save wrote, read-only and shared among processes. Who truncates the
/// file meanwhile makes reads fault, as with any map.
TRILOBIT_API trilobit_status trilobit_map(const char* path, int32_t verify,
                                          trilobit_matrix** matrix);
/// An image in memory of the caller's, from a multiple of 64 bytes on; it outlives the matrix and
/// is not copied. It may be longer than the image.
TRILOBIT_API trilobit_status trilobit_view(const void* image, size_t bytes, int32_t verify,
                                           trilobit_matrix** matrix);
/// Writes the image beside `path` and renames it into place: nobody ever sees half a file.
TRILOBIT_API trilobit_status trilobit_save(const trilobit_matrix* matrix, const char* path);
TRILOBIT_API void trilobit_matrix_free(trilobit_matrix* matrix);

typedef struct trilobit_matrix_info {
    size_t struct_size;  // set by the caller
    int64_t rows, cols;
    int32_t layout;  // TRILOBIT_LAYOUT_..
    int32_t scale_per, group_cols, scale_type;
    const void* image;  // what trilobit_save writes; lives as long as the matrix
    size_t image_bytes;
} trilobit_matrix_info;

/// Fills in the first struct_size bytes of `info`.
TRILOBIT_API trilobit_status trilobit_matrix_get_info(const trilobit_matrix* matrix,
                                                      trilobit_matrix_info* info);

// ---- products -----------------------------------------------------------------------------------

typedef struct trilobit_matmul_options {
    size_t struct_size;
    int32_t activation;        // TRILOBIT_ACTIVATION_..
    int32_t activation_group;  // columns that share a scale: 32, 64, 128 or 256; 0: a whole token
    int32_t kernel;            // TRILOBIT_KERNEL_..
    int32_t reserved;          // 0
} trilobit_matmul_options;

/// y = x w^T: x (tokens, cols of w), y (tokens, rows of w), which may overlap. By the context's
/// threads; the second product of the same shapes allocates nothing. Refused, with y as it was: NaN
/// and infinity in x.
TRILOBIT_API trilobit_status trilobit_matmul(trilobit_context* context,
                                             const trilobit_matrix* matrix, const float* x,
                                             int64_t tokens, int64_t x_stride, float* y,
                                             int64_t y_stride,
                                             const trilobit_matmul_options* options);

// ---- products on threads and memory of the caller's ---------------------------------------------
//
// A plan is for one or several products of the same x (queries, keys and values), a number of
// tokens and of threads. Threads quantise tokens; then, behind the caller's barrier, they run
// tasks:
//
//   trilobit_plan_quantise(p, x, tokens, 0, NULL, first, last, memory, bytes);  // its tokens
//   barrier();
//   trilobit_plan_run(p, first, last, thread, memory, bytes);                   // its tasks

typedef struct trilobit_plan trilobit_plan;

/// The type of outputs.
enum {
    TRILOBIT_OUTPUT_F32 = 0,
    TRILOBIT_OUTPUT_F16 = 1,   // uint16_t, rounded to nearest even
    TRILOBIT_OUTPUT_BF16 = 2,  // the same
    TRILOBIT_OUTPUT_SUMS =
        3  // int32_t: exact, without any scale; weights and tokens have one scale
};

/// One matrix of a plan, and where its outputs go.
typedef struct trilobit_product {
    size_t struct_size;
    const trilobit_matrix* matrix;  // outlives the plan
    void* y;                        // (tokens, rows of the matrix); outlives the plan
    int64_t y_stride;
    int32_t output;  // TRILOBIT_OUTPUT_..
    /// 1: of tokens [token_begin, token_end) alone, as for an expert; other rows of y stay. 0: all.
    int32_t some_tokens;
    int64_t token_begin, token_end;
    /// Instead of y: called once for each output, with `count` consecutive rows of a token, by all
    /// threads at once.
    void (*write)(void* write_context, const float* sums, int64_t token, int64_t row,
                  int32_t count);
    void* write_context;
} trilobit_product;

/// `count` is 1 to 4096. All matrices have one layout, number of columns and grouping of scales.
/// `tokens` is at most 2^32.
/// The products are copied; the context need not outlive the plan. It allocates the handle alone,
/// about a kilobyte.
TRILOBIT_API trilobit_status trilobit_plan_new(const trilobit_context* context,
                                               const trilobit_product* products, int32_t count,
                                               int64_t tokens, int32_t threads,
                                               const trilobit_matmul_options* options,
                                               trilobit_plan** plan);
TRILOBIT_API void trilobit_plan_free(trilobit_plan* plan);

/// Bytes of memory that the caller brings to the functions below, from a multiple of 64 on.
/// Whatever is in it; from the first quantise to the last run it is the plan's. 0 of NULL.
TRILOBIT_API size_t trilobit_plan_bytes(const trilobit_plan* plan);
/// Tasks are numbered from 0 on. Consecutive ones read consecutive weights. 0 of NULL.
TRILOBIT_API int64_t trilobit_plan_tasks(const trilobit_plan* plan);
/// How many consecutive tasks threads best take at a time that share them as they come.
TRILOBIT_API int64_t trilobit_plan_grain(const trilobit_plan* plan);

/// Quantises tokens [token_begin, token_end) of x (x_rows, cols). `rows` lists the rows of x that
/// the plan's tokens are, one for each; NULL: x has a row for each. Different tokens may be
/// quantised at once; all are, each time, before the first run. Refused: NaN, infinity.
TRILOBIT_API trilobit_status trilobit_plan_quantise(const trilobit_plan* plan, const float* x,
                                                    int64_t x_rows, int64_t x_stride,
                                                    const int64_t* rows, int64_t token_begin,
                                                    int64_t token_end, void* memory,
                                                    size_t memory_bytes);
/// The same for activations that are quantised already and are copied, x ~ value * scale: values
/// (x_rows, cols) of the plan's kind, scales (x_rows, groups of a token).
TRILOBIT_API trilobit_status trilobit_plan_take(const trilobit_plan* plan, const int8_t* values,
                                                int64_t value_stride, const float* scales,
                                                int64_t scale_stride, int64_t x_rows,
                                                const int64_t* rows, int64_t token_begin,
                                                int64_t token_end, void* memory,
                                                size_t memory_bytes);
/// Runs tasks [task_begin, task_end). `thread` is below the plan's number of threads, and no other
/// that runs meanwhile has the same.
TRILOBIT_API trilobit_status trilobit_plan_run(const trilobit_plan* plan, int64_t task_begin,
                                               int64_t task_end, int32_t thread, void* memory,
                                               size_t memory_bytes);

#ifdef __cplusplus
}
#endif

#endif
