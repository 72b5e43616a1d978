// SPDX-License-Identifier: MIT
// Room kernel. Enters: a family that can sum one segment of a chunk of outputs in integers. Leaves:
// the loops around it, the scaling, and finished sums in the sink.
//
// This is the only place where floats are added, so their order is the same for every family, arch,
// thread count and batch: for each output, segments in rising column order, each one
// float(acc) * (weight scale * activation scale), every step rounded.
#pragma once

#include "trilobit/version.hpp"

#include "trilobit/core/floats.hpp"
#include "trilobit/kernel/task.hpp"
#include "trilobit/simd/ops.hpp"

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI::kernel {

/// Outputs of one chunk: enough rows that one token's fixed costs vanish, enough tokens that a
/// panel of weights decoded for them costs little. Sums of both kinds take 32 KiB each.
inline constexpr int chunk_outputs = 8192;
inline constexpr int chunk_tokens = 128;
/// With several segments, each passes over all rows of a chunk before the next: few rows keep
/// weights in the order of memory, and sums in the L1 cache.
inline constexpr int segmented_outputs = 1024;

/// Limits that a family puts on its chunks. outputs, tokens: at most so many. row_step: rows of one
/// pass over decoded weights, of which a chunk has a multiple. token_step: the same of tokens,
/// where they are cut.
struct chunk_limits {
    int outputs = chunk_outputs, tokens = chunk_tokens;
    int row_step = 64, token_step = 1;
};

/// What a family keeps in a thread's scratch: its type of this name, if any. A chunk's sums follow.
template <class Family>
inline constexpr std::int64_t own_scratch_bytes = [] {
    if constexpr (requires { sizeof(typename Family::scratch); })
        return round_up(static_cast<std::int64_t>(sizeof(typename Family::scratch)), 64);
    return std::int64_t{0};
}();
template <class Family, chunk_limits Limits>
inline constexpr std::int64_t drive_scratch_bytes =
    own_scratch_bytes<Family> + 8 * std::int64_t{Limits.outputs};
template <class Family>
TRILOBIT_INLINE typename Family::scratch& own_scratch(const task& t) noexcept {
    return *reinterpret_cast<typename Family::scratch*>(t.scratch);
}

/// Row blocks that make up `Rows` rows.
template <class Layout, int Rows>
inline constexpr int group_blocks = std::max(1, Rows / Layout::tile_rows);

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

/// sums = (first ? 0 : sums) + float(acc) * scales, for all outputs of a chunk in one segment.
/// Numbers of segments are taken outside of the loops: each is a division.
template <class Arch, class Layout>
void add_scaled(const task& t, const segment& s, const chunk& c, bool first,
                const std::int32_t* acc, float* sums) noexcept {
    constexpr int rows = Layout::tile_rows;
    // Copies, which no store of a sum can change.
    const packed_view w = t.w;
    const std::int64_t blocks = c.blocks, weight_segments = w.segments();
    const std::int64_t token_scales = t.x.segments();
    const int tokens = c.tokens;
    const float* const by = t.x.scales + c.token * token_scales + s.activation_segment;
    alignas(64) float scales[16];
    for (std::int64_t b = 0; b < blocks; ++b)
        for (int r = 0; r < rows; r += 16) {
            load_scales<Arch>(w, ((c.block + b) * weight_segments + s.weight_segment) * rows + r,
                              16, scales);
            std::int64_t at = b * rows + r;
            for (int m = 0; m < tokens; ++m, at += blocks * rows) {
                if (first)
                    simd::scale_add16<Arch, true>(sums + at, acc + at, scales,
                                                  by[m * token_scales]);
                else
                    simd::scale_add16<Arch, false>(sums + at, acc + at, scales,
                                                   by[m * token_scales]);
            }
        }
}

template <class Layout, class Sum>
TRILOBIT_INLINE void write_sums(const task& t, const chunk& c, const Sum* sums,
                                void (*write)(const void*, const Sum*, std::int64_t, std::int64_t,
                                              int)) noexcept {
    const std::int64_t stride = c.blocks * Layout::tile_rows, row = c.block * Layout::tile_rows;
    const auto count = static_cast<int>(std::min(stride, t.w.rows - row));
    for (int m = 0; m < c.tokens; ++m)
        write(t.out.context, sums + m * stride, c.token + m, row, count);
}

/// Does a family scale sums itself: those of several segments, or also of one where it decodes
/// panels?
template <class Family>
constexpr bool adds_segments(std::int64_t segments, std::int64_t tokens) noexcept {
    if constexpr (requires { Family::decodes(tokens); })
        if (Family::decodes(tokens)) return segments > 0;
    if constexpr (requires { &Family::add_segments; }) return segments > 1;
    return false;
}

/// Family::sum_segment(task, segment index, segment, chunk, acc) sets acc (tokens, rows of the
/// chunk's blocks) to the exact integer sums. The segment may be a part of the one the index says,
/// from where cut_cols() allows: the sums of all parts add up to the whole's. A family may have
/// add_segments(.., acc, sums), which adds the sums of some whole segments to those of the others
/// at once; it is given no more rows than row_step, unless its chunks are larger than most.
template <class Family, class Arch, class Layout, chunk_limits Limits>
void drive(const task& t, std::int64_t block_begin, std::int64_t block_end,
           std::int64_t token_begin, std::int64_t token_end) noexcept {
    constexpr int rows = Layout::tile_rows;
    constexpr int group = group_blocks<Layout, Limits.row_step>;
    static_assert(group * rows <= Limits.outputs);
    constexpr int most_tokens = std::min(Limits.tokens, Limits.outputs / (group * rows));
    static_assert(most_tokens % Limits.token_step == 0);
    static_assert(Limits.outputs % 16 == 0, "sums of both kinds start on a cache line");
    auto* const acc = reinterpret_cast<std::int32_t*>(t.scratch + own_scratch_bytes<Family>);
    auto* const sums = reinterpret_cast<float*>(acc + Limits.outputs);
    const std::int64_t segments = segment::count(t.w, t.x);
    constexpr bool shares = Limits.outputs > chunk_outputs;  // tables, among all rows of a chunk
    constexpr bool adds = requires { &Family::add_segments; };
    const int outputs = segments == 1 || shares ? Limits.outputs : adds ? 1 : segmented_outputs;

    chunk c;
    for (c.token = token_begin; c.token < token_end; c.token += c.tokens) {
        // Equal shares: 192 tokens are 96 and 96, not 128 and 64.
        const std::int64_t left = token_end - c.token;
        const std::int64_t share = ceil_div(left, ceil_div(left, most_tokens));
        c.tokens = static_cast<int>(std::min(left, round_up(share, Limits.token_step)));
        const std::int64_t most =
            std::max<std::int64_t>(1, outputs / (c.tokens * group * rows)) * group;
        for (c.block = block_begin; c.block < block_end; c.block += c.blocks) {
            c.blocks = std::min(most, block_end - c.block);
            if (t.out.write_sums != nullptr) {
                std::fill_n(acc, c.tokens * c.blocks * rows, 0);  // no columns, no segment
                if (segments == 1) Family::sum_segment(t, 0, segment::at(t.w, t.x, 0), c, acc);
                write_sums<Layout>(t, c, acc, t.out.write_sums);
                continue;
            }
            const bool added = adds_segments<Family>(segments, c.tokens);
            if (segments == 0 || added) std::fill_n(sums, c.tokens * c.blocks * rows, 0.0f);
            for (std::int64_t i = 0; i < segments; ++i) {
                if constexpr (adds)
                    if (added) {
                        i += Family::add_segments(t, i, c, acc, sums) - 1;
                        continue;
                    }
                const segment s = segment::at(t.w, t.x, i);
                Family::sum_segment(t, i, s, c, acc);
                add_scaled<Arch, Layout>(t, s, c, i == 0, acc, sums);
            }
            write_sums<Layout>(t, c, sums, t.out.write);
        }
    }
}

/// One part of the columns of a unit: at most chunk_outputs outputs, all rows of these blocks. Sums
/// of several parts are added as integers, so their order is free and no bit tells that there were
/// any.
template <class Family, class Arch, class Layout>
void drive_part(const task& t, const chunk& c, const column_part& part) noexcept {
    const std::int64_t stride = c.blocks * Layout::tile_rows, outputs = c.tokens * stride;
    const std::int64_t segments = segment::count(t.w, t.x);
    const std::int64_t steps = column_part::most(t.w, t.x);
    const std::int64_t begin = steps * part.index / part.count;
    const std::int64_t end = steps * (part.index + 1) / part.count;
    if (segments == 1) {
        segment s = segment::at(t.w, t.x, 0);
        s.first = begin * cut_cols(t.w);
        s.width = std::min(end * cut_cols(t.w), t.w.cols) - s.first;
        Family::sum_segment(t, 0, s, c, part.sums + part.index * outputs);
    } else {
        for (std::int64_t i = begin; i < end; ++i)
            Family::sum_segment(t, i, segment::at(t.w, t.x, i), c, part.sums + i * outputs);
    }
    if (part.left->fetch_sub(1, std::memory_order_acq_rel) != 1) return;

    if (segments == 1)
        for (std::int64_t i = outputs; i < part.count * outputs; i += outputs)
            for (std::int64_t o = 0; o < outputs; ++o) part.sums[o] += part.sums[i + o];
    auto* const sums = reinterpret_cast<float*>(t.scratch + own_scratch_bytes<Family>);
    for (std::int64_t i = 0; i < segments; ++i)
        add_scaled<Arch, Layout>(t, segment::at(t.w, t.x, i), c, i == 0, part.sums + i * outputs,
                                 sums);
    write_sums<Layout>(t, c, sums, t.out.write);
}

/// What the table of kernels points to, and what it says of most families; a family inherits it.
template <class Family, class Arch, class Layout, chunk_limits Limits = chunk_limits{}>
struct driven {
    static constexpr work_unit unit{64, Limits.token_step};
    static constexpr int own_tokens = 0;
    static constexpr std::int64_t scratch_bytes() noexcept {
        static_assert(8 * Limits.outputs >= 4 * chunk_outputs, "those of a part are floats alone");
        return drive_scratch_bytes<Family, Limits>;
    }
    static void run(const task& t, std::int64_t block_begin, std::int64_t block_end,
                    std::int64_t token_begin, std::int64_t token_end) noexcept {
        const standard_floats standard;
        drive<Family, Arch, Layout, Limits>(t, block_begin, block_end, token_begin, token_end);
    }
    static void run_part(const task& t, const chunk& c, const column_part& part) noexcept {
        const standard_floats standard;
        drive_part<Family, Arch, Layout>(t, c, part);
    }
};

/// `factor` times the sum of the activations of each segment: int32 (tokens, segments). `dot`
/// starts from it: its codes are the weights less their lowest value, which is the factor.
template <class Arch>
void scaled_sums(const packed_shape& w, const activation_view& x, std::int64_t token_begin,
                 std::int64_t token_end, std::int32_t factor, std::int32_t* sums) noexcept {
    constexpr int bytes = simd::register_bytes<Arch>;
    const simd::u8<Arch> ones(std::uint8_t{1});
    const std::int64_t segments = segment::count(w, x);
    for (std::int64_t m = token_begin; m < token_end; ++m)
        for (std::int64_t i = 0; i < segments; ++i) {
            const segment s = segment::at(w, x, i);
            const std::int8_t* values = x.token(m) + s.first;
            // At most 2^18 columns of 128.
            simd::i32<Arch> lanes(0);
            std::int64_t c = 0;
            for (; c + bytes <= s.width; c += bytes)
                lanes = simd::dot4<Arch>(lanes, ones,
                                         simd::u8<Arch>::load_unaligned(
                                             reinterpret_cast<const std::uint8_t*>(values) + c));
            std::int32_t sum = xsimd::reduce_add(lanes);
            for (; c < s.width; ++c) sum += values[c];
            sums[m * segments + i] = factor * sum;
        }
}

}  // namespace trilobit::inline TRILOBIT_ABI::kernel

#include "trilobit/core/end.hpp"
