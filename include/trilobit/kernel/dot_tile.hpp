// SPDX-License-Identifier: MIT
// Room kernel. Enters: consecutive tiles of one plane and the activations of a few tokens.
// Leaves: sums of code * activation for some registers of rows and each token. The loops everything
// hot is in.
//
// A 32-bit word of four activations is broadcast against a tile whose 32-bit lanes are rows.
//
// dot4 machines (VNNI), ternary_2bit, a 512-bit tile of 256 weights from each of R rows, T tokens:
//   4R vpandd + 4T broadcasts + 4RT vpdpbusd   no shuffle, no horizontal sum
//   and R vpsrlw with T = 4 .. 6, 3R vpsrlw from T = 7 on. Bound by vpdpbusd; where AND and shift
//   share its ports, T = 1 reaches 1/2 of that bound, 2 2/3, 4 16/21 and 8 32/39
// dot4 machines, a panel of decoded weights, R registers of rows:
//   R loads + T broadcasts + R T vpdpbusd      bound by vpdpbusd alone
// madd2 machines (SSSE3, AVX2, AVX-512BW), ternary_2bit:
//   4R vpand + 4T broadcasts + 4RT (vpmaddubsw + vpaddw), and R vpsrlw for one token, 3R for more
//   The sums are folded into int32 every few tiles
#pragma once

#include "trilobit/version.hpp"

#include <algorithm>
#include <utility>

