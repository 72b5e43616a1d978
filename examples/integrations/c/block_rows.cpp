// SPDX-License-Identifier: MIT
// Room integrations/c. Enters: blocks of ggml's. Leaves: their values and scales; see
// block_rows.hpp.
#include "integrations/c/block_rows.hpp"

#include <algorithm>

#include "gguf/blocks.hpp"
#include "gguf/ternary_codes.hpp"
#include "gguf/types.hpp"
#include "trilobit/core/arithmetic.hpp"
#include "trilobit/trilobit.h"

namespace tbx::capi {

namespace {

using trilobit::errc;

// Both have the scale first, then codes from the lowest bits of each byte on.
void q1_0_codes(const std::byte* block, std::uint8_t* codes) {
    for (int i = 0; i < 128; ++i) codes[i] = (gguf::bits_of(block[2 + i / 8]) >> (i % 8)) & 1u;
}
void q2_0_codes(const std::byte* block, std::uint8_t* codes) {
    for (int i = 0; i < 64; ++i) codes[i] = (gguf::bits_of(block[2 + i / 4]) >> (2 * (i % 4))) & 3u;
}

constexpr block_format formats[] = {
    {TRILOBIT_BLOCKS_TQ1_0, 256, 54, gguf::tq1_0_scale_offset, 3, -1, 1, gguf::tq1_0_codes},
    {TRILOBIT_BLOCKS_TQ2_0, 256, 66, gguf::tq2_0_scale_offset, 3, -1, 1, gguf::tq2_0_codes},
    {TRILOBIT_BLOCKS_Q1_0, 128, 18, 0, 2, -1, 2, q1_0_codes},
    {TRILOBIT_BLOCKS_Q2_0, 64, 18, 0, 4, -1, 1, q2_0_codes},
};
static_assert(TRILOBIT_BLOCKS_TQ1_0 == static_cast<int>(gguf::tensor_type::tq1_0));
static_assert(TRILOBIT_BLOCKS_TQ2_0 == static_cast<int>(gguf::tensor_type::tq2_0));
static_assert(TRILOBIT_BLOCKS_Q1_0 == static_cast<int>(gguf::tensor_type::q1_0));
static_assert(TRILOBIT_BLOCKS_Q2_0 == static_cast<int>(gguf::tensor_type::q2_0));

}  // namespace

trilobit::result<block_rows> block_rows::of(std::int32_t type, std::span<const std::byte> bytes,
                                            std::int64_t rows, std::int64_t cols) noexcept {
    block_rows found;
    for (const block_format& f : formats)
        if (f.type == type) found.format = &f;
    if (found.format == nullptr)
        return trilobit::status{errc::unsupported, "Blocks of this type cannot be packed."};
    if (rows < 0 || cols < 0)
        return trilobit::status{errc::bad_shape,
                                "A matrix has a negative number of rows or columns."};
    if (cols % found.format->values != 0)
        return trilobit::status{errc::bad_shape, "A row is no whole number of blocks."};
    found.rows = rows;
    found.row_blocks = cols / found.format->values;
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
    return trilobit::scale_spec::group(format->values, trilobit::scale_type::f16);
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
    std::uint8_t codes[256];
    if (one) scales[0] = *one;
    for (std::int64_t b = 0; b < row_blocks; ++b, values += format->values) {
        const std::int64_t block = row * row_blocks + b;
        format->codes(blocks + block * format->bytes, codes);
        const float scale = scale_of(block);
        if (!one) scales[b] = scale;
        for (int i = 0; i < format->values; ++i) {
            if (codes[i] >= format->levels)
                return {errc::bad_value, "A block has a code that its type does not have."};
            values[i] = static_cast<std::int8_t>(format->lowest + format->step * codes[i]);
        }
        if (one && scale != *one) std::fill_n(values, format->values, std::int8_t{0});
    }
    return {};
}

}  // namespace tbx::capi
