// SPDX-License-Identifier: MIT
// Room kernel. Enters: the scales of weights and activations, and exact sums of segments. Leaves:
// scales as floats where a register tile wants them, and sums scaled and added up.
#pragma once

#include "trilobit/version.hpp"

#include "trilobit/kernel/span.hpp"
#include "trilobit/kernel/task.hpp"

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI::kernel {

/// Weight scales from number `at` on, `count` of them, a multiple of sixteen, as floats; zero for
/// rows past the matrix. Stored as wide as they are loaded again: a load of what two stores have
/// left waits for both.
template <class Arch>
TRILOBIT_INLINE void load_scales(const packed_view& w, std::int64_t at, std::int64_t count,
                                 float* scales) noexcept {
    using f32 = simd::f32<Arch>;
    constexpr int step = simd::lanes<Arch>;
    if (w.scale.per == granularity::tensor) {
        for (std::int64_t i = 0; i < count; i += step) f32(w.scale_at(0)).store_aligned(scales + i);
    } else if (!little_endian) {
        for (std::int64_t i = 0; i < count; ++i) scales[i] = w.scale_at(at + i);
    } else if (w.scale.type == scale_type::f32) {
        const auto* from = static_cast<const float*>(w.scales) + at;
        for (std::int64_t i = 0; i < count; i += step)
            f32::load_unaligned(from + i).store_aligned(scales + i);
    } else {
        const auto* from = static_cast<const std::uint16_t*>(w.scales) + at;
        for (std::int64_t i = 0; i < count; i += 16) simd::load_f16x16<Arch>(from + i, scales + i);
    }
}

/// sums += float(acc) * scales, for all outputs of a block in one segment. Numbers of segments are
/// taken outside of the loops: each is a division.
template <class Arch, class Layout>
void add_scaled(const task& t, const segment& s, const block& b, const std::int32_t* acc,
                float* sums) noexcept {
    constexpr int rows = Layout::tile_rows;
    // Copies, which no store of a sum can change.
    const packed_view w = t.w;
    const std::int64_t row_blocks = b.row_blocks, weight_segments = w.segments();
    const std::int64_t token_scales = t.x.segments();
    const int tokens = b.tokens;
    const float* const by = t.x.scales + b.token * token_scales + s.activation_segment;
    alignas(64) float scales[16];
    for (std::int64_t i = 0; i < row_blocks; ++i)
        for (int r = 0; r < rows; r += 16) {
            const std::int64_t of_block = (b.row_block + i) * weight_segments + s.weight_segment;
            load_scales<Arch>(w, of_block * rows + r, 16, scales);
            std::int64_t at = i * rows + r;
            for (int m = 0; m < tokens; ++m, at += row_blocks * rows)
                simd::scale_add16<Arch>(sums + at, acc + at, scales, by[m * token_scales]);
        }
}

/// Segments from `index` on that one call can sum and scale: equal ones, each of whole tiles and
/// with scales of its own; else one.
inline int scalable_segments(const task& t, std::int64_t index) noexcept {
    const std::int64_t step = segment::step(t.w, t.x), segments = segment::count(t.w, t.x);
    const bool alike = t.w.scale.per == granularity::group && t.w.segments() == segments &&
                       (t.x.segments() == 1 || t.x.segments() == segments);
    if (!alike) return 1;
    return static_cast<int>(std::clamp<std::int64_t>(t.w.cols / step - index, 1, scaled_segments));
}

/// Makes a span of a block add span.segments segments, scaled, to `floats`. `scales` has room for
/// those of all rows: (16 rows, segments, 16).
template <class Arch, class Layout>
void scale_into(const task& t, const segment& s, const block& b, float* scales, float* floats,
                tile_span& span) noexcept {
    constexpr int rows = Layout::tile_rows;
    sums_span& to = span.to;
    to.floats = floats;
    to.row_scales = scales;
    to.block_scale_stride = 16 * span.segments;
    to.token_scale_stride = t.x.segments();
    to.next_token_scale = t.x.segments() == 1 ? 0 : 1;
    to.token_scales = t.x.scales + b.token * to.token_scale_stride + s.activation_segment;
    const std::int64_t segments = t.w.segments();
    for (std::int64_t i = 0; i < b.row_blocks; ++i) {
        const std::int64_t first = (b.row_block + i) * segments + s.weight_segment;
        float* const of_block = scales + i * rows * span.segments;
        if (rows == 16)
            load_scales<Arch>(t.w, first * rows, to.block_scale_stride, of_block);
        else
            for (int k = 0; k < span.segments; ++k)
                for (int r = 0; r < rows; r += 16)
                    load_scales<Arch>(t.w, (first + k) * rows + r, 16,
                                      of_block + r * span.segments + 16 * k);
    }
}

}  // namespace trilobit::inline TRILOBIT_ABI::kernel

#include "trilobit/core/end.hpp"
