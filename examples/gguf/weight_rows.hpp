// SPDX-License-Identifier: MIT
// Room gguf. Enters: a tensor whose weights are few levels times a scale. Leaves: its rows as int8
// values and float scales, ready for trilobit's packer. A code without meaning or a scale that is
// no number throws.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "formats/rows.hpp"
#include "gguf/reader.hpp"

namespace tbx::gguf {

/// The tensor's bytes must outlive this. Rows may be decoded from several threads at once.
class weight_rows {
    tensor source;
    std::string file;
    formats::matrix_rows all;

public:
    weight_rows(const reader& from, const tensor& which);

    [[nodiscard]] const formats::matrix_rows& matrix() const noexcept { return all; }
    [[nodiscard]] formats::kind kind() const noexcept { return all.of().values; }
    [[nodiscard]] std::int64_t rows() const noexcept { return all.count(); }
    [[nodiscard]] std::int64_t columns() const noexcept { return all.cols(); }
    [[nodiscard]] std::int64_t scales_per_row() const noexcept { return all.scales_per_row(); }
    /// Is every weight of the row 0?
    [[nodiscard]] bool is_zero(std::int64_t row) const;
    /// values: columns() int8; scales: scales_per_row() floats.
    void decode(std::int64_t row, std::span<std::int8_t> values, std::span<float> scales) const;
    /// Throws the error that decode() throws for this fault of this row.
    [[noreturn]] void refuse(std::int64_t row, formats::fault what) const;
};

}  // namespace tbx::gguf
