// SPDX-License-Identifier: MIT
// Room examples/model. Enters: tokens. Leaves: their rows; see embedding.hpp.
#include "model/embedding.hpp"

#include <atomic>
#include <vector>

#include "gguf/dequantize.hpp"
#include "gguf/weight_rows.hpp"

namespace tbx::model {

embedding::embedding(compute& cpu, const gguf::reader& file, const gguf::tensor& levels)
    : table(levels) {
    const gguf::weight_rows rows(file, levels);
    std::atomic<std::int64_t> wrong = -1;
    std::atomic<formats::fault> fault = formats::fault::none;
    cpu.pool(0, rows.rows(), 64, [&](std::int64_t begin, std::int64_t end) {
        std::vector<std::int8_t> values(static_cast<std::size_t>(rows.columns()));
        std::vector<float> scales(static_cast<std::size_t>(rows.scales_per_row()));
        for (std::int64_t r = begin; r < end && wrong < 0; ++r)
            if (const auto found = rows.matrix().read(r, values.data(), scales.data());
                found != formats::fault::none) {
                fault = found;
                wrong = r;
            }
    });
    if (wrong >= 0) rows.refuse(wrong, fault);
}

std::int64_t embedding::rows() const noexcept {
    if (const auto* levels = std::get_if<gguf::tensor>(&table)) return levels->rows();
    return std::get<dense_matrix>(table).rows;
}

void embedding::read(const dense_kernels& run, std::int64_t token, float* out) const {
    std::int64_t cols = 0;
    if (const auto* levels = std::get_if<gguf::tensor>(&table)) {
        cols = levels->columns();
        gguf::dequantize_row(*levels, token, {out, static_cast<std::size_t>(cols)});
    } else {
        const auto& numbers = std::get<dense_matrix>(table);
        cols = numbers.cols;
        run.decode(numbers.type, numbers.row(token), cols, out);
    }
    if (basis != nullptr) basis->backward(out, cols);
}

}  // namespace tbx::model
