// SPDX-License-Identifier: MIT
// Room kernel. Enters: a family that can sum one segment of a block of outputs in integers. Leaves:
// the loops around it, the scaling, and finished sums in the sink.
//
// This is the only place where floats are added, beside finish() of span.hpp and the tables of
// vectors, and their order is the same for every family, arch, thread count and number of tokens:
// for each output, segments in rising column order, each one
// float(acc) * (weight scale * activation scale), every step rounded.
#pragma once

#include "trilobit/version.hpp"

#include "trilobit/core/floats.hpp"
#include "trilobit/kernel/kernel_id.hpp"
#include "trilobit/kernel/scales.hpp"

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI::kernel {

/// Outputs of one block: enough rows that one token's fixed costs vanish, enough tokens that a
/// panel of weights decoded for them costs little. Sums of both kinds take 32 KiB each.
inline constexpr int block_outputs = 8192;
inline constexpr int block_tokens = 128;
/// With several segments, each passes over all rows of a block before the next: few rows keep
/// weights in the order of memory, and sums in the L1 cache.
inline constexpr int segmented_outputs = 1024;

/// Limits that a family puts on its blocks. outputs, tokens: at most so many. row_step: rows of one
/// pass over decoded weights, of which a block has a multiple. token_step: the same of tokens,
/// where they are divided.
struct block_limits {
    int outputs = block_outputs, tokens = block_tokens;
    int row_step = 64, token_step = 1;
};

/// What a family keeps in a thread's scratch: its type of this name, if any. A block's sums follow.
template <class Family>
inline constexpr std::int64_t own_scratch_bytes = [] {
    if constexpr (requires { sizeof(typename Family::scratch); })
        return round_up(static_cast<std::int64_t>(sizeof(typename Family::scratch)), 64);
    return std::int64_t{0};
}();
template <class Family>
TRILOBIT_INLINE typename Family::scratch& own_scratch(const task& t) noexcept {
    return *reinterpret_cast<typename Family::scratch*>(t.scratch);
}

/// Row blocks that make up `Rows` rows.
template <class Layout, int Rows>
inline constexpr int group_blocks = std::max(1, Rows / Layout::tile_rows);

/// write(context, sums of consecutive rows, token, row, count) for each token of a block.
template <class Layout, class Sum>
TRILOBIT_INLINE void write_sums(const task& t, const block& b,
                                void (*write)(const void*, const Sum*, std::int64_t, std::int64_t,
                                              int),
                                const Sum* sums) noexcept {
    const std::int64_t stride = b.row_blocks * Layout::tile_rows;
    const std::int64_t row = b.row_block * Layout::tile_rows;
    const auto count = static_cast<int>(std::min(stride, t.w.rows - row));
    for (int m = 0; m < b.tokens; ++m)
        write(t.out.context, sums + m * stride, b.token + m, row, count);
}

/// What the table of kernels points to, and what it says of most families; a family inherits it.
///   sum_segment(task, index, segment, block, acc)    acc (tokens, rows of the block) = exact sums
///   add_segments(task, index, block, acc, sums)      if any: adds some segments from `index` on,
///       scaled, and says how many; 0 leaves the next one to sum_segment. Of several segments it
///       is given at most row_step rows, unless its blocks are larger than most; of one, any block.
template <class Family, class Arch, class Layout, block_limits Limits = block_limits{}>
struct driven {
    static constexpr task_shape unit{64, Limits.token_step};
    static constexpr int own_tokens = 0;
    static constexpr std::int64_t scratch_bytes() noexcept {
        return own_scratch_bytes<Family> + 8 * std::int64_t{Limits.outputs};
    }

    static void run(const task& t, std::int64_t block_begin, std::int64_t block_end,
                    std::int64_t token_begin, std::int64_t token_end) noexcept {
        const standard_floats standard;
        constexpr int rows = Layout::tile_rows;
        constexpr int group = group_blocks<Layout, Limits.row_step>;
        constexpr int most_tokens = std::min(Limits.tokens, Limits.outputs / (group * rows));
        constexpr bool adds = requires { &Family::add_segments; };
        static_assert(group * rows <= Limits.outputs && most_tokens % Limits.token_step == 0);
        static_assert(Limits.outputs % 16 == 0, "sums of both kinds start on a cache line");
        const std::int64_t segments = segment::count(t.w, t.x);
        const bool large = segments == 1 || Limits.outputs > block_outputs;
        const int outputs = large ? Limits.outputs : adds ? 1 : segmented_outputs;

        block b;
        for (b.token = token_begin; b.token < token_end; b.token += b.tokens) {
            // Nearly equal blocks: 192 tokens are 96 and 96, not 128 and 64.
            const std::int64_t left = token_end - b.token;
            const std::int64_t equal = ceil_div(left, ceil_div(left, most_tokens));
            b.tokens = static_cast<int>(std::min(left, round_up(equal, Limits.token_step)));
            const std::int64_t most =
                std::max<std::int64_t>(1, outputs / (b.tokens * group * rows)) * group;
            for (b.row_block = block_begin; b.row_block < block_end; b.row_block += b.row_blocks) {
                b.row_blocks = std::min(most, block_end - b.row_block);
                run_block(t, b, segments);
            }
        }
    }

private:
    static void run_block(const task& t, const block& b, std::int64_t segments) noexcept {
        auto* const acc = reinterpret_cast<std::int32_t*>(t.scratch + own_scratch_bytes<Family>);
        if (t.out.write_sums != nullptr) {
            std::fill_n(acc, b.tokens * b.row_blocks * Layout::tile_rows, 0);  // without columns
            if (segments == 1) Family::sum_segment(t, 0, segment::at(t.w, t.x, 0), b, acc);
            return write_sums<Layout>(t, b, t.out.write_sums, acc);
        }
        auto* const sums = reinterpret_cast<float*>(acc + Limits.outputs);
        std::fill_n(sums, b.tokens * b.row_blocks * Layout::tile_rows, 0.0f);
        for (std::int64_t i = 0; i < segments;) {
            int done = 0;
            if constexpr (requires { &Family::add_segments; })
                done = Family::add_segments(t, i, b, acc, sums);
            if (done == 0) {
                const segment s = segment::at(t.w, t.x, i);
                Family::sum_segment(t, i, s, b, acc);
                add_scaled<Arch, Layout>(t, s, b, acc, sums);
                done = 1;
            }
            i += done;
        }
        write_sums<Layout>(t, b, t.out.write, sums);
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
            std::int32_t sum = simd::reduce_add(lanes);
            for (; c < s.width; ++c) sum += values[c];
            sums[m * segments + i] = factor * sum;
        }
}

}  // namespace trilobit::inline TRILOBIT_ABI::kernel

#include "trilobit/core/end.hpp"
