// SPDX-License-Identifier: MIT
// Room layout. Enters: 64 rows x 5 columns of {-1, 0, +1}. Leaves: 64 bytes, 1.6 bits a weight.
//
//   byte r = the five weights w0..w4 of row r, r = 0..63
//
//   bits 7 6 5   4 3 2 1 0
//      [  b  ]  [    a    ]    w = low[a] + high[b, is a > 27], each a vector of five
//
//   a =  0..26, b = 0..7    w0 w1 by b, w2 w3 w4 by a                   216: all but -1 -1  *  *  *
//   a = 28..30, b = 0..7    -1 -1, w2 w3 by b, w4 by a                   24: all but -1 -1 -1 -1  *
//   bytes 91, 223, 255      -1 -1 -1 -1 and w4 = -1, 0, +1                3
//
// A base-3 number would need division, and its 243 values are more than one instruction looks up:
// 64 by six bits of each byte (AVX-512, NEON), 16 by four (SSSE3, AVX2). Here whatever is linear in
// the five weights is the sum of two lookups, by bits 5..0 and by bits 7..2, of which the lower
// three are all set where a > 27. In tables of sixteen, low is one of two and high one; the byte
// 255 alone adds low[15]. Nothing is negated, and a byte of zeros is five zeros. log2(3) = 1.585,
// so no code of whole bytes is denser by more than 1 %.
#pragma once

#include "trilobit/version.hpp"

#include <array>
#include <cstring>
#include <type_traits>

#include "trilobit/core/endian.hpp"
#include "trilobit/layout/concept.hpp"

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI {

namespace detail {

/// Five weights and the byte that stands for them.
struct base3_code {
    using five = std::array<std::int8_t, 5>;
    static constexpr std::uint8_t last = 255;  // has low[15] beside its own two parts

    std::array<five, 32> low{};       // by bits 4..0
    std::array<five, 16> high{};      // by twice bits 7..5, plus one where bits 4..0 are > 27
    std::array<five, 256> weights{};  // zeros for bytes that stand for nothing
    std::array<std::uint8_t, 243> byte_of{};  // by number()

    static constexpr std::int8_t trit(unsigned n) noexcept {
        return static_cast<std::int8_t>(n % 3 == 2 ? -1 : static_cast<int>(n % 3));
    }
    static constexpr std::size_t number(const std::int8_t* w) noexcept {
        if (!std::is_constant_evaluated() && little_endian) {
            // Digits 0..2 in bytes; of their product byte 4 is the number, and no byte carries.
            std::uint32_t four;
            std::memcpy(&four, w, 4);
            std::uint64_t digits = std::uint64_t{static_cast<std::uint8_t>(w[4])} << 32 | four;
            digits = (digits ^ 0x8080808080u) - 0x7f7f7f7f7fu;
            return (digits * 0x0103091b51u >> 32) & 0xffu;
        }
        int n = 0;
        for (int c = 4; c >= 0; --c) n = 3 * n + w[c] + 1;
        return static_cast<std::size_t>(n);
    }

    constexpr base3_code() noexcept {
        for (unsigned a = 0; a < 27; ++a) low[a] = {0, 0, trit(a), trit(a / 3), trit(a / 9)};
        low[27] = {0, -1, -1, -1, -1};
        for (unsigned a = 28; a < 31; ++a) low[a] = {0, 0, 0, 0, trit(a - 28)};
        low[31] = {0, 0, 0, -1, 0};
        for (unsigned b = 0; b < 8; ++b) {
            high[2 * b] = {trit(b), trit(b / 3), 0, 0, 0};
            high[2 * b + 1] = {-1, -1, trit(b / 3), trit(b), 0};
        }
        for (unsigned byte = 0; byte < 256; ++byte) {
            const unsigned a = byte % 32, b = byte / 32;
            if ((a == 27 || a == 31) && byte != 91 && byte != 223 && byte != last) continue;
            five& w = weights[byte];
            for (std::size_t c = 0; c < 5; ++c)
                w[c] = static_cast<std::int8_t>(low[a][c] + high[2 * b + (a > 27)][c] +
                                                (byte == last ? low[15][c] : 0));
            byte_of[number(w.data())] = static_cast<std::uint8_t>(byte);
        }
    }
};
inline constexpr base3_code base3{};

}  // namespace detail

namespace layout {

struct ternary_base3 {
    using kind = ternary;
    static constexpr layout_id id = layout_id::ternary_base3;
    static constexpr std::string_view name = "ternary_base3";
    static constexpr int tile_rows = 64;
    static constexpr int tile_cols = 5;
    static constexpr int tile_bytes = 64;
    static constexpr const detail::base3_code& code = detail::base3;

    /// Rows lie `stride` values apart.
    static constexpr void encode(const std::int8_t* values, std::int64_t stride,
                                 std::byte* tile) noexcept {
        for (int r = 0; r < tile_rows; ++r, values += stride)
            tile[r] = std::byte{code.byte_of[code.number(values)]};
    }
    static constexpr void encode(const std::int8_t* values, std::byte* tile) noexcept {
        encode(values, tile_cols, tile);
    }

    TRILOBIT_INLINE static constexpr void decode(const std::byte* tile,
                                                 std::int8_t* values) noexcept {
        for (int r = 0; r < tile_rows; ++r)
            for (int c = 0; c < tile_cols; ++c)
                values[r * tile_cols + c] = code.weights[std::to_integer<std::size_t>(tile[r])]
                                                        [static_cast<std::size_t>(c)];
    }

    static constexpr bool valid(const std::byte* tile) noexcept {
        bool inside = true;
        for (int r = 0; r < tile_rows; ++r) {
            const auto byte = std::to_integer<std::uint8_t>(tile[r]);
            inside = inside && code.byte_of[code.number(code.weights[byte].data())] == byte;
        }
        return inside;
    }
};

}  // namespace layout
}  // namespace trilobit::inline TRILOBIT_ABI

#include "trilobit/core/end.hpp"
