// SPDX-License-Identifier: MIT
// Room formats. Enters: the shape of a matrix. Leaves: the sizes by which bitnet.cpp's TL1 and TL2
// cut it. They were chosen when its kernels were generated and lie in no file: writer and reader
// must know the same table.
//
// For the shapes that bitnet.cpp's setup_env.py lists, what it lists. For others, what divides the
// shape: rows 256, 128, 320, 160, 64 or 32; columns of TL1 128 or 64, with lanes 32 or 64 as listed
// beside them; columns of TL2 96. A file that was made otherwise needs its numbers said.
#pragma once

#include "formats/format.hpp"

namespace tbx::formats {

namespace detail {

struct listed_tile {
    std::int64_t rows, cols;
    lut_tile tl1, tl2;
};

inline constexpr listed_tile listed_tiles[] = {
    // bitnet_b1_58-large
    {1536, 4096, {256, 128, 32}, {256, 96, 32}},
    {1536, 1536, {128, 64, 64}, {128, 192, 32}},
    {4096, 1536, {256, 128, 32}, {256, 96, 32}},
    // bitnet_b1_58-3B
    {3200, 8640, {160, 64, 32}, {160, 96, 32}},
    {3200, 3200, {320, 128, 64}, {320, 96, 32}},
    {8640, 3200, {320, 64, 32}, {320, 96, 32}},
    // Llama3-8B-1.58
    {14336, 4096, {256, 128, 32}, {256, 96, 32}},
    {4096, 14336, {128, 64, 64}, {128, 96, 32}},
    {1024, 4096, {256, 128, 32}, {256, 96, 32}},
    {4096, 4096, {128, 64, 64}, {128, 96, 32}},
};

constexpr int tile_rows_of(std::int64_t rows) noexcept {
    for (const int each : {256, 128, 320, 160, 64, 32})
        if (rows % each == 0) return each;
    return 32;
}

}  // namespace detail

constexpr lut_tile tl1_tile(const shape& s) noexcept {
    if (s.tile != lut_tile{}) return s.tile;
    for (const detail::listed_tile& t : detail::listed_tiles)
        if (t.rows == s.rows && t.cols == s.cols) return t.tl1;
    const int cols = s.cols % 128 == 0 ? 128 : 64;
    const int rows = detail::tile_rows_of(s.rows);
    return {rows, cols, cols == 128 || rows % 64 != 0 ? 32 : 64};
}

constexpr lut_tile tl2_tile(const shape& s) noexcept {
    if (s.tile != lut_tile{}) return s.tile;
    for (const detail::listed_tile& t : detail::listed_tiles)
        if (t.rows == s.rows && t.cols == s.cols) return t.tl2;
    return {detail::tile_rows_of(s.rows), 96, 32};
}

}  // namespace tbx::formats
