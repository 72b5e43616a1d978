// SPDX-License-Identifier: MIT
// Room kernel. Enters: sums of int16 for a row and a register of tokens, of a step of
// vector_lookup.hpp. Leaves: what becomes of them. They wait for the next step, and are widened
// when they are full; or, where a segment is too narrow to fill them, are scaled and added to
// floats. Last of all, (row, token) becomes (token, row).
#pragma once

#include "trilobit/version.hpp"

#include "trilobit/kernel/drive.hpp"
#include "trilobit/kernel/vector_table.hpp"

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI::kernel {

/// After a step a row's sums wait in int16 for the next one.
template <class Arch, class Layout>
struct wait_in_int16 {
    void next_block() const noexcept {}
    TRILOBIT_INLINE void operator()(int, simd::i16<Arch>* sum, std::int16_t* to) const noexcept {
        constexpr int lanes = simd::register_bytes<Arch> / 2;
        TRILOBIT_UNROLL
        for (int v = 0; v < table_shape<Arch, Layout>::tokens / lanes; ++v)
            sum[v].store_aligned(to + v * lanes);
    }
};

/// After a step a row's sums are scaled and added to floats (row, token), the even tokens of a
/// register before the odd ones.
template <class Arch, class Layout>
struct scale_and_add {
    using shape = table_shape<Arch, Layout>;
    static constexpr int lanes = simd::lanes<Arch>;
    const packed_view w;
    std::int64_t at, segments;  // of the next row block's scales
    std::int32_t* scaled;
    alignas(64) float of_rows[Layout::tile_rows], of_tokens[shape::tokens] = {};

    static constexpr int token(int place) noexcept {
        const int l = place % shape::lanes;
        return place - l + 2 * (l % lanes) + l / lanes;
    }
    scale_and_add(const task& t, const segment& s, const block& b, std::int32_t* to) noexcept
        : w(t.w),
          at(b.row_block * t.w.segments() + s.weight_segment),
          segments(t.w.segments()),
          scaled(to) {
        const float* const by = t.x.scales + b.token * t.x.segments() + s.activation_segment;
        for (int i = 0; i < shape::tokens; ++i)
            if (token(i) < b.tokens) of_tokens[i] = by[token(i) * t.x.segments()];
    }
    void next_block() noexcept {
        for (int r = 0; r < Layout::tile_rows; r += 16)
            load_scales<Arch>(w, at * Layout::tile_rows + r, 16, of_rows + r);
        at += segments;
    }
    TRILOBIT_INLINE void operator()(int row, simd::i16<Arch>* sum, std::int16_t* to) noexcept {
        using namespace simd;
        const i16<Arch> even = simd::bitwise_cast<std::int16_t>(i32<Arch>(1));
        const i16<Arch> odd = simd::bitwise_cast<std::int16_t>(i32<Arch>(1 << 16));
        const f32<Arch> scale(of_rows[row]);
        TRILOBIT_UNROLL
        for (int v = 0; v < shape::tokens / shape::lanes; ++v) {
            TRILOBIT_UNROLL
            for (int h = 0; h < 2; ++h) {
                const int from = v * shape::lanes + h * lanes;
                const i32<Arch> wide = dot2<Arch>(i32<Arch>(0), sum[v], h == 0 ? even : odd);
                const auto before =
                    simd::bitwise_cast<float>(i32<Arch>::load_aligned(scaled + from));
                const auto product =
                    times_scales<Arch>(wide, scale, f32<Arch>::load_aligned(of_tokens + from));
                simd::bitwise_cast<std::int32_t>(before + product).store_aligned(scaled + from);
            }
            i16<Arch>(0).store_aligned(to + v * shape::lanes);
        }
        scaled += shape::tokens;
    }
};

/// sums (token, row) = scaled (row, token), as scale_and_add left them.
template <class Arch, class Layout>
void turn_sums(const std::int32_t* scaled, std::int64_t rows, int tokens, float* sums,
               std::int64_t stride) noexcept {
    constexpr int lanes = simd::lanes<Arch>, width = table_shape<Arch, Layout>::tokens;
    for (std::int64_t r = 0; r < rows; r += lanes)
        for (int at = 0; at < width; at += lanes) {
            simd::f32<Arch> turned[lanes];
            for (int j = 0; j < lanes; ++j)
                turned[j] = simd::bitwise_cast<float>(
                    simd::i32<Arch>::load_aligned(scaled + (r + j) * width + at));
            simd::transpose(turned, turned + lanes);
            for (int j = 0; j < lanes; ++j)
                if (const int m = scale_and_add<Arch, Layout>::token(at + j); m < tokens)
                    turned[j].store_aligned(sums + m * stride + r);
        }
}

/// acc (token, row) = (first ? 0 : acc) + sums
template <class Arch, class Layout>
void widen_sums(const std::int16_t* sums, std::int64_t rows, int tokens, bool first,
                std::int32_t* acc, std::int64_t acc_stride) noexcept {
    constexpr int width = table_shape<Arch, Layout>::tokens, step = 16;
    for (int m = 0; m < tokens; m += 8)
        for (std::int64_t r = 0; r < rows; r += step) {
            alignas(64) std::int16_t turned[8][step];
            for (int i = 0; i < step; i += 8)
                simd::transpose8<Arch>(sums + (r + i) * width + m, width, turned[0] + i, step);
            for (int i = 0; i < std::min(8, tokens - m); ++i) {
                std::int32_t* TRILOBIT_RESTRICT to = acc + (m + i) * acc_stride + r;
                if (first)
                    for (int j = 0; j < step; ++j) to[j] = turned[i][j];
                else
                    for (int j = 0; j < step; ++j) to[j] += turned[i][j];
            }
        }
}

}  // namespace trilobit::inline TRILOBIT_ABI::kernel

#include "trilobit/core/end.hpp"
