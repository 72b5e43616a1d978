// SPDX-License-Identifier: MIT
// Room gguf. Enters: a tensor that lies somewhere, in whatever form. Leaves: its rows as floats,
// made when they are asked for: what conversions read, so that no tensor is ever in memory whole.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "gguf/types.hpp"

namespace tbx::gguf {

struct float_rows {
    std::string name;                  // as GGUF says it
    std::vector<std::int64_t> extent;  // extent[0] is the fastest: columns
    std::int64_t rows = 0, cols = 0;
    /// Of experts there are several, one below the other.
    [[nodiscard]] std::int64_t matrices() const noexcept {
        return extent.size() > 2 && extent[1] > 0 ? rows / extent[1] : 1;
    }
    int group = 0;        // columns that share a scale where it lies; 0: not known
    bool linear = false;  // a matrix of a layer: these take the type that is asked for
    /// Exactly the weights. Any threads; throws tbx::error for a row that is damaged.
    std::function<void(std::int64_t row, std::span<float> out)> read = {};
    /// A type that holds the values exactly and suits the tensor, and its bytes if they lie there.
    tensor_type type = tensor_type::f32;
    std::span<const std::byte> bytes = {};
    /// The tensor will not be read soon: its pages may go.
    std::function<void()> forget = [] {};
};

}  // namespace tbx::gguf
