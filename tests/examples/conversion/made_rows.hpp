// SPDX-License-Identifier: MIT
// Tests of room conversion. Enters: a function of row and column. Leaves: a tensor of its values.
#pragma once

#include <functional>
#include <string>
#include <utility>

#include "gguf/float_rows.hpp"

namespace tbx::testing {

/// Each of three in its turn.
inline float trit(std::int64_t i) { return static_cast<float>(i * 7 % 3 - 1); }

inline gguf::float_rows made_rows(std::int64_t rows, std::int64_t cols,
                                  std::function<float(std::int64_t, std::int64_t)> value,
                                  std::string name = "blk.0.attn_q.weight") {
    gguf::float_rows t;
    t.name = std::move(name);
    t.extent = {cols, rows};
    t.rows = rows;
    t.cols = cols;
    t.linear = true;
    t.read = [f = std::move(value)](std::int64_t row, std::span<float> out) {
        for (std::size_t i = 0; i < out.size(); ++i) out[i] = f(row, static_cast<std::int64_t>(i));
    };
    return t;
}

}  // namespace tbx::testing
