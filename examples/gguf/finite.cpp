// SPDX-License-Identifier: MIT
// Room gguf. Enters: a tensor. Leaves: whether all its numbers are finite; see finite.hpp.
#include "gguf/finite.hpp"

#include <bit>
#include <string>

#include "trilobit/core/endian.hpp"

#include "gguf/dequantize.hpp"
#include "gguf/ternary_codes.hpp"
#include "support/finite.hpp"

namespace tbx::gguf {

namespace {

using support::finite_numbers;

// The mask of a word that is loaded as it lies in the file.
template <class Word>
constexpr Word in_file(Word mask) noexcept {
    return std::bit_cast<Word>(trilobit::little<Word>(mask));
}
constexpr auto bf16_exponent = in_file(support::bf16_exponent);
constexpr auto f16_exponent = in_file(support::f16_exponent);
constexpr auto f32_exponent = in_file(support::f32_exponent);

// A type's floats: the values themselves, or a block's scale, a half. A half times the largest
// integers beside it (Q6_K: 128 * 32) stays far below the largest float.
bool finite_blocks(tensor_type type, const std::byte* b, std::int64_t blocks) noexcept {
    switch (type) {
        case tensor_type::f32:
            return finite_numbers<f32_exponent, 4>(b, blocks);
        case tensor_type::f16:
            return finite_numbers<f16_exponent, 2>(b, blocks);
        case tensor_type::bf16:
            return finite_numbers<bf16_exponent, 2>(b, blocks);
        case tensor_type::q8_0:
            return finite_numbers<f16_exponent, 34>(b, blocks);
        case tensor_type::q4_0:
        case tensor_type::q1_0:
        case tensor_type::q2_0:
            return finite_numbers<f16_exponent, 18>(b, blocks);
        case tensor_type::q6_k:
            return finite_numbers<f16_exponent, 210>(b + 208, blocks);
        case tensor_type::tq1_0:
            return finite_numbers<f16_exponent, 54>(b + tq1_0_scale_offset, blocks);
        case tensor_type::tq2_0:
            return finite_numbers<f16_exponent, 66>(b + tq2_0_scale_offset, blocks);
        default:
            return true;
    }
}

}  // namespace

bool all_finite(const tensor& t, std::int64_t begin, std::int64_t end) noexcept {
    if (t.type == tensor_type::i2_s) return end < t.rows() || support::is_finite(i2_s_scale(t));
    const block_shape block = block_of(t.type).value_or(block_shape{});
    const std::int64_t blocks = t.columns() / block.values;
    return finite_blocks(t.type, t.data.data() + begin * blocks * block.bytes,
                         (end - begin) * blocks);
}

void refuse_not_finite(const reader& file, const tensor& t) {
    std::int64_t row = 0;
    while (row + 1 < t.rows() && all_finite(t, row, row + 1)) ++row;
    file.fail("tensor '" + std::string(t.name) + "', row " + std::to_string(row) +
              ": holds NaN or infinity");
}

void require_finite(const reader& file, const tensor& t) {
    if (!can_dequantize(t.type))
        file.fail("tensor '" + std::string(t.name) + "': its type " + name_of(t.type) +
                  " cannot be read");
    if (!all_finite(t, 0, t.rows())) refuse_not_finite(file, t);
}

}  // namespace tbx::gguf
