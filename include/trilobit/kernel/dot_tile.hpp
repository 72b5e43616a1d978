// SPDX-License-Identifier: MIT
// Room kernel. Enters: consecutive tiles of one plane and the activations of 1, 2 or 4 tokens.
// Leaves: sums of code * activation for 16 rows and each token. The loops everything hot is in.
//
// A 32-bit word of four activations is broadcast against a tile whose 32-bit lanes are rows.
//
// dot4 machines (VNNI), ternary_2bit, one 512-bit tile of 256 weights:
//   4 vpandd + 4T vpdpbusd zmm, m32{1to16}     T tokens; no shift, no shuffle, no horizontal sum
//   bound by vpdpbusd: 64 MAC a cycle and port, of which T/(T+1) are reached where AND shares it
// madd2 machines (SSSE3, AVX2, AVX-512BW), the same weights:
//   1 vpsrlw + 4 vpand + T (4 vpmaddubsw + 4 vpaddw), folded into int32 every few tiles
#pragma once

#include <algorithm>

#include "trilobit/kernel/dot_fields.hpp"
#include "trilobit/pack/packed_view.hpp"
#include "trilobit/simd/ops.hpp"

namespace trilobit::kernel {

/// Where the tiles and activations of one call lie.
struct dot_span {
    const std::byte* tiles;     // of the wanted plane
    std::int64_t count;         // tiles
    std::int64_t tile_stride;   // bytes
    const std::int8_t* x;       // first token's first column
    std::int64_t token_stride;  // bytes
};

/// One token reads each weight once, at the speed of memory: this far ahead, past the end of the row
/// block into the next one, where the hardware's own prefetcher has to start anew.
inline constexpr int prefetch_bytes = 4096;

/// Registers that one pass covers: `parts` of the tile (16 rows are 1, 2 or 4 registers), `tokens`
/// tokens, `unroll` tiles with accumulators of their own where one token alone is too few
/// independent sums to hide the four or five cycles of a dot product.
template <class Arch, class Fields>
struct dot_shape {
    static constexpr int parts = 64 / simd::register_bytes<Arch>;
    static constexpr int registers = has_avx512bw<Arch> ? 32 : 16;
    static constexpr bool staged = simd::prefers_madd2<Arch>;
    static constexpr int chains = staged ? (Fields::fields + 1) / 2 : Fields::fields;
    /// Largest tile of tokens: accumulators fill half of the registers.
    static constexpr int tokens = chains * 4 <= registers / 2   ? 4
                                  : chains * 2 <= registers / 2 ? 2
                                                                : 1;
};

template <class Arch, class Fields>
TRILOBIT_INLINE simd::u8<Arch> field_of(simd::u8<Arch> tile, int f) noexcept {
    constexpr unsigned bits = 8 / Fields::fields;
    if constexpr (Fields::fields == 1)
        return tile;
    else
        return tile & simd::u8<Arch>(static_cast<std::uint8_t>(
                          ((1u << bits) - 1u) << (bits * static_cast<unsigned>(f))));
}

/// acc[token][row] += plane weight * sum of code * x, on machines with a dot product of bytes.
template <class Arch, class Fields, int Tokens>
void dot_direct(const dot_span& s, int weight, std::int32_t* acc,
                std::int64_t acc_stride) noexcept {
    using namespace simd;
    constexpr int fields = Fields::fields, parts = dot_shape<Arch, Fields>::parts;
    constexpr int unroll = Tokens == 1 && fields <= 4 ? 8 / fields : 1;
    constexpr int bits = 8 / fields;
    // One addend is at most 4 * (code << bits f) * 128; see max_cols for the sum.
    static_assert(max_cols / (4 * fields) * 4 * 128 *
                          (std::int64_t{Fields::largest_code} << (bits * (fields - 1))) <=
                      std::int64_t{1} << 31,
                  "an int32 accumulator could overflow");
    for (int p = 0; p < parts; ++p) {
        i32<Arch> sums[unroll][fields][Tokens];
        TRILOBIT_UNROLL for (int u = 0; u < unroll; ++u)
            TRILOBIT_UNROLL for (int f = 0; f < fields; ++f)
                TRILOBIT_UNROLL for (int m = 0; m < Tokens; ++m) sums[u][f][m] = i32<Arch>(0);
        const std::byte* tile = s.tiles + p * register_bytes<Arch>;
        const std::int8_t* x = s.x;
        const auto one_tile = [&](int u) TRILOBIT_LAMBDA_INLINE {
            const u8<Arch> codes = load<Arch>(tile);
            if constexpr (Tokens == 1)
                if (p == 0) prefetch<Arch>(tile + prefetch_bytes);
            TRILOBIT_UNROLL for (int f = 0; f < fields; ++f) {
                const u8<Arch> field = field_of<Arch, Fields>(codes, f);
                TRILOBIT_UNROLL for (int m = 0; m < Tokens; ++m) {
                    const u8<Arch> word = broadcast4<Arch>(x + m * s.token_stride + 4 * f);
                    sums[u][f][m] = dot4<Arch>(sums[u][f][m], field, word);
                    pin<Arch>(sums[u][f][m]);
                }
            }
            tile += s.tile_stride;
            x += 4 * fields;
        };
        std::int64_t k = 0;
        for (; k + unroll <= s.count; k += unroll)
            TRILOBIT_UNROLL for (int u = 0; u < unroll; ++u) one_tile(u);
        for (; k < s.count; ++k) one_tile(0);

        TRILOBIT_UNROLL for (int m = 0; m < Tokens; ++m) {
            i32<Arch> total(0);
            TRILOBIT_UNROLL for (int f = 0; f < fields; ++f) {
                i32<Arch> field_sum = sums[0][f][m];
                TRILOBIT_UNROLL for (int u = 1; u < unroll; ++u) field_sum += sums[u][f][m];
                total += field_sum >> (bits * f);
            }
            std::int32_t* to = acc + m * acc_stride + p * lanes<Arch>;
            (i32<Arch>::load_aligned(to) + total * i32<Arch>(weight)).store_aligned(to);
        }
    }
}

/// The same on machines that multiply bytes into int16 pairs. Fields f and f + fields/2 differ by a
/// shift of four bits and share an accumulator.
template <class Arch, class Fields, int Tokens>
void dot_staged(const dot_span& s, int weight, std::int32_t* acc,
                std::int64_t acc_stride) noexcept {
    using namespace simd;
    constexpr int fields = Fields::fields, parts = dot_shape<Arch, Fields>::parts;
    constexpr int halves = fields == 1 ? 1 : 2, stages = fields / halves, bits = 8 / fields;
    // madd2 adds two products; a stage takes `halves` of them from each tile.
    constexpr int largest =
        halves * 2 * 128 * (Fields::largest_code << (fields == 1 ? 0 : bits * (stages - 1)));
    constexpr std::int64_t fold_every = 32767 / largest;
    static_assert(fold_every >= 1, "one tile alone could overflow int16");
    for (int p = 0; p < parts; ++p) {
        i32<Arch> sums[stages][Tokens];
        TRILOBIT_UNROLL for (int f = 0; f < stages; ++f)
            TRILOBIT_UNROLL for (int m = 0; m < Tokens; ++m) sums[f][m] = i32<Arch>(0);
        const std::byte* tile = s.tiles + p * register_bytes<Arch>;
        const std::int8_t* x = s.x;
        for (std::int64_t k = 0; k < s.count; k += fold_every) {
            i16<Arch> staged[stages][Tokens];
            TRILOBIT_UNROLL for (int f = 0; f < stages; ++f)
                TRILOBIT_UNROLL for (int m = 0; m < Tokens; ++m) staged[f][m] = i16<Arch>(0);
            const std::int64_t end = std::min(k + fold_every, s.count);
            for (std::int64_t i = k; i < end; ++i) {
                u8<Arch> codes = load<Arch>(tile);
                TRILOBIT_UNROLL for (int h = 0; h < halves; ++h) {
                    TRILOBIT_UNROLL for (int f = 0; f < stages; ++f) {
                        const u8<Arch> field = field_of<Arch, Fields>(codes, f);
                        TRILOBIT_UNROLL for (int m = 0; m < Tokens; ++m) {
                            const int column = 4 * (h * stages + f);
                            const u8<Arch> word = broadcast4<Arch>(x + m * s.token_stride + column);
                            staged[f][m] += madd2<Arch>(field, word);
                            pin<Arch>(staged[f][m]);
                        }
                    }
                    if constexpr (halves == 2) codes = shift_right<4, Arch>(codes);
                }
                tile += s.tile_stride;
                x += 4 * fields;
            }
            TRILOBIT_UNROLL for (int f = 0; f < stages; ++f)
                TRILOBIT_UNROLL for (int m = 0; m < Tokens; ++m) sums[f][m] =
                    widen_add<Arch>(sums[f][m], staged[f][m]);
        }
        TRILOBIT_UNROLL for (int m = 0; m < Tokens; ++m) {
            i32<Arch> total(0);
            TRILOBIT_UNROLL for (int f = 0; f < stages; ++f) total += sums[f][m] >> (bits * f);
            std::int32_t* to = acc + m * acc_stride + p * lanes<Arch>;
            (i32<Arch>::load_aligned(to) + total * i32<Arch>(weight)).store_aligned(to);
        }
    }
}

template <class Arch, class Fields, int Tokens>
TRILOBIT_INLINE void dot_tile(const dot_span& s, int weight, std::int32_t* acc,
                              std::int64_t acc_stride) noexcept {
    if constexpr (dot_shape<Arch, Fields>::staged)
        dot_staged<Arch, Fields, Tokens>(s, weight, acc, acc_stride);
    else
        dot_direct<Arch, Fields, Tokens>(s, weight, acc, acc_stride);
}

/// Any number of tokens, in tiles of 4, 2 and 1.
template <class Arch, class Fields>
void dot_tokens(const dot_span& s, int tokens, int weight, std::int32_t* acc,
                std::int64_t acc_stride) noexcept {
    constexpr int largest = dot_shape<Arch, Fields>::tokens;
    dot_span now = s;
    const auto tile = [&]<int Tokens>(int& m) {
        now.x = s.x + m * s.token_stride;
        dot_tile<Arch, Fields, Tokens>(now, weight, acc + m * acc_stride, acc_stride);
        m += Tokens;
    };
    int m = 0;
    if constexpr (largest >= 4)
        while (m + 4 <= tokens) tile.template operator()<4>(m);
    if constexpr (largest >= 2)
        while (m + 2 <= tokens) tile.template operator()<2>(m);
    while (m < tokens) tile.template operator()<1>(m);
}

}  // namespace trilobit::kernel
