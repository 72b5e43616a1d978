// SPDX-License-Identifier: MIT
// Room kernel. Enters: a panel of decoded weights and the activations of any number of tokens.
// Leaves: exact sums by a matrix unit, which `dot` is given where the machine has one: amx.hpp,
// i8mm.hpp. Here what dot asks of a machine without one.
#pragma once

#include "trilobit/version.hpp"

#include "trilobit/kernel/span.hpp"

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI::kernel {

/// Nothing but the size of its panels, 20 KiB, which stay in the L1 cache beside activations.
///
/// A unit also has
///   multiply(span, activations, blocks, tokens)  acc of `blocks` sixteens of rows from its span on
///   store_row(row, m, cols, tiles)    lays token m out as multiply wants it; operand_bytes in all
///   activations::rows, ::tiles        where they are then; tiles start at multiples of
///                                     tile_tokens and tile_cols, rows anywhere
///   arrange(panel, words)             turns sixteen rows of a panel into what multiply wants
template <class Arch>
struct matrix_unit {
    static constexpr bool available = false;
    static constexpr int panel_rows = 64, panel_cols = 320;
    /// Words that a panel ends with a multiple of; tokens that blocks start at a multiple of.
    static constexpr int words = 1, token_step = 1;
    /// Tokens from which decoding panels pays, where registers allow them.
    static constexpr int least_tokens = 16;
    static constexpr std::int64_t operand_bytes(std::int64_t, std::int64_t) noexcept { return 0; }
};

/// acc of a span's tokens and rows = where it starts from, for a unit that adds to acc.
TRILOBIT_INLINE void start_acc(const sums_span& to, int rows, int tokens) noexcept {
    if (to.start == nullptr) return;
    for (int m = 0; m < tokens; ++m)
        std::fill_n(to.acc + m * to.stride, rows, to.start[m * to.start_stride]);
}

}  // namespace trilobit::inline TRILOBIT_ABI::kernel

#include "trilobit/core/end.hpp"
