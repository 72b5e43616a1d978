// SPDX-License-Identifier: MIT
// Room integrations/c. Enters: blocks of ggml's. Leaves: their values and scales; see
// block_rows.hpp.
#include "integrations/c/block_rows.hpp"

#include <algorithm>

#include "formats/q1_0.hpp"
#include "formats/q2_0.hpp"
#include "formats/tq1_0.hpp"
#include "formats/tq2_0.hpp"
#include "trilobit/trilobit.h"

namespace tbx::capi {

namespace {

using trilobit::errc;

const formats::format* format_of(std::int32_t type) noexcept {
    switch (type) {
        case TRILOBIT_BLOCKS_TQ1_0:
            return &formats::tq1_0;
        case TRILOBIT_BLOCKS_TQ2_0:
            return &formats::tq2_0;
        case TRILOBIT_BLOCKS_Q1_0:
            return &formats::q1_0;
        case TRILOBIT_BLOCKS_Q2_0:
            return &formats::q2_0;
        default:
            return nullptr;
    }
}

}  // namespace

trilobit::result<block_rows> block_rows::of(std::int32_t type, std::span<const std::byte> bytes,
                                            std::int64_t rows, std::int64_t cols) noexcept {
    block_rows found;
    found.format = format_of(type);
    if (found.format == nullptr)
        return trilobit::status{errc::unsupported, "Blocks of this type cannot be packed."};
    if (rows < 0 || cols < 0)
        return trilobit::status{errc::bad_shape,
                                "A matrix has a negative number of rows or columns."};
    if (cols % found.format->group != 0)
        return trilobit::status{errc::bad_shape, "A row is no whole number of blocks."};
    found.rows = rows;
    found.row_blocks = cols / found.format->group;
    found.blocks = bytes;
    const auto size = found.format->bytes({rows, cols});
    if (!size) return trilobit::status{errc::bad_shape, "A matrix is too large to address."};
    if (*size > 0 && bytes.data() == nullptr)
        return trilobit::status{errc::bad_value, "The blocks are null."};
    if (static_cast<std::uint64_t>(*size) > bytes.size())
        return trilobit::status{errc::bad_shape, "There are fewer bytes than the blocks have."};
    return found;
}

trilobit::scale_spec block_rows::scales() const noexcept {
    return trilobit::scale_spec::group(format->group, trilobit::scale_type::f16);
}

std::optional<float> block_rows::only_scale() const noexcept {
    const auto all = formats::summarise(matrix(), 0, rows * row_blocks);
    if (all.per != formats::scale_per::tensor) return std::nullopt;
    return all.only;
}

trilobit::status block_rows::read(std::int64_t row, std::optional<float> one, std::int8_t* values,
                                  float* scales) const noexcept {
    const formats::matrix_rows all = matrix();
    if (one) scales[0] = *one;
    for (std::int64_t b = 0; b < row_blocks; ++b, values += format->group) {
        float scale = 0;
        // Scales that are no numbers are the packer's to refuse.
        if (all.read(row * row_blocks + b, values, &scale) == formats::fault::code)
            return {errc::bad_value, "A block has a code that its type does not have."};
        if (!one) scales[b] = scale;
        if (one && scale != *one) std::fill_n(values, format->group, std::int8_t{0});
    }
    return {};
}

}  // namespace tbx::capi
