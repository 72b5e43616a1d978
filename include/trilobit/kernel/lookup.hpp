// SPDX-License-Identifier: MIT
// Room kernel. Enters: lookup tiles, whose bytes are indices; activations, which prepare() turns
// into a table of partial sums for each tile's columns. Leaves: exact sums by looking them up.
//
// A code stands for five weights, |code| <= 121, and table[|code|] is their sum with the tile's five
// activations. To keep tables of bytes exact, an int8 activation is split a = 16 h + l with
// -8 <= h <= 8, -8 <= l <= 7: two tables, every entry within 5 * 8 = 40. Narrower activations need
// one. Three tiles are added in bytes (120 <= 127), then widened to int16, then to int32.
//   per table and 320 weights on avx512vnni: vpabsb, vpmovb2m, vpermi2b, vpsubb{k}, vpaddb
#pragma once

#include "trilobit/kernel/drive.hpp"

namespace trilobit::kernel {

inline constexpr int lookup_table_bytes = 128;

/// For each digit t and code v = 0..127: 0xff where the digit is +1, and where it is -1.
struct lookup_masks {
    alignas(64) std::uint8_t plus[5][lookup_table_bytes];
    alignas(64) std::uint8_t minus[5][lookup_table_bytes];
};
inline constexpr lookup_masks lookup_digit_masks = [] {
    lookup_masks m{};
    for (std::size_t t = 0; t < 5; ++t)
        for (std::size_t v = 0; v < lookup_table_bytes; ++v) {
            const int digit = layout::ternary_base3::digits[v][t];
            m.plus[t][v] = digit > 0 ? 0xff : 0;
            m.minus[t][v] = digit < 0 ? 0xff : 0;
        }
    return m;
}();

/// table[v] = sum of digit_t(v) * x_t for v = 0..127: four instructions a digit and register.
template <class Arch>
void fill_lookup_table(const std::int8_t (&x)[5], std::int8_t* table) noexcept {
    using namespace simd;
    for (int v = 0; v < lookup_table_bytes; v += register_bytes<Arch>) {
        u8<Arch> sum(0);
        for (int t = 0; t < 5; ++t) {
            const u8<Arch> value(static_cast<std::uint8_t>(x[t]));
            sum += value & u8<Arch>::load_aligned(lookup_digit_masks.plus[t] + v);
            sum -= value & u8<Arch>::load_aligned(lookup_digit_masks.minus[t] + v);
        }
        sum.store_aligned(reinterpret_cast<std::uint8_t*>(table) + v);
    }
}

template <class Arch, class Layout, class Act>
struct lookup {
    static constexpr kernel_id id = kernel_id::lookup;
    static constexpr bool available = std::is_same_v<Layout, layout::ternary_base3>;
    static constexpr int tables = Act::bits > 4 ? 2 : 1;

    /// About five instructions for 64 rows x 5 columns. Tables are 25 or 50 times their token's bytes,
    /// so those of many tokens leave the caches.
    static constexpr double cost(std::int64_t tokens) noexcept {
        return tables * (has_avx512vnni<Arch> ? 1.3 : 40.0) * (tokens <= 8 ? 1 : 8);
    }
    /// A table belongs to the columns of one tile, so no activation scale may change inside it.
    static constexpr bool accepts(const packed_shape& w, const activation_shape& x) noexcept {
        return x.segment_cols() >= w.scale.segment_cols(w.cols);
    }
    static constexpr std::int64_t operand_bytes(const packed_shape& w,
                                                const activation_shape& x) noexcept {
        return x.tokens * w.row_tiles() * tables * lookup_table_bytes;
    }