#include "trilobit/kernel/dot_fields.hpp"
#include "trilobit/pack/packed_view.hpp"
#include "trilobit/simd/ops.hpp"

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI::kernel {

/// Where the tiles and activations of one call lie, and what its sums start from.
struct dot_span {
    const std::byte* tiles;     // of the wanted plane
    std::int64_t count;         // tiles along the columns
    std::int64_t tile_stride;   // bytes from tile to tile
    std::int64_t block_stride;  // bytes from sixteen rows to the next sixteen
    const std::int8_t* x;       // first token's first column
    std::int64_t token_stride;  // bytes
    const std::int32_t* start;  // one for each token, or null: what acc holds
    std::int64_t start_stride;
    // Where not null, what acc would hold is scaled and added here, and acc is left alone.
    float* sums = nullptr;
    const float* row_scales = nullptr;    // of the first register's rows
    const float* token_scales = nullptr;  // of the first token
    std::int64_t token_scale_stride = 0;
    // Segments of as many tiles that follow each other, where sums are scaled.
    int segments = 1;
    std::int64_t block_scale_stride = 16;  // of the first segment, sixteen rows to the next sixteen
    std::int64_t next_token_scale = 0;     // from segment to segment

    TRILOBIT_INLINE void start_from_zero() noexcept {
        static constexpr std::int32_t zero = 0;
        start = &zero;
        start_stride = 0;
    }
};

/// One token reads each weight once, at the speed of memory: this far ahead in all, past the end of
/// the rows into the next ones, where the hardware's own prefetcher has to start anew.
inline constexpr int prefetch_bytes = 4096;
/// And this much farther into the second cache, where the processor prefers that: rows of 2560
/// columns, which are ten KiB, came at 86 to 90 % of the read bandwidth instead of 81 to 86 %, on
/// one thread and on two.
inline constexpr int prefetch_far_bytes = 512;

/// The register tile: `rows` registers of weights times `count` tokens, at most `tokens`. Fields of
/// a byte differ by a shift of their bits: `stages` of them have accumulators of their own, and the
/// others join these after a shift. `unroll` tiles have their own again where one token alone is
/// too few independent sums to hide the four or five cycles of a dot product.
///
/// Accumulators, masks, weights and one broadcast must fit the registers. Two rows to each
/// broadcast, because two loads a cycle feed one row no faster than two dot products a cycle: with
/// them a shift or three are well spent. Sums in int16 without fields of their own are also folded
/// half as often: on AVX2, 110 GMAC/s became 129 with four tokens, of a peak of 165.
template <class Arch, class Fields>
struct dot_shape {
    static constexpr bool many = has_avx512bw<Arch>;  // 32 registers rather than 16
    static constexpr bool staged = simd::prefers_madd2<Arch>;
    static constexpr int fields = Fields::fields;
    static constexpr bool panels = fields == 1;
    static constexpr bool pairs = many && !staged && !panels;
    static constexpr int one_token_stages =
        !panels && (staged || (fields == 8 && !many)) ? fields / 2 : fields;
    static constexpr int stages(int count) noexcept {
        if (panels || count == 1) return one_token_stages;
        if (staged) return 1;
        if (!pairs) return one_token_stages;
        return count <= (fields == 8 ? 2 : 3) ? 4 : count <= 6 ? 2 : 1;
    }
    static constexpr int tokens = [] {
        if (!has_sse2<Arch>) return 1;  // no registers to fill, only code to compile
        if (panels) return !staged ? 6 : many ? 5 : 4;
        if (staged) return many ? 6 : 4;
        return pairs ? 8 : 8 / one_token_stages;
    }();
    /// One token has registers to spare for more rows: fewer passes, and more streams from memory.
    static constexpr int rows(int count) noexcept {
        if (panels) return many ? 4 : 2;
        if (count > 1) return pairs || staged ? 2 : 1;
        if (!has_sse2<Arch> || !(many || staged)) return 1;
        return std::min(4, (many ? 16 : 8) / stages(1));
    }
    static constexpr int unroll(int count) noexcept {
        return count > 1 || rows(1) > 1 ? 1 : std::max(1, 8 / stages(1));
    }
    static_assert(tokens >= 1);
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

/// Bytes from the first of a group of row registers to the r-th; sixteen rows are 1, 2 or 4
/// registers.
template <class Arch>
TRILOBIT_INLINE std::int64_t register_offset(const dot_span& s, int r) noexcept {
    constexpr int parts = 64 / simd::register_bytes<Arch>;
    return r / parts * s.block_stride + r % parts * simd::register_bytes<Arch>;
}

/// Asks for what some registers of rows at `tile` will need. Past the end of a row that is what the
/// next call's rows begin with.
template <class Arch, int Rows>
TRILOBIT_INLINE void prefetch_rows(const dot_span& s, const std::byte* tile, bool far) noexcept {
    constexpr int line_registers = 64 / simd::register_bytes<Arch>;
    constexpr int lines = (Rows + line_registers - 1) / line_registers;
    constexpr int ahead = prefetch_bytes / std::min(lines, 2);
    const std::int64_t row_bytes = s.count * s.segments * s.tile_stride;
    const auto past_end = [&](int bytes) {
        return tile + bytes < s.tiles + row_bytes ? 0 : lines * s.block_stride - row_bytes;
    };
    const std::byte* const soon = tile + ahead + past_end(ahead);
    TRILOBIT_UNROLL
    for (int r = 0; r < lines; ++r) simd::prefetch<Arch>(soon + r * s.block_stride);
    if (!far) return;
    const std::byte* const later =
        tile + ahead + prefetch_far_bytes + past_end(ahead + prefetch_far_bytes);
    TRILOBIT_UNROLL
    for (int r = 0; r < lines; ++r) simd::prefetch_far<Arch>(later + r * s.block_stride);
}

/// f(r, m, what the sum of register r and token m starts from): start, or what acc holds.
template <class Arch, int Rows, int Tokens, class F>
TRILOBIT_INLINE void each_start(const dot_span& s, int segment, const std::int32_t* acc,
                                std::int64_t acc_stride, F&& f) noexcept {
    using i32 = simd::i32<Arch>;
    if (s.start != nullptr) {
        const std::int32_t* start = s.start + segment;
        TRILOBIT_UNROLL
        for (int m = 0; m < Tokens; ++m) {
            TRILOBIT_UNROLL
            for (int r = 0; r < Rows; ++r) f(r, m, i32(*start));
            simd::advance(start, s.start_stride);
        }
    } else {
        TRILOBIT_UNROLL
        for (int m = 0; m < Tokens; ++m) {
            TRILOBIT_UNROLL
            for (int r = 0; r < Rows; ++r) f(r, m, i32::load_aligned(acc + r * simd::lanes<Arch>));
            simd::advance(acc, acc_stride);
        }
    }
}

/// acc = totals, or sums += totals, scaled. The choice is made once: made again for each register,
/// it took a tenth of the time of 80 tiles of a panel.
template <class Arch, int Rows, int Tokens>
TRILOBIT_INLINE void finish(const dot_span& s, int segment, simd::i32<Arch> (&totals)[Rows][Tokens],
                            std::int32_t* acc, std::int64_t acc_stride) noexcept {
    constexpr int lanes = simd::lanes<Arch>;
    if (s.sums == nullptr) {
        TRILOBIT_UNROLL
        for (int m = 0; m < Tokens; ++m) {
            TRILOBIT_UNROLL
            for (int r = 0; r < Rows; ++r) totals[r][m].store_aligned(acc + r * lanes);
            simd::advance(acc, acc_stride);
        }
    } else {
        const float* scales[Rows];
        TRILOBIT_UNROLL
        for (int r = 0; r < Rows; ++r)
            scales[r] = s.row_scales + r * lanes / 16 * s.block_scale_stride + r * lanes % 16 +
                        16 * segment;
        const float* by = s.token_scales + segment * s.next_token_scale;
        float* sums = s.sums;
        TRILOBIT_UNROLL
        for (int m = 0; m < Tokens; ++m) {
            TRILOBIT_UNROLL
            for (int r = 0; r < Rows; ++r)
                simd::scale_add<Arch>(sums + r * lanes, totals[r][m], scales[r], *by);
            simd::advance(by, s.token_scale_stride);
            simd::advance(sums, acc_stride);
        }
    }
}

/// The same of weight * totals, and what they start from.
template <class Arch, int Weight, int Rows, int Tokens>
TRILOBIT_INLINE void finish_plane(const dot_span& s, int segment,
                                  simd::i32<Arch> (&totals)[Rows][Tokens], std::int32_t* acc,
                                  std::int64_t acc_stride) noexcept {
    static_assert(Weight == 1 || Weight == 2 || Weight == -2);
    TRILOBIT_UNROLL
    for (int m = 0; m < Tokens; ++m) TRILOBIT_UNROLL
    for (int r = 0; r < Rows; ++r) {
        if constexpr (Weight != 1) totals[r][m] += totals[r][m];
        if constexpr (Weight < 0) totals[r][m] = simd::i32<Arch>(0) - totals[r][m];
    }
    each_start<Arch, Rows, Tokens>(s, segment, acc, acc_stride,
                                   [&](int r, int m, simd::i32<Arch> from)
                                       TRILOBIT_LAMBDA_INLINE { totals[r][m] += from; });
    finish<Arch>(s, segment, totals, acc, acc_stride);
}

/// acc (Tokens, acc_stride) of Rows registers, on machines with a dot product of bytes.
template <class Arch, class Fields, int Weight, int Rows, int Tokens>
TRILOBIT_NOINLINE void dot_direct(const dot_span& s, std::int32_t* acc,
                                  std::int64_t acc_stride) noexcept {
    using namespace simd;
    using shape = dot_shape<Arch, Fields>;
    constexpr int fields = Fields::fields, bits = 8 / fields;
    constexpr int stages = shape::stages(Tokens), passes = fields / stages;
    constexpr int unroll = shape::unroll(Tokens);
    // One addend is at most 4 * (code << bits f) * 128; see max_cols for the sum.
    static_assert(max_cols / (4 * fields) * 4 * 128 * passes *
                          (std::int64_t{Fields::largest_code} << (bits * (stages - 1))) <=
                      std::int64_t{1} << 31,
                  "an int32 accumulator could overflow");
    i32<Arch> sums[unroll][stages][Rows][Tokens];
    [[maybe_unused]] const bool far = Tokens == 1 && !shape::panels && prefers_prefetch_far<Arch>();
    const std::byte* tile = s.tiles;
    const std::int8_t* x = s.x;
    const auto one_tile = [&](int u) TRILOBIT_LAMBDA_INLINE {
        u8<Arch> codes[Rows];
        TRILOBIT_UNROLL
        for (int r = 0; r < Rows; ++r) codes[r] = load<Arch>(tile + register_offset<Arch>(s, r));
        if constexpr (Tokens == 1 && !shape::panels) prefetch_rows<Arch, Rows>(s, tile, far);
        TRILOBIT_UNROLL
        for (int h = 0; h < passes; ++h) {
            TRILOBIT_UNROLL
            for (int f = 0; f < stages; ++f) {
                u8<Arch> field[Rows];
                TRILOBIT_UNROLL
                for (int r = 0; r < Rows; ++r) field[r] = field_of<Arch, Fields>(codes[r], f);
                TRILOBIT_UNROLL
                for (int m = 0; m < Tokens; ++m) {
                    const int column = 4 * (h * stages + f);
                    const u8<Arch> word = broadcast4<Arch>(x + m * s.token_stride + column);
                    TRILOBIT_UNROLL
                    for (int r = 0; r < Rows; ++r) {
                        sums[u][f][r][m] = dot4<Arch>(sums[u][f][r][m], field[r], word);
                        pin<Arch>(sums[u][f][r][m]);
                    }
                }
            }
            if constexpr (passes > 1) TRILOBIT_UNROLL
            for (int r = 0; r < Rows; ++r) codes[r] = shift_right<bits * stages, Arch>(codes[r]);
        }
        tile += s.tile_stride;
        x += 4 * fields;
    };
    for (int segment = 0; segment < s.segments; ++segment) {
        TRILOBIT_UNROLL
        for (int u = 0; u < unroll; ++u) TRILOBIT_UNROLL
        for (int f = 0; f < stages; ++f) TRILOBIT_UNROLL
        for (int r = 0; r < Rows; ++r) TRILOBIT_UNROLL
        for (int m = 0; m < Tokens; ++m) sums[u][f][r][m] = i32<Arch>(0);
        // Loaded into the sums, not added to them at the end.
        if constexpr (Weight == 1)
            each_start<Arch, Rows, Tokens>(s, segment, acc, acc_stride,
                                           [&](int r, int m, i32<Arch> from)
                                               TRILOBIT_LAMBDA_INLINE { sums[0][0][r][m] = from; });
        std::int64_t k = 0;
        for (; k + unroll <= s.count; k += unroll) TRILOBIT_UNROLL
        for (int u = 0; u < unroll; ++u) one_tile(u);
        if constexpr (unroll > 1)
            for (; k < s.count; ++k) one_tile(0);

        i32<Arch> totals[Rows][Tokens];
        TRILOBIT_UNROLL
        for (int m = 0; m < Tokens; ++m) TRILOBIT_UNROLL
        for (int r = 0; r < Rows; ++r) TRILOBIT_UNROLL
        for (int f = 0; f < stages; ++f) {
            i32<Arch> field_sum = sums[0][f][r][m];
            TRILOBIT_UNROLL
            for (int u = 1; u < unroll; ++u) field_sum += sums[u][f][r][m];
            totals[r][m] = f == 0 ? field_sum : totals[r][m] + (field_sum >> (bits * f));
        }
        if constexpr (Weight == 1)
            finish<Arch>(s, segment, totals, acc, acc_stride);
        else
            finish_plane<Arch, Weight>(s, segment, totals, acc, acc_stride);
    }
}

/// The same on machines that multiply bytes into int16 pairs.
template <class Arch, class Fields, int Weight, int Rows, int Tokens>
TRILOBIT_NOINLINE void dot_staged(const dot_span& s, std::int32_t* acc,
                                  std::int64_t acc_stride) noexcept {
    using namespace simd;
    using shape = dot_shape<Arch, Fields>;
    constexpr int fields = Fields::fields, bits = 8 / fields;
    constexpr int stages = shape::stages(Tokens), passes = fields / stages;
    // madd2 adds two products; a stage takes one of them from each pass over a tile.
    constexpr int largest =
        passes * 2 * 128 * (Fields::largest_code << (fields == 1 ? 0 : bits * (stages - 1)));
    constexpr std::int64_t fold_every = 32767 / largest;
    static_assert(fold_every >= 1, "one tile alone could overflow int16");
    [[maybe_unused]] const bool far = Tokens == 1 && !shape::panels && prefers_prefetch_far<Arch>();
    const std::byte* tile = s.tiles;
    const std::int8_t* x = s.x;
    for (int segment = 0; segment < s.segments; ++segment) {
        // Folded sums wait in memory: registers are for what each tile touches.
        alignas(64) std::int32_t sums[stages][Rows][Tokens][lanes<Arch>] = {};
        for (std::int64_t k = 0; k < s.count; k += fold_every) {
            i16<Arch> staged[stages][Rows][Tokens];
            TRILOBIT_UNROLL
            for (int f = 0; f < stages; ++f) TRILOBIT_UNROLL
            for (int r = 0; r < Rows; ++r) TRILOBIT_UNROLL
            for (int m = 0; m < Tokens; ++m) staged[f][r][m] = i16<Arch>(0);
            const std::int64_t end = std::min(k + fold_every, s.count);
            for (std::int64_t i = k; i < end; ++i) {
                u8<Arch> codes[Rows];
                TRILOBIT_UNROLL
                for (int r = 0; r < Rows; ++r)
                    codes[r] = load<Arch>(tile + register_offset<Arch>(s, r));
                if constexpr (Tokens == 1 && !shape::panels)
                    prefetch_rows<Arch, Rows>(s, tile, far);
                TRILOBIT_UNROLL
                for (int h = 0; h < passes; ++h) {
                    TRILOBIT_UNROLL
                    for (int f = 0; f < stages; ++f) {
                        u8<Arch> field[Rows];
                        TRILOBIT_UNROLL
                        for (int r = 0; r < Rows; ++r)
                            field[r] = field_of<Arch, Fields>(codes[r], f);
                        TRILOBIT_UNROLL
                        for (int m = 0; m < Tokens; ++m) {
                            const int column = 4 * (h * stages + f);
                            const u8<Arch> word = broadcast4<Arch>(x + m * s.token_stride + column);
                            TRILOBIT_UNROLL
                            for (int r = 0; r < Rows; ++r) {
                                staged[f][r][m] += madd2<Arch>(field[r], word);
                                pin<Arch>(staged[f][r][m]);
                            }
                        }
                    }
                    if constexpr (passes > 1) TRILOBIT_UNROLL
                    for (int r = 0; r < Rows; ++r)
                        codes[r] = shift_right<bits * stages, Arch>(codes[r]);
                }
                tile += s.tile_stride;
                x += 4 * fields;
            }
            TRILOBIT_UNROLL
            for (int f = 0; f < stages; ++f) TRILOBIT_UNROLL
            for (int r = 0; r < Rows; ++r) TRILOBIT_UNROLL
            for (int m = 0; m < Tokens; ++m) {
                std::int32_t* to = sums[f][r][m];
                widen_add<Arch>(i32<Arch>::load_aligned(to), staged[f][r][m]).store_aligned(to);
            }
        }
        i32<Arch> totals[Rows][Tokens];
        TRILOBIT_UNROLL
        for (int m = 0; m < Tokens; ++m) TRILOBIT_UNROLL
        for (int r = 0; r < Rows; ++r) {
            totals[r][m] = i32<Arch>::load_aligned(sums[0][r][m]);
            TRILOBIT_UNROLL
            for (int f = 1; f < stages; ++f)
                totals[r][m] += i32<Arch>::load_aligned(sums[f][r][m]) >> (bits * f);
        }
        finish_plane<Arch, Weight>(s, segment, totals, acc, acc_stride);
    }
}

template <class Arch, class Fields, int Weight, int Rows, int Tokens>
TRILOBIT_INLINE void dot_tile(const dot_span& s, std::int32_t* acc,
                              std::int64_t acc_stride) noexcept {
    if constexpr (dot_shape<Arch, Fields>::staged)
        dot_staged<Arch, Fields, Weight, Rows, Tokens>(s, acc, acc_stride);
    else
        dot_direct<Arch, Fields, Weight, Rows, Tokens>(s, acc, acc_stride);
}

/// f<weight>(span) for each plane. Planes need no correction: the first starts from zero, the
/// second from the first.
template <class Fields, class F>
void each_plane(dot_span s, F&& f) noexcept {
    if constexpr (Fields::planes == 2) {
        s.start_from_zero();
        float* const sums = std::exchange(s.sums, nullptr);
        f.template operator()<Fields::plane_weight[0]>(s);
        s.sums = sums;
        s.start = nullptr;
        s.tiles += 64;
        f.template operator()<Fields::plane_weight[1]>(s);
    } else {
        f.template operator()<Fields::plane_weight[0]>(s);
    }
}

/// `registers` of rows and `tokens` tokens, in register tiles of nearly equal size: nine tokens are
/// five and four, not eight and one. A panel stays in the L1 cache while tokens pass by; of rows
/// that come from further away, a tile's are done for all tokens first.
template <class Arch, class Fields, int Weight>
void dot_tiles(const dot_span& s, int registers, int tokens, std::int32_t* acc,
               std::int64_t acc_stride) noexcept {
    using shape = dot_shape<Arch, Fields>;
    dot_span now = s;
    const auto tile = [&]<int Rows, int Tokens>(int r, int m) {
        std::int32_t* to = acc + m * acc_stride + r * simd::lanes<Arch>;
        now.tiles = s.tiles + register_offset<Arch>(s, r);
        now.x = s.x + m * s.token_stride;
        if (s.start != nullptr) now.start = s.start + m * s.start_stride;
        if (s.sums != nullptr) {
            now.sums = s.sums + (to - acc);
            now.row_scales = s.row_scales + r * simd::lanes<Arch> / 16 * s.block_scale_stride +
                             r * simd::lanes<Arch> % 16;
            now.token_scales = s.token_scales + m * s.token_scale_stride;
        }
        dot_tile<Arch, Fields, Weight, Rows, Tokens>(now, to, acc_stride);
    };
    const auto rows_of = [&]<int Tokens>(int r, int end, int m) {
        constexpr int rows = shape::rows(Tokens);
        for (; r + rows <= end; r += rows) tile.template operator()<rows, Tokens>(r, m);
        if constexpr (rows > 1 && (shape::panels || Tokens == 1))
            for (; r < end; ++r) tile.template operator()<1, Tokens>(r, m);
        else if constexpr (rows > 1)  // at most one, and once: not worth a tile of its own
            for (int i = 0; r < end && i < Tokens; ++i) tile.template operator()<1, 1>(r, m + i);
    };
    const auto of_size = [&]<int Tokens>(auto&& self, int size, int r, int end, int m) {
        if (size == Tokens) return rows_of.template operator()<Tokens>(r, end, m);
        if constexpr (Tokens > 1) self.template operator()<Tokens - 1>(self, size, r, end, m);
    };
    const int groups = (tokens + shape::tokens - 1) / shape::tokens;
    const int step = shape::panels || groups == 1 ? registers : shape::rows(2);
    for (int r = 0; r < registers; r += step)
        for (int m = 0, left = groups; left > 0; --left) {
            const int size = (tokens - m + left - 1) / left;
            of_size.template operator()<shape::tokens>(of_size, size, r,
                                                       std::min(r + step, registers), m);
            m += size;
        }
}

}  // namespace trilobit::inline TRILOBIT_ABI::kernel

#include "trilobit/core/end.hpp"
