// SPDX-License-Identifier: MIT
// Room formats. Enters: nothing. Leaves: what a format of 1-bit, ternary or four-level weights is:
// plain data and three functions between a matrix's bytes and its values and scales. Of files and
// their names for formats it knows nothing: each format is one header that lifts out with this one.
//
// A weight is scale * value. The values of a row are int8, its scales float; one for the tensor,
// for each row or for each `group` columns, or none here: then they lie in another tensor.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "trilobit/core/arithmetic.hpp"

namespace tbx::formats {

/// The values of the library's weight kinds, with their names' meaning.
enum class kind : std::uint8_t {
    binary,          // -1, 1
    ternary,         // -1, 0, 1
    quaternary,      // -1, 0, 1, 2
    quaternary_low,  // -2, -1, 0, 1
    quaternary_odd,  // -3, -1, 1, 3: halves, doubled; the scale is halved
};

[[nodiscard]] constexpr int lowest_of(kind k) noexcept {
    return k == kind::quaternary_low ? -2 : k == kind::quaternary_odd ? -3 : -1;
}
[[nodiscard]] constexpr int step_of(kind k) noexcept {
    return k == kind::binary || k == kind::quaternary_odd ? 2 : 1;
}
[[nodiscard]] constexpr int levels_of(kind k) noexcept {
    return k == kind::binary ? 2 : k == kind::ternary ? 3 : 4;
}
[[nodiscard]] constexpr bool holds(kind k, int value) noexcept {
    const int above = value - lowest_of(k);
    return above >= 0 && above % step_of(k) == 0 && above / step_of(k) < levels_of(k);
}
/// Is 0 one of the values? Then a scale of 0 can be told by values alone.
[[nodiscard]] constexpr bool has_zero(kind k) noexcept { return holds(k, 0); }

enum class scale_per : std::uint8_t { tensor, row, group, apart };

/// The sizes that the lookup formats TL1 and TL2 cut a matrix by; 0: the table's (tl_tiles.hpp).
struct lut_tile {
    int rows = 0, cols = 0, lanes = 0;  // BM, BK and bm of their generators
    friend constexpr bool operator==(const lut_tile&, const lut_tile&) noexcept = default;
};

struct shape {
    std::int64_t rows = 0, cols = 0;
    int group = 0;  // columns of a block, of formats that leave it open
    lut_tile tile = {};
};

enum class fault : std::uint8_t {
    none,
    code,   // one without meaning; a value that the format cannot store
    scale,  // NaN or infinite; too large or too small for how the format stores it
};

struct format {
    std::string_view name;
    kind values;
    scale_per scales;
    int group;  // columns of one scale; 0 unless they are groups

    /// Of a whole tensor; empty where the format has no such shape, or the size overflows.
    std::optional<std::int64_t> (*bytes)(const shape&) noexcept;

    /// `values` receives cols int8, or is null: then no code is looked at. `scales` receives
    /// scales_per_row() floats. The tensor has bytes() at least, the row is one of it. Any threads.
    fault (*read)(std::span<const std::byte> tensor, const shape&, std::int64_t row,
                  std::int8_t* values, float* scales) noexcept;

    /// The other way round; of a tensor's one scale row 0's counts. Two rows may share bytes, so
    /// one thread writes a tensor. Bytes without meaning are zeros if they were.
    fault (*write)(std::span<std::byte> tensor, const shape&, std::int64_t row,
                   const std::int8_t* values, const float* scales) noexcept;

    [[nodiscard]] constexpr std::int64_t scales_per_row(std::int64_t cols) const noexcept {
        if (scales == scale_per::apart) return 0;
        return scales == scale_per::group ? trilobit::ceil_div(cols, group) : 1;
    }
};

/// Bytes of rows of whole blocks, of what precedes each row and of what follows the last; empty for
/// other shapes, and where the size would overflow.
[[nodiscard]] constexpr std::optional<std::int64_t> whole_blocks(
    std::int64_t rows, std::int64_t cols, std::int64_t block_cols, std::int64_t block_bytes,
    std::int64_t row_prefix = 0, std::int64_t tail = 0) noexcept {
    // So far below the largest number that prefixes and tails cannot overflow it.
    constexpr std::int64_t most = std::int64_t{1} << 62;
    if (rows < 0 || cols < 0 || cols % block_cols != 0) return std::nullopt;
    const auto row = trilobit::checked_mul(cols / block_cols, block_bytes);
    if (!row || *row > most) return std::nullopt;
    const auto all = trilobit::checked_mul(rows, *row + row_prefix);
    if (!all || *all > most) return std::nullopt;
    return *all + tail;
}

}  // namespace tbx::formats
