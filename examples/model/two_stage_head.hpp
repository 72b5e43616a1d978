// SPDX-License-Identifier: MIT
// Room examples/model. Enters: the head of a model, a normed token, k. Leaves: the k likeliest next
// tokens and their logits, the very ones that all logits would give.
//
// Stage one scores every row by its int8 copy, half the bytes of f16. The k best of these are
// scored exactly: k logits are then known, and a row whose upper bound is below the least of them
// can be none of the k best. Stage two scores exactly what is left, which is a few rows.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "model/coarse_rows.hpp"
#include "model/prediction.hpp"

namespace tbx::model {

class two_stage_head {
    const linear* exact;
    coarse_rows coarse;
    coarse_input rounded;
    std::vector<coarse_score> scores;  // (rows)
    std::vector<std::int32_t> ids;
    std::vector<float> logits;
    std::vector<scored> found;
    std::int64_t asked = 0, rescored = 0;

    bool score_exactly(compute& cpu, const float* x);
    std::span<const scored> give_up() noexcept;

public:
    /// `head` must outlive this. Throws tbx::error when there is no memory for the copy.
    two_stage_head(compute& cpu, const linear& head) : exact(&head), coarse(cpu, head) {}

    /// False for a head that stage one cannot copy: packed weights, or none.
    [[nodiscard]] bool usable() const noexcept { return coarse.rows() > 0; }

    /// The min(k, rows) best, k > 0. Empty where bounds mean nothing: x, or what some row scores,
    /// is NaN or infinite. Then all logits have to be made.
    [[nodiscard]] std::span<const scored> best(compute& cpu, const float* x, std::int64_t k);

    /// Exact scores of all calls so far, and calls; one that ended empty counts all rows.
    [[nodiscard]] std::int64_t rows_rescored() const noexcept { return rescored; }
    [[nodiscard]] std::int64_t calls() const noexcept { return asked; }
    /// Bytes that a call has read on average.
    [[nodiscard]] double mean_bytes() const noexcept;
};

}  // namespace tbx::model
