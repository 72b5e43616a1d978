// SPDX-License-Identifier: MIT
// Room gguf. Enters: a tensor of type TQ1_0, TQ2_0 or I2_S. Leaves: its rows as int8 trits and
// float scales, ready for trilobit's packer. A code that is no trit or a scale that is no number
// throws.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "gguf/reader.hpp"

namespace tbx::gguf {

[[nodiscard]] constexpr bool is_ternary(tensor_type type) noexcept {
    return type == tensor_type::tq1_0 || type == tensor_type::tq2_0 || type == tensor_type::i2_s;
}

/// The tensor's bytes must outlive this. Rows may be decoded from several threads at once.
class ternary_rows {
    tensor source;
    std::string file;
    float tensor_scale = 0;

    [[noreturn]] void fail(std::int64_t row, std::string_view what) const;
    [[nodiscard]] std::span<const std::byte> bytes_of(std::int64_t row) const noexcept;
    float read_block(const std::byte* block, std::uint8_t* codes) const noexcept;

public:
    ternary_rows(const reader& from, const tensor& which);

    [[nodiscard]] std::int64_t rows() const noexcept { return source.rows(); }
    [[nodiscard]] std::int64_t columns() const noexcept { return source.columns(); }
    /// Columns that share a scale: 256, or 0 when the whole tensor shares one.
    [[nodiscard]] int group_columns() const noexcept {
        return source.type == tensor_type::i2_s ? 0 : 256;
    }
    /// Scales that decode() writes for a row: columns() / 256, or 1.
    [[nodiscard]] std::int64_t scales_per_row() const noexcept {
        return source.type == tensor_type::i2_s ? 1 : columns() / 256;
    }
    /// The scale of all columns, if they share one. Groups without any weight may say 0.
    [[nodiscard]] std::optional<float> only_scale() const noexcept;
    /// Is every weight of the row 0? Looks no further than the first that is not.
    [[nodiscard]] bool is_zero(std::int64_t row) const noexcept;
    /// values: columns() trits; scales: scales_per_row() floats (f16 exactly, unless I2_S).
    void decode(std::int64_t row, std::span<std::int8_t> values, std::span<float> scales) const;
};

}  // namespace tbx::gguf
