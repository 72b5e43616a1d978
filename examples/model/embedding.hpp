// SPDX-License-Identifier: MIT
// Room examples/model. Enters: a matrix with a row for each token of the vocabulary. Leaves: the
// row of a token as floats. Rows of one or two bits stay as the file has them, and are read when
// their token comes: as floats they would take more memory than all layers.
#pragma once

#include <variant>

#include "gguf/reader.hpp"
#include "model/linear.hpp"

namespace tbx::model {

class embedding {
    std::variant<dense_matrix, gguf::tensor> table = dense_matrix{};

public:
    const rotation* basis = nullptr;  // that rows are brought back from

    embedding() = default;
    explicit embedding(dense_matrix numbers) : table(std::move(numbers)) {}
    /// Of few levels; its bytes outlive this. Reads it once, on all threads, and throws tbx::error
    /// for a code or a scale without meaning.
    embedding(compute& cpu, const gguf::reader& file, const gguf::tensor& levels);

    [[nodiscard]] std::int64_t rows() const noexcept;
    /// Null where rows are of few levels.
    [[nodiscard]] const dense_matrix* dense() const noexcept {
        return std::get_if<dense_matrix>(&table);
    }
    /// out = the token's row
    void read(const dense_kernels& run, std::int64_t token, float* out) const;
};

}  // namespace tbx::model
