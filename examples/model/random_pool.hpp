// SPDX-License-Identifier: MIT
// Room examples/model. Enters: shapes of matrices. Leaves: random packed ones at the speed of
// memory: a few hundred rows of each width are made and packed once, and all matrices are dealt
// from these. No processor sees the difference: every weight has a place of its own.
#pragma once

#include <cstdint>
#include <vector>

#include "model/linear.hpp"

namespace tbx::model {

class random_pool {
    // Whole row blocks of every layout, and enough hands that neighbours differ.
    static constexpr std::int64_t hand_rows = 64, hands = 8, pool_rows = hand_rows * hands;

    struct pool {
        std::int64_t cols;
        trilobit::any_packed_matrix rows;  // (pool_rows, cols)
    };
    compute& cpu;
    std::uint64_t seed;
    trilobit::layout_id layout;
    std::vector<pool> pools;

    template <class RowOfPool>
    [[nodiscard]] trilobit::any_packed_matrix pack(std::int64_t rows, std::int64_t cols,
                                                   RowOfPool of) const;
    [[nodiscard]] const trilobit::packed_view& rows_of(std::int64_t cols);
    [[nodiscard]] std::int64_t dealt(std::uint64_t which, std::int64_t row) const noexcept;

public:
    random_pool(compute& computer, std::uint64_t seeded, trilobit::layout_id as)
        : cpu(computer), seed(seeded), layout(as) {}

    /// Matrix number `which`, in `arena`. It has the same weights in every layout whose kind holds
    /// any trit. Throws tbx::error where memory is short.
    [[nodiscard]] linear make(std::uint64_t which, std::int64_t rows, std::int64_t cols,
                              trilobit::page_arena& arena);
};

}  // namespace tbx::model
