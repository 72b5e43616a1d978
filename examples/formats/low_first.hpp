// SPDX-License-Identifier: MIT
// Room formats. Enters: a stream of codes of one or two bits along each row, the lowest bits first,
// whether its container calls it bytes or little-endian words. Leaves: values of the kind that the
// zero point makes of them. What MLX, MatMulNBits and GSQ have in common; their scales lie apart.
//
//   two bits   byte j: bits 7 6: 4j+3, 5 4: 4j+2, 3 2: 4j+1, 1 0: 4j      value = code - zero point
//   one bit    byte j: bit b: 8j + b                                      1 is +1, 0 is -1
#pragma once

#include "formats/bits.hpp"
#include "formats/format.hpp"
#include "formats/scales.hpp"

namespace tbx::formats {

/// Rows are rounded up to `shape.group` columns if it is given, and to whole multiples of
/// `Multiple` columns else.
template <int Bits, kind Kind, int Multiple>
struct low_first_rows {
    static constexpr int each = 8 / Bits;  // weights of a byte
    static_assert(Multiple % each == 0 && (Bits == 1) == (Kind == kind::binary));

    static std::int64_t row_cols(const shape& s) noexcept {
        return s.group > 0 ? trilobit::round_up(s.cols, s.group) : s.cols;
    }
    static std::optional<std::int64_t> bytes(const shape& s) noexcept {
        if (s.cols < 0 || s.cols > std::int64_t{1} << 62 || s.group < 0) return std::nullopt;
        return whole_blocks(s.rows, row_cols(s), Multiple, Multiple / each);
    }
    static void read_bytes(const std::byte* from, std::int64_t count,
                           std::int8_t* values) noexcept {
        if constexpr (Bits == 1)
            read_low_first_1(from, count, values);
        else
            read_low_first_2<lowest_of(Kind), step_of(Kind)>(from, count, values);
    }
    static fault read(std::span<const std::byte> tensor, const shape& s, std::int64_t row,
                      std::int8_t* values, float*) noexcept {
        if (values == nullptr) return fault::none;
        const std::byte* at = tensor.data() + row * (row_cols(s) / each);
        const std::int64_t whole = s.cols / each;
        std::int8_t last[each];
        read_bytes(at, whole, values);
        if (s.cols % each != 0) {
            read_bytes(at + whole, 1, last);
            std::copy_n(last, s.cols % each, values + whole * each);
        }
        return Kind == kind::ternary && !all_held<Kind>(values, s.cols) ? fault::code : fault::none;
    }
    static fault write(std::span<std::byte> tensor, const shape& s, std::int64_t row,
                       const std::int8_t* values, const float*) noexcept {
        if (!all_held<Kind>(values, s.cols)) return fault::code;
        std::byte* at = tensor.data() + row * (row_cols(s) / each);
        std::fill_n(at, row_cols(s) / each, std::byte{0});
        for (std::int64_t c = 0; c < s.cols; ++c) {
            const int code = (values[c] - lowest_of(Kind)) / step_of(Kind);
            at[c / each] |= static_cast<std::byte>(code << (Bits * (c % each)));
        }
        return fault::none;
    }
};

template <int Bits, kind Kind, int Multiple>
constexpr format low_first_format(std::string_view name) noexcept {
    using rows = low_first_rows<Bits, Kind, Multiple>;
    return {name, Kind, scale_per::apart, 0, &rows::bytes, &rows::read, &rows::write};
}

}  // namespace tbx::formats
