// SPDX-License-Identifier: MIT
// Room kernel. Enters: nothing. Leaves: where the weights, the operand and the sums of a register
// tile lie: what tile.hpp takes.
#pragma once

#include "trilobit/version.hpp"

#include "trilobit/core/arithmetic.hpp"
#include "trilobit/simd/ops.hpp"

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI::kernel {

/// Tiles along the columns, of rows whose registers follow each other: 64 bytes of one row block,
/// then those of the next.
struct weights_span {
    const std::byte* tiles;
    std::int64_t count;         // tiles of one segment
    std::int64_t block_stride;  // bytes from row block to row block
};

/// What the tiles meet: activations, bit planes or tables.
struct operand_span {
    const std::byte* first;     // of the first token and tile
    std::int64_t token_stride;  // bytes
};

/// Sums, int32 (tokens, rows): acc = start + weight * sum of the tiles, or of several segments
/// floats += (start + weight * sum) * scales, and acc is left alone.
struct sums_span {
    std::int32_t* acc;
    std::int64_t stride;                  // from token to token, of acc and of floats
    const std::int32_t* start = nullptr;  // (tokens, segments); null: what acc holds
    std::int64_t start_stride = 0;
    int weight = 1;  // or 2, or -2

    float* floats = nullptr;
    const float* row_scales = nullptr;    // (16 rows, segments, 16), see load_row_scales
    std::int64_t block_scale_stride = 0;  // from sixteen rows to the next sixteen
    const float* token_scales = nullptr;  // of the first token and segment
    std::int64_t token_scale_stride = 0;
    std::int64_t next_token_scale = 0;  // from segment to segment

    TRILOBIT_INLINE void start_from_zero() noexcept {
        static constexpr std::int32_t zero[32] = {};
        start = zero;
        start_stride = 0;
    }
    /// From `row` rows and `token` tokens on.
    TRILOBIT_INLINE void move_from(const sums_span& s, std::int64_t row,
                                   std::int64_t token) noexcept {
        acc = s.acc + token * s.stride + row;
        if (s.start != nullptr) start = s.start + token * s.start_stride;
        if (s.floats == nullptr) return;
        floats = s.floats + token * s.stride + row;
        row_scales = s.row_scales + row / 16 * s.block_scale_stride + row % 16;
        token_scales = s.token_scales + token * s.token_scale_stride;
    }
};

/// `segments` follow each other, each of as many tiles, where sums are scaled; else there is one.
struct tile_span {
    weights_span w;
    operand_span x;
    sums_span to;
    int segments = 1;

    /// From the r-th register of rows and the m-th token on.
    template <class Shape>
    [[nodiscard]] TRILOBIT_INLINE tile_span at(int r, int m) const noexcept {
        tile_span moved = *this;
        moved.w.tiles += Shape::offset(w, r);
        moved.x.first += m * x.token_stride;
        moved.to.move_from(to, r * Shape::rows_of_register, m);
        return moved;
    }
};

/// Segments whose scales are loaded together.
inline constexpr int scaled_segments = 32;

/// Bytes from the first register of rows to the r-th; a row block is 64 bytes of them.
template <class Arch>
TRILOBIT_INLINE std::int64_t register_offset(const weights_span& w, int r) noexcept {
    constexpr int registers = 64 / simd::register_bytes<Arch>;
    return r / registers * w.block_stride + r % registers * simd::register_bytes<Arch>;
}

/// A few tokens read each weight once, at the speed of memory: this far ahead in all, past the end
/// of the rows into the next ones, where the hardware's own prefetcher has to start anew.
inline constexpr int prefetch_bytes = 4096;

/// Asks for what `Tiles` tiles of `Lines` row blocks will need. Past the end of a row that is what
/// the next call's rows begin with.
template <class Arch, int Lines, int Tiles, int TileBytes>
TRILOBIT_INLINE void prefetch_rows(const tile_span& s, const std::byte* tile) noexcept {
    constexpr int ahead = prefetch_bytes / std::min(Lines, 2);
    const std::int64_t row_bytes = s.w.count * s.segments * TileBytes;
    const bool ends = tile + ahead >= s.w.tiles + row_bytes;
    const std::byte* soon = tile + ahead + (ends ? Lines * s.w.block_stride - row_bytes : 0);
    TRILOBIT_UNROLL
    for (int i = 0; i < Tiles; ++i, soon += TileBytes) {
        TRILOBIT_UNROLL
        for (int r = 0; r < Lines; ++r) TRILOBIT_UNROLL
        for (int line = 0; line < TileBytes; line += 64)
            simd::prefetch<Arch>(soon + r * s.w.block_stride + line);
    }
}

/// acc, or floats, from the totals of a segment: (registers of rows, tokens).
template <class Arch, int Registers, int Tokens>
TRILOBIT_INLINE void finish(const sums_span& s, int segment,
                            simd::i32<Arch> (&totals)[Registers][Tokens]) noexcept {
    using i32 = simd::i32<Arch>;
    constexpr int lanes = simd::lanes<Arch>;
    if (s.weight != 1) {
        TRILOBIT_UNROLL
        for (int r = 0; r < Registers; ++r) TRILOBIT_UNROLL
        for (int m = 0; m < Tokens; ++m)
            totals[r][m] += totals[r][m];  // a product takes ten cycles
    }
    if (s.weight < 0) {
        TRILOBIT_UNROLL
        for (int r = 0; r < Registers; ++r) TRILOBIT_UNROLL
        for (int m = 0; m < Tokens; ++m) totals[r][m] = i32(0) - totals[r][m];
    }
    if (s.start != nullptr) {
        const std::int32_t* start = s.start + segment;
        TRILOBIT_UNROLL
        for (int m = 0; m < Tokens; ++m) {
            TRILOBIT_UNROLL
            for (int r = 0; r < Registers; ++r) totals[r][m] += i32(*start);
            simd::advance(start, s.start_stride);
        }
    } else {
        const std::int32_t* acc = s.acc;
        TRILOBIT_UNROLL
        for (int m = 0; m < Tokens; ++m) {
            TRILOBIT_UNROLL
            for (int r = 0; r < Registers; ++r) totals[r][m] += i32::load_aligned(acc + r * lanes);
            simd::advance(acc, s.stride);
        }
    }
    if (s.floats == nullptr) {
        std::int32_t* acc = s.acc;
        TRILOBIT_UNROLL
        for (int m = 0; m < Tokens; ++m) {
            TRILOBIT_UNROLL
            for (int r = 0; r < Registers; ++r) totals[r][m].store_aligned(acc + r * lanes);
            simd::advance(acc, s.stride);
        }
    } else {
        const float* scales[Registers];
        TRILOBIT_UNROLL
        for (int r = 0; r < Registers; ++r)
            scales[r] = s.row_scales + r * lanes / 16 * s.block_scale_stride + r * lanes % 16 +
                        16 * segment;
        const float* by = s.token_scales + segment * s.next_token_scale;
        float* floats = s.floats;
        TRILOBIT_UNROLL
        for (int m = 0; m < Tokens; ++m) {
            TRILOBIT_UNROLL
            for (int r = 0; r < Registers; ++r)
                simd::scale_add<Arch>(floats + r * lanes, totals[r][m], scales[r], *by);
            simd::advance(by, s.token_scale_stride);
            simd::advance(floats, s.stride);
        }
    }
}

}  // namespace trilobit::inline TRILOBIT_ABI::kernel

#include "trilobit/core/end.hpp"
