// SPDX-License-Identifier: MIT
// Room gguf. Enters: a tensor. Leaves: whether all its numbers are finite; see finite.hpp.
#include "gguf/finite.hpp"

#include <bit>
#include <string>
#include <vector>

#include "formats/rows.hpp"
#include "gguf/dequantize.hpp"
#include "gguf/quoted.hpp"
#include "support/finite.hpp"
#include "trilobit/core/endian.hpp"

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

// A type's floats: the values themselves, or the scales of a block, which are halves.
bool finite_blocks(const formats::dense_format& of, const std::byte* b,
                   std::int64_t blocks) noexcept {
    if (of.cols == 1) {
        if (of.numbers == formats::stored::f32) return finite_numbers<f32_exponent, 4>(b, blocks);
        return of.numbers == formats::stored::bf16 ? finite_numbers<bf16_exponent, 2>(b, blocks)
                                                   : finite_numbers<f16_exponent, 2>(b, blocks);
    }
    bool finite = true;
    for (std::int64_t i = 0; i < blocks; ++i, b += of.bytes)
        finite &= finite_numbers<f16_exponent, 2>(b + of.first, of.count);
    return finite;
}

}  // namespace

bool all_finite(const tensor& t, std::int64_t begin, std::int64_t end) {
    if (const formats::format* levels = few_levels(t.type)) {
        const formats::matrix_rows all(*levels, t.data, t.shape());
        std::vector<float> scales(static_cast<std::size_t>(all.scales_per_row()));
        for (std::int64_t r = begin; r < end; ++r)
            if (all.read(r, nullptr, scales.data()) != formats::fault::none) return false;
        return true;
    }
    const formats::dense_format* of = numbers(t.type);
    if (of == nullptr) return true;
    const std::int64_t blocks = t.columns() / of->cols;
    return finite_blocks(*of, t.data.data() + begin * blocks * of->bytes, (end - begin) * blocks);
}

void refuse_not_finite(const reader& file, const tensor& t) {
    std::int64_t row = 0;
    while (row + 1 < t.rows() && all_finite(t, row, row + 1)) ++row;
    file.fail("tensor " + quoted(t.name) + ", row " + std::to_string(row) +
              ": holds NaN or infinity");
}

void require_finite(const reader& file, const tensor& t) {
    if (!can_dequantize(t.type))
        file.fail("tensor " + quoted(t.name) + ": its type " + name_of(t.type) + " cannot be read");
    if (!all_finite(t, 0, t.rows())) refuse_not_finite(file, t);
}

}  // namespace tbx::gguf
