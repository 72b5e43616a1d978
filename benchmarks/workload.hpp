// SPDX-License-Identifier: MIT
// Benchmarks. Enters: shapes. Leaves: packed random weights, random activations, and as many copies
// of a matrix as it takes to find none of it in a cache.
#pragma once

#include <cstdint>
#include <map>
#include <tuple>
#include <utility>
#include <vector>

#include "trilobit/core/aligned_buffer.hpp"
#include "trilobit/pack/pack.hpp"

namespace trilobit_bench {

struct shape {
    std::int64_t rows, cols;  // N, K
};

/// Of BitNet 2B-4T (hidden, key/value, up and gate, down), of the 3B model, of an 8B model.
inline constexpr shape shapes[] = {{2560, 2560}, {640, 2560},  {6912, 2560},
                                   {2560, 6912}, {3200, 8640}, {4096, 14336}};
inline constexpr std::int64_t batches[] = {1, 2, 4, 8, 32, 128, 512};
/// Percent of the activations that are zero, as a squared ReLU leaves them.
inline constexpr int zero_percents[] = {0, 50, 70, 80, 90, 95, 99};

/// Standard normal, the same for the same seed. Constant input would flatter every kernel: the
/// processor runs faster on operands that do not toggle.
std::vector<float> random_floats(std::int64_t count, std::uint32_t seed);

/// Makes about `percent` of them zero, each by itself.
void set_zeros(std::vector<float>& values, int percent, std::uint32_t seed);

/// Packs on first use and keeps.
class weights_shelf {
    using key = std::tuple<trilobit::layout_id, std::int64_t, std::int64_t, trilobit::granularity,
                           int, trilobit::scale_type>;
    trilobit::scale_spec scale;
    std::map<key, trilobit::any_packed_matrix> kept;

public:
    explicit weights_shelf(const trilobit::scale_spec& spec) : scale(spec) {}
    const trilobit::any_packed_matrix& get(trilobit::layout_id layout, const shape& s) {
        return get(layout, s, scale);
    }
    const trilobit::any_packed_matrix& get(trilobit::layout_id layout, const shape& s,
                                           const trilobit::scale_spec& spec);
};

/// One large buffer of copies of some bytes, walked round: when the walk returns to a copy,
/// trilobit_limits::cold_bytes() of others have been read since. Pages of 2 MiB where offered.
class cold_copies {
    trilobit::aligned_buffer arena;
    const void* source = nullptr;
    std::int64_t stride = 0, count = 0, next = 0;

public:
    /// Makes the copies, unless the last call was for the same bytes.
    void hold(const void* bytes, std::size_t size);
    const std::byte* take() {
        next = next + 1 < count ? next + 1 : 0;
        return arena.data() + next * stride;
    }
};

/// `w` with its tiles and scales at the same offsets from `image` as they have from w.bytes().
trilobit::packed_view at_image(const trilobit::any_packed_matrix& w, const std::byte* image);

}  // namespace trilobit_bench
