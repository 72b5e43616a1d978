// SPDX-License-Identifier: MIT
// Room examples/model. Enters: one weight matrix, as the file's floats or as packed trits, and
// float activations. Leaves: their product. The only place where this room meets the library's
// matmul.
#pragma once

#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <variant>

#include <trilobit/core/aligned_buffer.hpp>
#include <trilobit/core/matrix_view.hpp>
#include <trilobit/pack/pack.hpp>

#include "gguf/types.hpp"
#include "model/compute.hpp"
#include "model/norm.hpp"
#include "model/rotation.hpp"

namespace tbx::gguf {
class reader;
struct tensor;
}  // namespace tbx::gguf

namespace tbx::model {

using matrix = trilobit::matrix_view<float>;
using const_matrix = trilobit::matrix_view<const float>;

/// Rows as a file stores them. `data` points into the file, or into `owned`.
struct dense_matrix {
    number_type type{};
    std::int64_t rows = 0, cols = 0;
    const std::byte* data = nullptr;
    trilobit::aligned_buffer owned;

    [[nodiscard]] std::int64_t stride() const noexcept { return row_bytes(type, cols); }
    [[nodiscard]] const std::byte* row(std::int64_t i) const noexcept {
        return data + i * stride();
    }
    [[nodiscard]] std::int64_t bytes() const noexcept { return rows * stride(); }
    /// A second owner-less view, as a tied head is of the embedding.
    [[nodiscard]] dense_matrix view() const { return {type, rows, cols, data, {}}; }
};

/// A norm that belongs to one linear, with its epsilon.
struct input_norm {
    norm weights;
    float eps = 0;
};

/// y = x Wᵀ * scale, W (rows, cols). What is done to x before, of which most models have nothing,
/// is done by the products, in this order: its norm, its basis, rounding, the order of columns.
struct linear {
    std::variant<dense_matrix, trilobit::any_packed_matrix, trilobit::packed_view> weights;
    float scale = 1.0f;                              // of a separate ".scale" tensor
    std::unique_ptr<const input_norm> in = nullptr;  // of bitnet-embedding
    const rotation* basis = nullptr;                 // in which the columns are
    /// Columns lie in another order: the four of a group of STQ1_0, sixteen apart in the file, side
    /// by side.
    bool grouped = false;

    [[nodiscard]] std::int64_t rows() const noexcept;
    [[nodiscard]] std::int64_t cols() const noexcept;
    /// Bytes that one product with a single activation row reads.
    [[nodiscard]] std::int64_t bytes() const noexcept;
    [[nodiscard]] const trilobit::packed_view* packed() const noexcept;
};

/// Where a product goes: y (tokens, rows).
struct into {
    const linear& w;
    matrix y;
};

/// y = x Wᵀ * scale, for each of several products of the same x. Done at once where the weights
/// allow it: x is quantised and threads are woken one time for all. A token's row has the same bits
/// whatever is beside it.
void multiply(compute& cpu, const_matrix x, std::span<const into> products);
inline void multiply(compute& cpu, const_matrix x, std::initializer_list<into> products) {
    multiply(cpu, x, {products.begin(), products.size()});
}

/// y += x Wᵀ * scale: a residual connection.
void add_product(compute& cpu, const_matrix x, const into& to);

/// y[i] = what multiply() makes of row rows[i] and the one token x, to the bit; w is dense.
void multiply_rows(compute& cpu, const linear& w, const float* x,
                   std::span<const std::int32_t> rows, float* y);

/// Packed weights move beside others; throws tbx::error where memory is short.
void settle(linear& w, trilobit::page_arena& arena);

/// Called with the fraction done, from one thread at a time.
using progress = std::function<void(double)>;

/// `report` outlives the packing.
[[nodiscard]] inline trilobit::pack_options packing(const trilobit::scale_spec& scale,
                                                    const progress& report) {
    const auto call = [](const void* to, double done) {
        (*static_cast<const progress*>(to))(done);
    };
    return {scale, report ? +call : nullptr, &report};
}

/// How the kernels read numbers of this type.
[[nodiscard]] std::optional<number_type> dense_type(gguf::tensor_type type) noexcept;

/// A tensor of floats, whose bytes stay where they are if the machine's numbers begin with their
/// low bytes, as the file's do. Reads it once, on all threads, and throws tbx::error when a number
/// is NaN or infinity.
[[nodiscard]] dense_matrix load_dense(compute& cpu, const gguf::reader& file,
                                      const gguf::tensor& from);

/// Rows and columns of a tensor that are wanted, in ascending order; empty: all.
struct selection {
    std::span<const std::int32_t> rows = {}, cols = {};
};

/// A tensor of few levels, packed: ternary weights in `layout`, others in the one for them. An
/// image that is packed in the file stays where it lies; other types stay dense and whole. Columns
/// may be selected where those of a row share one scale. Throws tbx::error.
[[nodiscard]] linear load_linear(compute& cpu, const gguf::reader& file, const gguf::tensor& from,
                                 trilobit::layout_id layout, const progress& report,
                                 const selection& kept = {});

/// The matrices of a tensor (count, rows, cols), all in one layout and with scales as fine; their
/// images, if they are packed in the file.
[[nodiscard]] std::vector<linear> load_stack(compute& cpu, const gguf::reader& file,
                                             const gguf::tensor& from, std::int64_t count,
                                             trilobit::layout_id layout, const progress& report);

/// y (pairs, rows of one): row i is what multiply() makes of stack[which[i]] and row from[i] of x,
/// or row i where `from` is empty. All of a stack are packed, or none.
void multiply_chosen(compute& cpu, const_matrix x, std::span<const linear> stack,
                     std::span<const std::int32_t> which, std::span<const std::int64_t> from,
                     matrix y);

}  // namespace tbx::model
