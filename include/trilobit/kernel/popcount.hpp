// SPDX-License-Identifier: MIT
// Room kernel. Enters: bit planes of weights; activations, which prepare() turns into bit planes.
// Leaves: exact sums from counts of ones. Claims the plane layouts and every activation; it pays
// where activations have few bits.
//
// With mask m (weight is not 0), sign s (weight is -1) and plane b of the activations, a = sum of
// c_b a_b: the ones of m & (s ^ a_b) are the +1s that meet a 1 and the -1s that meet a 0, so
//   sum of w a_b = P_b - N,   P_b = popcount(m & (s ^ a_b)),   N = weights that are -1.
//   two's complement, where the c_b add up to -1:   sum of w a = sum of c_b P_b + N
//   signs, a = 2 a_0 - 1:                           sum of w a = 2 P_0 - (weights that are not 0)
// Of n dense weights, whose bits are 1 for +1, the ones D_b of m & (bit ^ a_b) are what P_b lacks
// of n:
//   sum of w a = -sum of c_b D_b - (weights that are +1);   signs:  n - 2 D_0
// dot4 adds the four counts of a lane and multiplies by c_b in one instruction.
#pragma once

#include "trilobit/version.hpp"

#include "trilobit/core/endian.hpp"
#include "trilobit/kernel/drive.hpp"
#include "trilobit/kernel/layouts/all.hpp"

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI::kernel {

template <class Arch, class Layout, class Act>
struct popcount : driven<popcount<Arch, Layout, Act>, Arch, Layout> {
    static constexpr kernel_id id = kernel_id::popcount;
    static constexpr bool available = false;
};

template <class Arch, class Layout, class Act>
    requires requires { bit_planes<Layout>::dense; }
struct popcount<Arch, Layout, Act> : driven<popcount<Arch, Layout, Act>, Arch, Layout> {
    static constexpr kernel_id id = kernel_id::popcount;
    static constexpr bool available = true;
    using words = plane_words<Layout, Act>;
    static constexpr int planes = words::planes;

    /// Three instructions for each plane of eight registers of weights, seven where bits are
    /// counted by lookups, twenty with neither; see dot for the unit.
    static constexpr double cost(const packed_shape&, std::int64_t) noexcept {
        using machine = simd::machine<Arch>;
        const double each = machine::counts_bits          ? 0.65 * machine::cost.simple
                            : machine::table_entries == 0 ? 2.4
                            : simd::exact_dot4<Arch>      ? 1.0
                                                          : 1.2;
        return planes * each * 64 / simd::register_bytes<Arch>;
    }
    static constexpr bool accepts(const packed_shape& w, const activation_shape& x) noexcept {
        return segments_start_on_tiles(w, x);
    }
    static constexpr std::int64_t token_bytes(const activation_shape& x) noexcept {
        return ceil_div(x.cols, 32) * words::count * 4;
    }
    static constexpr std::int64_t operand_bytes(const packed_shape&,
                                                const activation_shape& x) noexcept {
        return x.tokens * token_bytes(x);
    }

    static void prepare(const task& t, std::int64_t token_begin, std::int64_t token_end) noexcept {
        for (std::int64_t m = token_begin; m < token_end; ++m) {
            auto* to = reinterpret_cast<std::uint32_t*>(t.operand + m * token_bytes(t.x));
            for (std::int64_t first = 0; first < t.x.cols; first += 32, to += words::count) {
                const std::int8_t* x = t.x.token(m) + first;  // zeros past the last column
                if constexpr (words::dense) {
                    const little<std::uint32_t> valid = column_mask(t.x.cols - first);
                    std::memcpy(to, &valid, sizeof valid);
                }
                std::uint32_t plane[planes] = {};
                for (int f = 0; f < 8; ++f) {
                    // Four columns, a byte each, are bit f of the four bytes of every plane's word.
                    std::uint32_t four;
                    std::memcpy(&four, x + 4 * f, sizeof four);
                    if constexpr (words::signs) four &= ~(four >> 1);  // of +1, -1, 0 only +1
                    for (int b = 0; b < planes; ++b) plane[b] |= (four >> b & 0x01010101u) << f;
                }
                std::copy_n(plane, planes, to + words::count - planes);
            }
        }
    }

    static void sum_segment(const task& t, std::int64_t, const segment& s, const block& b,
                            std::int32_t* acc) noexcept {
        // A dense row of signs starts from its number of columns: n - 2 D_0.
        const auto columns = static_cast<std::int32_t>(s.width);
        tile_span span{};
        span.w = {t.w.tile_at(b.row_block, 0) + s.first_tile(t.w) * Layout::tile_bytes,
                  s.tiles(t.w), t.w.row_tiles() * Layout::tile_bytes};
        span.x = {t.operand + b.token * token_bytes(t.x) + s.first / 32 * words::count * 4,
                  token_bytes(t.x)};
        span.to.acc = acc;
        span.to.stride = b.row_blocks * Layout::tile_rows;
        span.to.start_from_zero();
        if (words::dense && words::signs) span.to.start = &columns;
        using shape = planes_shape<Arch, Layout, Act>;
        sum_tiles<Arch, shape>(span, static_cast<int>(b.row_blocks) * shape::registers, b.tokens);
    }
};

}  // namespace trilobit::inline TRILOBIT_ABI::kernel

#include "trilobit/core/end.hpp"