    static void prepare(const task& t, std::int64_t token_begin, std::int64_t token_end) noexcept {
        if constexpr (available) {
            auto* table = reinterpret_cast<std::int8_t*>(t.operand) +
                          token_begin * t.w.row_tiles() * tables * lookup_table_bytes;
            for (std::int64_t m = token_begin; m < token_end; ++m)
                for (std::int64_t s = 0; s < t.w.segments(); ++s) {
                    const std::int64_t first = t.w.segment_first_col(s);
                    const std::int64_t last = first + t.w.segment_width(s);
                    for (std::int64_t c = first; c < last;
                         c += Layout::tile_cols, table += tables * lookup_table_bytes) {
                        std::int8_t high[5], low[5];
                        for (int i = 0; i < 5; ++i) {
                            const int a = c + i < last ? t.x.token(m)[c + i] : 0;
                            const int l = tables == 1 ? a : ((a + 8) & 15) - 8;
                            low[i] = static_cast<std::int8_t>(l);
                            high[i] = static_cast<std::int8_t>((a - l) / 16);
                        }
                        fill_lookup_table<Arch>(low, table);
                        if constexpr (tables == 2)
                            fill_lookup_table<Arch>(high, table + lookup_table_bytes);
                    }
                }
        }
    }

    /// One table of one token against `count` tiles: out[row] += factor * sum of entries.
    static void sum_table(const std::byte* tiles, std::int64_t count, const std::int8_t* table,
                          std::int32_t factor, std::int32_t* out) noexcept {
        using namespace simd;
        constexpr std::int64_t byte_adds = 3;  // 3 * 40 <= 127
        constexpr std::int64_t flush_every = byte_adds * (32767 / (byte_adds * 40));  // int16
        static_assert(byte_adds * 5 * 8 <= 127);
        constexpr int bytes = register_bytes<Arch>;
        for (int p = 0; p < Layout::tile_rows; p += bytes)
            for (std::int64_t k = 0; k < count; k += flush_every) {
                i16<Arch> even(0), odd(0);
                const std::int64_t end = std::min(k + flush_every, count);
                for (std::int64_t i = k; i < end;) {
                    i8<Arch> sum(0);
                    for (std::int64_t j = std::min(i + byte_adds, end); i < j; ++i)
                        sum += lookup128<Arch>(table + i * tables * lookup_table_bytes,
                                               load<Arch>(tiles + i * Layout::tile_bytes + p));
                    const auto pairs = xsimd::bitwise_cast<std::int16_t>(sum);
                    even += (pairs << 8) >> 8;
                    odd += pairs >> 8;
                }
                alignas(64) std::int16_t halves[2][bytes / 2];
                even.store_aligned(halves[0]);
                odd.store_aligned(halves[1]);
                for (int r = 0; r < bytes; ++r) out[p + r] += factor * halves[r % 2][r / 2];
            }
    }

    static void sum_segment(const task& t, std::int64_t, const segment& s, std::int64_t block,
                            std::int64_t token, int tokens, std::int32_t* acc) noexcept {
        std::memset(acc, 0,
                    sizeof(std::int32_t) * static_cast<std::size_t>(tokens * Layout::tile_rows));
        if constexpr (available) {
            const std::int64_t first = t.w.segment_first_tile(s.weight_segment);
            const std::int64_t count = t.w.segment_tiles(s.weight_segment);
            const std::byte* tiles = t.w.tile_at(block, s.weight_segment);
            for (int m = 0; m < tokens; ++m) {
                const auto* table =
                    reinterpret_cast<const std::int8_t*>(t.operand) +
                    ((token + m) * t.w.row_tiles() + first) * tables * lookup_table_bytes;
                for (int i = 0; i < tables; ++i)
                    sum_table(tiles, count, table + i * lookup_table_bytes, i == 0 ? 1 : 16,
                              acc + m * Layout::tile_rows);
            }
        }
    }

    static void run(const task& t, std::int64_t block_begin, std::int64_t block_end,
                    std::int64_t token_begin, std::int64_t token_end) noexcept {
        drive<lookup, Arch, Layout>(t, block_begin, block_end, token_begin, token_end);
    }
};

}  // namespace trilobit::kernel
