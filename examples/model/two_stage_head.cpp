// SPDX-License-Identifier: MIT
// Room examples/model. Enters: a normed token. Leaves: the likeliest next ones; see
// two_stage_head.hpp.
#include "model/two_stage_head.hpp"

#include <algorithm>
#include <cmath>

#include "support/finite.hpp"

namespace tbx::model {
namespace {

/// Rows of the k largest middles, in ascending order. Any k rows would do; the better they are, the
/// fewer others remain.
void promising(std::span<const coarse_score> scores, std::int64_t k,
               std::vector<std::int32_t>& rows) {
    const auto better = [&](std::int32_t a, std::int32_t b) {
        return scores[static_cast<std::size_t>(a)].middle >
               scores[static_cast<std::size_t>(b)].middle;
    };
    // A heap whose top is the worst row kept: almost every other row fails one comparison.
    rows.clear();
    for (std::size_t r = 0; r < scores.size(); ++r) {
        const auto row = static_cast<std::int32_t>(r);
        if (std::ssize(rows) == k) {
            if (!better(row, rows.front())) continue;
            std::pop_heap(rows.begin(), rows.end(), better);
            rows.pop_back();
        }
        rows.push_back(row);
        std::push_heap(rows.begin(), rows.end(), better);
    }
    std::sort(rows.begin(), rows.end());
}

}  // namespace

// Adds `ids` to `found`; false when one of them is NaN or infinite.
bool two_stage_head::score_exactly(compute& cpu, const float* x) {
    logits.resize(ids.size());
    multiply_rows(cpu, *exact, x, ids, logits.data());
    rescored += std::ssize(ids);
    for (std::size_t i = 0; i < ids.size(); ++i) {
        if (!support::is_finite(logits[i])) return false;
        found.push_back({ids[i], logits[i]});
    }
    return true;
}

std::span<const scored> two_stage_head::give_up() noexcept {
    rescored += coarse.rows();
    return {};
}

std::span<const scored> two_stage_head::best(compute& cpu, const float* x, std::int64_t k) {
    ++asked;
    found.clear();
    const std::int64_t rows = coarse.rows();
    k = std::min(k, rows);
    if (!coarse.round_input(x, rounded)) return give_up();
    scores.resize(static_cast<std::size_t>(rows));
    const std::int64_t pieces = std::int64_t{8} * cpu.pool.concurrency();
    cpu.pool(0, rows, rows / pieces + 1, [&](std::int64_t begin, std::int64_t end) {
        coarse.score(cpu.dense, rounded, begin, end, scores.data());
    });

    promising(scores, k, ids);
    if (!score_exactly(cpu, x)) return give_up();
    const double least = std::min_element(found.begin(), found.end(), [](auto& a, auto& b) {
                             return a.logit < b.logit;
                         })->logit;

    for (const std::int32_t row : ids) scores[static_cast<std::size_t>(row)].upper = -INFINITY;
    ids.clear();
    // Equality stays: among equal logits the lower id wins.
    for (std::int64_t r = 0; r < rows; ++r)
        if (const double upper = scores[static_cast<std::size_t>(r)].upper;
            upper >= least && upper > -INFINITY)
            ids.push_back(static_cast<std::int32_t>(r));
    if (!score_exactly(cpu, x)) return give_up();
    keep_best(found, k);
    return found;
}

double two_stage_head::mean_bytes() const noexcept {
    if (asked == 0) return static_cast<double>(coarse.bytes());
    const double row = static_cast<double>(exact->bytes()) / static_cast<double>(exact->rows());
    return static_cast<double>(coarse.bytes()) +
           static_cast<double>(rescored) / static_cast<double>(asked) * row;
}

}  // namespace tbx::model
