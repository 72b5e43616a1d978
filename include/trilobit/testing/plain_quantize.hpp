// SPDX-License-Identifier: MIT
// Room testing. Enters: one token's floats. Leaves: its values and scales by the words of the
// rules, with the standard library's rounding: the oracle of `activation`, sharing no code with it.
#pragma once

#include "trilobit/version.hpp"

#include <algorithm>
#include <cfenv>
#include <cmath>
#include <cstdint>

#include "trilobit/activation/view.hpp"

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI::testing {

/// `values` and `scales` are this token's own. Finite input only.
inline void plain_quantize(const activation_shape& shape, const float* x, std::int8_t* values,
                           float* scales) {
    for (std::int64_t first = 0; first < shape.cols; first += shape.segment_cols()) {
        const std::int64_t last = std::min(first + shape.segment_cols(), shape.cols);
        float largest = 0;
        long double total = 0;
        for (std::int64_t c = first; c < last; ++c) {
            largest = std::max(largest, std::fabs(x[c]));
            total += static_cast<long double>(std::fabs(x[c]));
        }
        // volatile: every operation is rounded to float, whatever the flags.
        volatile float mean =
            static_cast<float>(static_cast<double>(total) / static_cast<double>(last - first));
        volatile float floored = mean + 1e-5f;
        volatile float factor = 1.0f / floored;
        float low = -1.0f, high = 1.0f;
        switch (shape.kind) {
            case activation_id::int8:
                factor = 127.0f / std::max(largest, 1e-5f);
                low = -128.0f, high = 127.0f;
                break;
            case activation_id::int4:
                factor = std::sqrt(7.0f) / floored;
                low = -8.0f, high = 7.0f;
                break;
            case activation_id::int2:
                low = -2.0f, high = 1.0f;
                break;
            case activation_id::sign:
                break;
        }
        for (std::int64_t c = first; c < last; ++c) {
            volatile float product = x[c] * factor;
            const float p = product;
            values[c] = shape.kind == activation_id::sign
                            ? static_cast<std::int8_t>(x[c] >= 0.0f ? 1 : -1)
                            : static_cast<std::int8_t>(std::clamp(std::nearbyint(p), low, high));
        }
        scales[first / shape.segment_cols()] = 1.0f / factor;
    }
}

}  // namespace trilobit::inline TRILOBIT_ABI::testing

#include "trilobit/core/end.hpp"
