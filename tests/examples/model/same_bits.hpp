// SPDX-License-Identifier: MIT
// Tests of examples/model. Enters: floats, twice. Leaves: are they the same, zeros' signs and NaN
// included?
#pragma once

#include <cstring>
#include <vector>

namespace tbx::testing {

inline bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
    return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

}  // namespace tbx::testing
