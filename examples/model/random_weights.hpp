// SPDX-License-Identifier: MIT
// Room examples/model. Enters: a config and a seed. Leaves: a transformer of random trits made in
// memory, row by row, or the same as a GGUF file: what benchmarks and tests run without a download.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "gguf/types.hpp"
#include "model/weights.hpp"

namespace tbx::model {

/// Trits of row `row` of matrix number `which`, each value equally likely up to 1 in 256; the same
/// for every layout and thread.
void random_trits(std::uint64_t seed, std::uint64_t which, std::int64_t row,
                  std::span<std::int8_t> values) noexcept;

/// The scale with which an input of mean square 1 gives an output of mean square 1, whatever the
/// width.
[[nodiscard]] float unit_scale(std::int64_t cols) noexcept;

/// The number of a layer's first matrix; the next ones follow in the order of gguf::each_tensor().
[[nodiscard]] constexpr std::uint64_t first_matrix_of(std::int64_t layer) noexcept {
    return static_cast<std::uint64_t>(layer) * 16 + 16;
}

/// `head`: the type of the embedding and of the head, which for this purpose are two matrices even
/// when the shape ties them. Without it there is no head, and only as much embedding as is needed
/// to have different inputs: config.vocab shrinks to that.
[[nodiscard]] transformer random_transformer(compute& cpu, config shape, trilobit::layout_id layout,
                                             std::optional<number_type> head, std::uint64_t seed,
                                             const progress& report);

/// Bytes of what random_transformer() makes, about.
[[nodiscard]] std::int64_t random_bytes(const config& shape, trilobit::layout_id layout,
                                        std::optional<number_type> head);

/// Writes a dummy model with a SentencePiece vocabulary of made-up words; `linears` is any
/// type of few levels, or of ordinary numbers that can be read, and so is `tables`, the type of
/// embedding and head. Norms are 1.
void write_dummy(const std::string& path, const config& shape, gguf::tensor_type linears,
                 std::uint64_t seed, const progress& report,
                 gguf::tensor_type tables = gguf::tensor_type::f16);

}  // namespace tbx::model
