// SPDX-License-Identifier: MIT
// Room integrations/c. Enters: a tensor of ggml's as it lies in memory: TQ1_0, TQ2_0, Q1_0, Q2_0.
// Leaves: rows of int8 values and float scales, as the library's packer takes them. Which values
// are allowed is the layout's to say.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "formats/rows.hpp"
#include "trilobit/core/status.hpp"
#include "trilobit/weights/scale.hpp"

namespace tbx::capi {

/// Any threads may read rows at once.
class block_rows {
    const formats::format* format = nullptr;  // of blocks that have a scale each
    std::span<const std::byte> blocks;
    std::int64_t rows = 0, row_blocks = 0;

    /// One block to a row: then a row needs no memory for its scales.
    [[nodiscard]] formats::matrix_rows matrix() const noexcept {
        return {*format, blocks, {rows * row_blocks, format->group}};
    }

public:
    /// `bytes` outlive it.
    static trilobit::result<block_rows> of(std::int32_t type, std::span<const std::byte> bytes,
                                           std::int64_t rows, std::int64_t cols) noexcept;

    /// One scale for each block, as it is stored.
    [[nodiscard]] trilobit::scale_spec scales() const noexcept;
    /// The scale that all blocks have, but for those of which it is 0, and the layout's zeros
    /// serve.
    [[nodiscard]] std::optional<float> only_scale() const noexcept;
    /// `values` receives a row's, `scales` one float for each block, or `one` alone if there is
    /// one.
    trilobit::status read(std::int64_t row, std::optional<float> one, std::int8_t* values,
                          float* scales) const noexcept;
};

}  // namespace tbx::capi
