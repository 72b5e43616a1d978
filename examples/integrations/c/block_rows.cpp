// SPDX-License-Identifier: MIT
// Room integrations/c. Enters: blocks of ggml's. Leaves: their values and scales; see
// block_rows.hpp.
#include "integrations/c/block_rows.hpp"

#include <algorithm>

#include "trilobit/core/arithmetic.hpp"
#include "trilobit/trilobit.h"

namespace tbx::capi {

namespace {

using trilobit::errc;

static_assert(TRILOBIT_BLOCKS_TQ1_0 == static_cast<int>(gguf::tensor_type::tq1_0));
static_assert(TRILOBIT_BLOCKS_TQ2_0 == static_cast<int>(gguf::tensor_type::tq2_0));
static_assert(TRILOBIT_BLOCKS_Q1_0 == static_cast<int>(gguf::tensor_type::q1_0));
static_assert(TRILOBIT_BLOCKS_Q2_0 == static_cast<int>(gguf::tensor_type::q2_0));

}  // namespace

trilobit::result<block_rows> block_rows::of(std::int32_t type, std::span<const std::byte> bytes,
                                            std::int64_t rows, std::int64_t cols) noexcept {
    block_rows found;
    found.format = gguf::find_level_block(static_cast<gguf::tensor_type>(type));
    if (found.format == nullptr)
        return trilobit::status{errc::unsupported, "Blocks of this type cannot be packed."};
    if (rows < 0 || cols < 0)
        return trilobit::status{errc::bad_shape,
                                "A matrix has a negative number of rows or columns."};
    if (cols % found.format->cols != 0)
        return trilobit::status{errc::bad_shape, "A row is no whole number of blocks."};
    found.rows = rows;
    found.row_blocks = cols / found.format->cols;
    found.blocks = bytes.data();
    const auto all = trilobit::checked_mul(found.row_blocks, rows);
    const auto size = all ? trilobit::checked_mul(*all, found.format->bytes) : std::nullopt;
    if (!size) return trilobit::status{errc::bad_shape, "A matrix is too large to address."};
    if (*size > 0 && bytes.data() == nullptr)
        return trilobit::status{errc::bad_value, "The blocks are null."};
    if (static_cast<std::uint64_t>(*size) > bytes.size())
        return trilobit::status{errc::bad_shape, "There are fewer bytes than the blocks have."};
    return found;
}

float block_rows::scale_of(std::int64_t block) const noexcept {
    return gguf::load_f16(blocks + block * format->bytes + format->scale_at);
}

trilobit::scale_spec block_rows::scales() const noexcept {
    return trilobit::scale_spec::group(format->cols, trilobit::scale_type::f16);
}

std::optional<float> block_rows::only_scale() const noexcept {
    const bool has_zero = format->lowest % format->step == 0;
    std::optional<float> common;
    for (std::int64_t b = 0; b < rows * row_blocks; ++b) {
        const float scale = scale_of(b);
        if (scale == 0 && has_zero) continue;
        if (common && scale != *common) return std::nullopt;
        common = scale;
    }
    return common.value_or(0.0f);
}

trilobit::status block_rows::read(std::int64_t row, std::optional<float> one, std::int8_t* values,
                                  float* scales) const noexcept {
    if (one) scales[0] = *one;
    for (std::int64_t b = 0; b < row_blocks; ++b, values += format->cols) {
        const std::int64_t block = row * row_blocks + b;
        if (!gguf::read_values(*format, blocks + block * format->bytes, values))
            return {errc::bad_value, "A block has a code that its type does not have."};
        const float scale = scale_of(block);
        if (!one) scales[b] = scale;
        if (one && scale != *one) std::fill_n(values, format->cols, std::int8_t{0});
    }
    return {};
}

}  // namespace tbx::capi
