// SPDX-License-Identifier: MIT
// Room kernel. Enters: a panel of decoded weights and the activations of any number of tokens.
// Leaves: exact sums by AMX, Intel's matrix unit of 2023, 1,024 multiply-adds a cycle.
//
// Sixteen words of a panel are a B tile as they lie, sixteen tokens' 64 columns an A tile, and a C
// tile is sixteen tokens x sixteen rows of acc. 32 tokens x 32 rows are four C tiles:
//   2 tileloadd A + 2 tileloadd B + 4 tdpbsud    65,536 multiply-adds; tdpbsud takes 16 cycles
// A tiles come from the L2 cache, half as fast again from 1 KiB in a row as from sixteen rows
// apart: the activations are laid out that way once (Sapphire Rapids, a loop over tiles in cache).
//
// Tiles exist for a process that has asked the system for them: dispatch/cpu.hpp does.
#pragma once

#include "trilobit/version.hpp"

#include <atomic>
#include <cstring>

#include "trilobit/kernel/matrix_unit.hpp"

#if defined(__AMX_INT8__) || defined(__AMXINT8__)  // GCC, Clang

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI::kernel {

/// Sixteen rows of 64 bytes.
inline constexpr std::int64_t amx_tile_bytes = 1024;
/// Of the A tiles of sixteen tokens.
constexpr std::int64_t amx_row_bytes(std::int64_t cols) noexcept {
    return ceil_div(cols, std::int64_t{64}) * amx_tile_bytes;
}

/// Where sixteen tokens' A tiles begin: bytes from token to token, from 64 columns to the next,
/// from sixteen tokens to the next.
struct amx_activations {
    const std::int8_t* x;
    std::int64_t token_stride, step, tile_stride;

    /// As they are quantised; any first token and column.
    static amx_activations rows(const std::int8_t* x, std::int64_t token_stride) noexcept {
        return {x, token_stride, 64, 16 * token_stride};
    }
    /// As store_row() left them at `tiles`; from a multiple of sixteen tokens and 64 columns on.
    static amx_activations tiles(const std::byte* tiles, std::int64_t cols, std::int64_t token,
                                 std::int64_t col) noexcept {
        const std::int64_t stride = amx_row_bytes(cols);
        return {reinterpret_cast<const std::int8_t*>(tiles) + token / 16 * stride +
                    col / 64 * amx_tile_bytes,
                64, amx_tile_bytes, stride};
    }
};

/// What ldtilecfg reads. Tiles 0-3 are C, 4 and 5 A, 6 and 7 B; `upper` and `lower` tokens.
struct alignas(64) amx_config {
    std::uint8_t palette = 1, start_row = 0, reserved[14] = {};
    std::uint16_t bytes[16] = {};  // of a row
    std::uint8_t rows[16] = {};

    TRILOBIT_INLINE amx_config(int upper, int lower) noexcept {
        const int tile_rows[8] = {upper, upper, lower, lower, upper, lower, 16, 16};
        for (int i = 0; i < 8; ++i) {
            bytes[i] = 64;
            rows[i] = static_cast<std::uint8_t>(tile_rows[i]);
        }
    }
    /// GCC 12 believes that ldtilecfg reads eight bytes of the 64, and leaves the others unwritten.
    TRILOBIT_INLINE void load() noexcept {
        TRILOBIT_COMPILER_BARRIER(*this);
        _tile_loadconfig(this);
    }
};

/// Asks for the unit, which other instructions of AMX need, and gives it back.
template <has_amx Arch>
class matrix_unit<Arch> {
    int configured = 0;

    /// For at most 32 tokens, which takes about as long as three tiles.
    TRILOBIT_INLINE void take(int tokens) noexcept {
        if (tokens == configured) return;
        amx_config config(std::min(tokens, 16), std::max(tokens - 16, 1));
        config.load();
        configured = tokens;
    }

    /// acc (up to 32 tokens, 16 or 32 rows) += panel * x over all words of the span.
    template <bool TwoTokens, bool TwoRows>
    static void multiply_tiles(const weights_span& panel, const amx_activations& a,
                               std::int32_t* acc, std::int64_t acc_stride) noexcept {
        const auto acc_bytes = static_cast<std::size_t>(acc_stride) * sizeof *acc;
        std::int32_t* lower = acc + 16 * acc_stride;
        _tile_loadd(0, acc, acc_bytes);
        if constexpr (TwoRows) _tile_loadd(1, acc + 16, acc_bytes);
        if constexpr (TwoTokens) _tile_loadd(2, lower, acc_bytes);
        if constexpr (TwoTokens && TwoRows) _tile_loadd(3, lower + 16, acc_bytes);
        const std::int8_t* x = a.x;
        const std::byte* w = panel.tiles;
        const auto token_bytes = static_cast<std::size_t>(a.token_stride);
        for (std::int64_t k = 0; k < panel.count; k += words) {
            _tile_loadd(6, w, 64);
            if constexpr (TwoRows) _tile_loadd(7, w + panel.block_stride, 64);
            _tile_loadd(4, x, token_bytes);
            _tile_dpbsud(0, 4, 6);
            if constexpr (TwoRows) _tile_dpbsud(1, 4, 7);
            if constexpr (TwoTokens) {
                _tile_loadd(5, x + a.tile_stride, token_bytes);
                _tile_dpbsud(2, 5, 6);
                if constexpr (TwoRows) _tile_dpbsud(3, 5, 7);
            }
            x += a.step;
            w += words * 64;
        }
        _tile_stored(0, acc, acc_bytes);
        if constexpr (TwoRows) _tile_stored(1, acc + 16, acc_bytes);
        if constexpr (TwoTokens) _tile_stored(2, lower, acc_bytes);
        if constexpr (TwoTokens && TwoRows) _tile_stored(3, lower + 16, acc_bytes);
    }

public:
    using activations = amx_activations;
    static constexpr bool available = true;
    static constexpr double cost = 0.2;  // of 64 multiply-adds, see dot
    static constexpr int tile_tokens = 16, tile_cols = 64;
    /// It fetches and stores its sums for each panel, which takes as long as 120 columns: wide
    /// panels, and blocks whose sums stay in the L1 cache beside one.
    static constexpr int panel_rows = 32, panel_cols = 640;
    static constexpr int words = 16, token_step = 32;
    static constexpr int least_tokens = 6;

    matrix_unit() = default;
    matrix_unit(const matrix_unit&) = delete;
    matrix_unit& operator=(const matrix_unit&) = delete;
    TRILOBIT_INLINE ~matrix_unit() { _tile_release(); }

    /// Bytes of A tiles for some tokens.
    static constexpr std::int64_t operand_bytes(std::int64_t tokens, std::int64_t cols) noexcept {
        return ceil_div(tokens, std::int64_t{16}) * amx_row_bytes(cols);
    }
    /// Lays row m out as its part of A tiles; it is readable up to a multiple of 64 columns.
    /// Different rows may be stored at once.
    static void store_row(const std::int8_t* row, std::int64_t m, std::int64_t cols,
                          std::byte* tiles) noexcept {
        std::byte* to = tiles + m / 16 * amx_row_bytes(cols) + m % 16 * 64;
        for (std::int64_t c = 0; c < cols; c += 64, to += amx_tile_bytes)
            std::memcpy(to, row + c, 64);
    }

    static void arrange(std::byte*, int) noexcept {}

    /// acc of `blocks` sixteens of rows and `tokens` tokens, from where its span starts. Reads the
    /// activations of whole groups of 64 columns, which those of every token allow.
    void multiply(const tile_span& s, const activations& a, int blocks, int tokens) noexcept {
        const sums_span& to = s.to;
        start_acc(to, 16 * blocks, tokens);
        // GCC's tile loads do not say that they read memory: earlier stores must not be delayed.
        std::atomic_signal_fence(std::memory_order_seq_cst);
        weights_span panel = s.w;
        amx_activations some = a;
        for (int m = 0; m < tokens; m += 32) {
            const int size = std::min(32, tokens - m);
            take(size);
            some.x = a.x + m / 16 * a.tile_stride;
            for (int b = 0; b < blocks; b += 2) {
                panel.tiles = s.w.tiles + b * s.w.block_stride;
                std::int32_t* acc = to.acc + m * to.stride + 16 * b;
                const bool two = b + 1 < blocks;
                if (size > 16)
                    two ? multiply_tiles<true, true>(panel, some, acc, to.stride)
                        : multiply_tiles<true, false>(panel, some, acc, to.stride);
                else
                    two ? multiply_tiles<false, true>(panel, some, acc, to.stride)
                        : multiply_tiles<false, false>(panel, some, acc, to.stride);
            }
        }
    }
};

}  // namespace trilobit::inline TRILOBIT_ABI::kernel

#include "trilobit/core/end.hpp"

#endif
