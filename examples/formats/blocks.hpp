// SPDX-License-Identifier: MIT
// Room formats. Enters: a type that says how one block lies in bytes. Leaves: the format whose rows
// are whole such blocks, one after the other, each with a scale of half precision.
//
// A Block has: cols, bytes, scale_at (where in the block its scale lies), read(block, values) and
// write(values, block), which return false for codes and values that are none of the format's.
#pragma once

#include "formats/format.hpp"
#include "formats/scales.hpp"

namespace tbx::formats {

template <class Block, kind Kind>
struct rows_of_blocks {
    static std::optional<std::int64_t> bytes(const shape& s) noexcept {
        return whole_blocks(s.rows, s.cols, Block::cols, Block::bytes);
    }
    static fault read(std::span<const std::byte> tensor, const shape& s, std::int64_t row,
                      std::int8_t* values, float* scales) noexcept {
        const std::int64_t blocks = s.cols / Block::cols;
        const std::byte* block = tensor.data() + row * blocks * Block::bytes;
        bool sound = true, finite = true;
        for (std::int64_t b = 0; b < blocks; ++b, block += Block::bytes) {
            finite &= read_half(block + Block::scale_at, scales[b]);
            if (values != nullptr) sound &= Block::read(block, values + b * Block::cols);
        }
        return first_fault(sound, finite);
    }
    static fault write(std::span<std::byte> tensor, const shape& s, std::int64_t row,
                       const std::int8_t* values, const float* scales) noexcept {
        const std::int64_t blocks = s.cols / Block::cols;
        std::byte* block = tensor.data() + row * blocks * Block::bytes;
        if (!all_held<Kind>(values, s.cols)) return fault::code;
        bool sound = true, fits = true;
        for (std::int64_t b = 0; b < blocks; ++b, block += Block::bytes) {
            fits &= write_half(scales[b], block + Block::scale_at);
            sound &= Block::write(values + b * Block::cols, block);
        }
        return first_fault(sound, fits);
    }
};

template <class Block, kind Kind>
constexpr format block_format(std::string_view name) noexcept {
    using rows = rows_of_blocks<Block, Kind>;
    return {name, Kind, scale_per::group, Block::cols, &rows::bytes, &rows::read, &rows::write};
}

}  // namespace tbx::formats
