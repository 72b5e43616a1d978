// SPDX-License-Identifier: MIT
// Room kernel. Enters: tiles whose bytes hold fields, or panels; words of activations. Leaves: the
// step that multiplies them, and the register tiles it comes in.
//
// A tile's byte 4r+t holds `fields` codes; field f is columns 4f+t of row r. A word of four
// activations is broadcast against it. A field that is masked but not shifted counts 2^(bits f)
// times too much: one accumulator per field, shifted back exactly at the end, since every addend is
// a multiple of that power of two.
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
#include <type_traits>

#include "trilobit/kernel/tile.hpp"
#include "trilobit/pack/packed_view.hpp"

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI::kernel {

/// 16 rows x 4 columns of code = weight - kind::lowest, a byte each: what other layouts are decoded
/// into.
struct panel {
    static constexpr int tile_bytes = 64;
};

/// A panel whose codes are 0 .. LargestCode.
template <int LargestCode>
struct panel_codes : panel {};

/// What the values of a kind span: the largest code of its panels.
template <weight_kind Kind>
inline constexpr int value_span = Kind::highest - Kind::lowest;

/// The fields of a layout's bytes: fields, largest_code, plane_weight of each plane of 64 bytes.
/// One plane: dot(row, x) = plane_weight * (codes . x) + kind::lowest * (sum of x).
/// Two planes: the sum of plane_weight * (codes . x) alone.
/// loop: whose register tiles it takes, of fields that differ in nothing but plane_weight.
template <class Layout>
struct dot_fields;

template <int LargestCode>
struct dot_fields<panel_codes<LargestCode>> {
    using loop = dot_fields;
    static constexpr int fields = 1, largest_code = LargestCode, planes = 1;
    static constexpr int plane_weight[] = {1};
};

template <class Layout>
concept dot_layout = requires { dot_fields<Layout>::fields; };

/// Some registers of rows against one word of each of some tokens, for every field.
template <class Arch, class Fields, int Rows, int Tokens, int Stages, int Unroll>
struct dot_step {
    static constexpr bool staged = simd::sums_in_int16<Arch>;
    static constexpr int fields = Fields::fields, bits = 8 / fields, passes = fields / Stages;
    using i32 = simd::i32<Arch>;
    using u8 = simd::u8<Arch>;
    using products = simd::products_op<Arch>;
    using sum = std::conditional_t<staged, typename products::sum, i32>;
    static constexpr int rows = Rows, columns = Tokens, tokens = Tokens, registers = Rows;
    /// Words of a token that one load brings; of panels, whose tiles are a word, as many tiles.
    using word = simd::words_op<Arch>;
    static constexpr int together = fields == 1 ? std::max(Unroll, word::count) : Unroll;
    static constexpr int kept = Stages * Unroll;
    static constexpr int tile_bytes = 64 * Fields::planes, operand_bytes = 4 * fields;
    static constexpr int lines = fields > 1 ? ceil_div(Rows* simd::register_bytes<Arch>, 64) : 0;

    /// Largest code as it lies in the last stage's accumulator.
    static constexpr int largest = Fields::largest_code << (fields == 1 ? 0 : bits * (Stages - 1));
    static_assert(fields == 1 || largest <= simd::machine<Arch>::largest_unsigned);
    // Of each pass over a tile a stage adds so many products to a lane.
    static constexpr int fold_every =
        staged ? 32767 / (passes * products::products * 128 * largest) : 0;
    static_assert(!staged || fold_every >= 1, "one tile alone could overflow int16");
    static_assert(max_cols / (4 * fields) * 4 * 128 * passes * std::int64_t{largest} <=
                      std::int64_t{1} << 31,
                  "an int32 accumulator could overflow");

    TRILOBIT_INLINE static u8 field_of(u8 tile, int f) noexcept {
        if constexpr (fields == 1) return tile;
        return tile & u8(static_cast<std::uint8_t>(((1 << bits) - 1) << (bits * f)));
    }

    template <int Tiles>
    TRILOBIT_INLINE static void add(const tile_span& s, const std::int64_t (&token)[Tokens],
                                    const std::byte* tile, const std::byte* x,
                                    sum (&sums)[kept][Rows][Tokens]) noexcept {
        using namespace simd;
        constexpr bool several = Tiles * fields % word::count == 0;
        [[maybe_unused]] typename word::type words[Tokens];
        TRILOBIT_UNROLL
        for (int u = 0; u < Tiles; ++u) {
            u8 codes[Rows];
            TRILOBIT_UNROLL
            for (int r = 0; r < Rows; ++r)
                codes[r] = load<Arch>(tile + u * tile_bytes + register_offset<Arch>(s.w, r));
            TRILOBIT_UNROLL
            for (int p = 0; p < passes; ++p) {
                TRILOBIT_UNROLL
                for (int f = 0; f < Stages; ++f) {
                    u8 field[Rows];
                    TRILOBIT_UNROLL
                    for (int r = 0; r < Rows; ++r) field[r] = field_of(codes[r], f);
                    const int at = u * fields + p * Stages + f;
                    TRILOBIT_UNROLL
                    for (int m = 0; m < Tokens; ++m) {
                        const std::byte* from = x + token[m] + 4 * at;
                        if (several && at % word::count == 0) words[m] = word::load(from);
                        [[maybe_unused]] u8 one;
                        if constexpr (!several) one = broadcast4<Arch>(from);
                        TRILOBIT_UNROLL
                        for (int r = 0; r < Rows; ++r) {
                            sum& to = sums[u % Unroll * Stages + f][r][m];
                            if constexpr (staged)
                                to = products::add(to, field[r], words[m]);
                            else if constexpr (several)
                                to = word::dot4(to, field[r], words[m], at % word::count);
                            else
                                to = dot4<Arch>(to, field[r], one);
                            pin<Arch>(to);
                        }
                    }
                }
                if constexpr (passes > 1) TRILOBIT_UNROLL
                for (int r = 0; r < Rows; ++r)
                    codes[r] = shift_right<bits * Stages, Arch>(codes[r]);
            }
        }
    }

    TRILOBIT_INLINE static void total(const i32 (&sums)[kept][Rows][Tokens],
                                      i32 (&totals)[Rows][Tokens]) noexcept {
        TRILOBIT_UNROLL
        for (int m = 0; m < Tokens; ++m) TRILOBIT_UNROLL
        for (int r = 0; r < Rows; ++r) TRILOBIT_UNROLL
        for (int f = 0; f < Stages; ++f) {
            i32 of_field = sums[f][r][m];
            TRILOBIT_UNROLL
            for (int u = 1; u < Unroll; ++u) of_field += sums[u * Stages + f][r][m];
            totals[r][m] = f == 0 ? of_field : totals[r][m] + (of_field >> (bits * f));
        }
    }

    struct folded {
        alignas(64) std::int32_t at[Stages][Rows][Tokens][simd::lanes<Arch>];
    };
    TRILOBIT_INLINE static void fold(const typename products::sum (&sums)[kept][Rows][Tokens],
                                     std::int64_t, folded& to) noexcept {
        TRILOBIT_UNROLL
        for (int f = 0; f < Stages; ++f) TRILOBIT_UNROLL
        for (int r = 0; r < Rows; ++r) TRILOBIT_UNROLL
        for (int m = 0; m < Tokens; ++m) {
            std::int32_t* const at = to.at[f][r][m];
            products::widen(i32::load_aligned(at), sums[f][r][m]).store_aligned(at);
        }
    }
    TRILOBIT_INLINE static void total(const folded& sums, i32 (&totals)[Rows][Tokens]) noexcept {
        TRILOBIT_UNROLL
        for (int m = 0; m < Tokens; ++m) TRILOBIT_UNROLL
        for (int r = 0; r < Rows; ++r) TRILOBIT_UNROLL
        for (int f = 0; f < Stages; ++f) {
            const auto of_field = i32::load_aligned(sums.at[f][r][m]);
            totals[r][m] = f == 0 ? of_field : totals[r][m] + (of_field >> (bits * f));
        }
    }
};

/// Accumulators, masks, weights and one broadcast must fit the registers. Two rows to each
/// broadcast: two loads a cycle feed one row no faster than two dot products a cycle.
template <class Arch, class Fields>
struct dot_shape : shape_of_rows<Arch> {
    static constexpr bool many = simd::many_registers<Arch>;
    static constexpr bool emulated = simd::machine<Arch>::registers == 0;
    static constexpr bool staged = simd::sums_in_int16<Arch>;
    static constexpr int fields = Fields::fields, bits = 8 / fields;
    using products = simd::products_op<Arch>;
    static constexpr bool panels = fields == 1;
    /// A load for four words of a token leaves the loads for rows, of which two are enough then.
    static constexpr bool by_words = simd::words_op<Arch>::count > 1;
    static constexpr bool pairs = many && !staged && !panels;

    /// Fields with accumulators of their own; the others join these after a shift. As many as an
    /// operand of dot4 and one of int16 allow. Fewer sums in int16 are also folded less often.
    static constexpr int most_stages = [] {
        int most = !panels && (staged || (fields == 8 && !many)) ? fields / 2 : fields;
        while (!panels &&
               Fields::largest_code << (bits * (most - 1)) > simd::machine<Arch>::largest_unsigned)
            most /= 2;
        return most;
    }();
    static constexpr int stages(int tokens) noexcept {
        if (staged && (tokens > 1 || products::registers > 1)) return 1;
        if (panels || tokens == 1) return most_stages;
        if (!pairs) return most_stages;
        const int few = fields == 8 ? 2 : 3;  // words are in registers of their own
        return std::min(most_stages, tokens <= few ? 4 : tokens <= (by_words ? 4 : 6) ? 2 : 1);
    }
    static constexpr int most_tokens = [] {
        if (emulated) return 1;  // nothing to keep in registers, only code to compile
        if (panels) return by_words ? 8 : !staged ? 6 : many ? 5 : 4;
        if (staged) return many ? 6 : 4;
        return pairs ? 8 : 8 / most_stages;
    }();
    /// One token has registers to spare for more rows: fewer passes, and more streams from memory.
    static constexpr int rows(int tokens) noexcept {
        if (panels) return many && !by_words ? 4 / (staged ? products::registers : 1) : 2;
        if (tokens > 1) return pairs || staged ? 2 : 1;
        if (emulated || !(many || staged)) return 1;
        return std::min(4 / (staged ? products::registers : 1), (many ? 16 : 8) / stages(1));
    }
    /// Tiles with accumulators of their own, where one token alone is too few independent sums to
    /// hide the four or five cycles of a dot product.
    static constexpr int unroll(int tokens) noexcept {
        return tokens > 1 || rows(1) > 1 ? 1 : std::max(1, 8 / stages(1));
    }
    static constexpr bool powers = false, tall = panels;
    static constexpr int row_step = panels ? 0 : rows(2);

    template <int Rows, int Tokens>
    using step = dot_step<Arch, Fields, Rows, Tokens, stages(Tokens), unroll(Tokens)>;
};

}  // namespace trilobit::inline TRILOBIT_ABI::kernel

#include "trilobit/core/end.hpp"
