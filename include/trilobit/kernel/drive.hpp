// SPDX-License-Identifier: MIT
// Room kernel. Enters: a family that can sum one segment of one row block in integers. Leaves: the
// loops around it, the scaling, and finished sums in the sink.
//
// This is the only place where floats are added, so their order is the same for every family, arch,
// thread count and batch: for each output, segments in rising column order, each one
// float(acc) * (weight scale * activation scale), every step rounded.
#pragma once

#include "trilobit/kernel/task.hpp"
#include "trilobit/simd/ops.hpp"

namespace trilobit::kernel {

/// Tokens that pass through one row block while its weights stay in the L1 cache.
inline constexpr int token_chunk = 32;

/// Scales of one segment of a row block as floats; zero for rows past the matrix.
template <class Arch>
void load_scales(const packed_view& w, std::int64_t block, std::int64_t weight_segment,
                 float* scales) noexcept {
    const std::int64_t at = (block * w.segments() + weight_segment) * w.tile.rows;
    if (w.scale.per == granularity::tensor) {
        const float one = w.scale_at(0);
        for (int r = 0; r < w.tile.rows; ++r) scales[r] = one;
    } else if (w.scale.type == scale_type::f32) {
        std::memcpy(scales, static_cast<const float*>(w.scales) + at,
                    sizeof(float) * static_cast<std::size_t>(w.tile.rows));
    } else {
        const auto* halves = static_cast<const std::uint16_t*>(w.scales) + at;
        for (int r = 0; r < w.tile.rows; r += 16) simd::load_f16x16<Arch>(halves + r, scales + r);
    }
}

/// Family::sum_segment(task, segment index, segment, block, first token, tokens, acc) sets
/// acc (tokens, tile_rows) to the exact integer sums.
template <class Family, class Arch, class Layout>
void drive(const task& t, std::int64_t block_begin, std::int64_t block_end,
           std::int64_t token_begin, std::int64_t token_end) noexcept {
    constexpr int rows = Layout::tile_rows;
    alignas(64) std::int32_t acc[token_chunk * rows];
    alignas(64) float sums[token_chunk * rows];
    alignas(64) float scales[rows];
    const std::int64_t segments = segment::count(t.w, t.x);

    for (std::int64_t token = token_begin; token < token_end; token += token_chunk) {
        const int tokens = static_cast<int>(std::min<std::int64_t>(token_chunk, token_end - token));
        for (std::int64_t block = block_begin; block < block_end; ++block) {
            std::memset(sums, 0, sizeof(float) * static_cast<std::size_t>(tokens * rows));
            for (std::int64_t i = 0; i < segments; ++i) {
                const segment s = segment::at(t.w, t.x, i);
                Family::sum_segment(t, i, s, block, token, tokens, acc);
                load_scales<Arch>(t.w, block, s.weight_segment, scales);
                for (int m = 0; m < tokens; ++m)
                    for (int r = 0; r < rows; r += 16)
                        simd::scale_add16<Arch>(sums + m * rows + r, acc + m * rows + r, scales + r,
                                                t.x.scale_of(token + m, s.activation_segment));
            }
            const std::int64_t row = block * rows;
            const int count = static_cast<int>(std::min<std::int64_t>(rows, t.w.rows - row));
            for (int m = 0; m < tokens; ++m)
                t.out.write(t.out.context, sums + m * rows, token + m, row, count);
        }
    }
}

/// Sums of the activations of each segment: int32 (tokens, segments), what `dot` seeds with.
template <class Arch>
void sum_activations(const packed_shape& w, const activation_view& x, std::int64_t token_begin,
                     std::int64_t token_end, std::int32_t* sums) noexcept {
    const std::int64_t segments = segment::count(w, x);
    for (std::int64_t m = token_begin; m < token_end; ++m)
        for (std::int64_t i = 0; i < segments; ++i) {
            const segment s = segment::at(w, x, i);
            const std::int8_t* values = x.token(m) + s.first;
            std::int32_t sum = 0;  // at most 2^18 columns of 128
            for (std::int64_t c = 0; c < s.width; ++c) sum += values[c];
            sums[m * segments + i] = sum;
        }
}

}  // namespace trilobit::kernel
