// SPDX-License-Identifier: MIT
// Shared by the packing tests. Enters: a shape and a scale spec. Leaves: random quantised weights,
// and what a packed view holds at (row, column), read by the words of packed_view.hpp.
#pragma once

#include <vector>

#include "trilobit/pack/pack.hpp"
#include "trilobit/testing/random.hpp"

namespace pack_test {

struct sample {
    std::int64_t rows, cols;
    trilobit::scale_spec spec;
    std::vector<std::int8_t> values;
    std::vector<float> scales;  // all of them exact in f16

    sample(std::int64_t n, std::int64_t k, trilobit::scale_spec s, bool zeros = true,
           std::uint64_t seed = 1)
        : rows(n), cols(k), spec(s) {
        trilobit::testing::generator r(seed);
        for (std::int64_t i = 0; i < n * k; ++i)
            values.push_back(
                static_cast<std::int8_t>(zeros ? r.between(-1, 1) : 2 * r.between(0, 1) - 1));
        for (std::int64_t i = 0; i < spec.count(n, k); ++i)
            scales.push_back(static_cast<float>(r.between(-1024, 1024)) * 0x1p-6f);
    }
    /// Of all values that a layout holds.
    template <trilobit::weight_layout L>
    static sample of(std::int64_t n, std::int64_t k, trilobit::scale_spec s) {
        sample any(n, k, s);
        trilobit::testing::generator r(2);
        for (std::int8_t& v : any.values) do
                v = static_cast<std::int8_t>(r.between(L::kind::lowest, L::kind::highest));
            while (!L::kind::holds(v));
        for (std::int64_t row = 0; row < n; ++row)
            trilobit::fit_row<typename L::kind>(any.values.data() + row * k, k);
        return any;
    }
    [[nodiscard]] trilobit::quantized_view view() const {
        return {{values.data(), rows, cols}, scales.data(), spec};
    }
    [[nodiscard]] float scale_of(std::int64_t row, std::int64_t col) const {
        const std::int64_t at = spec.per == trilobit::granularity::tensor
                                    ? 0
                                    : row * spec.segments(cols) + col / spec.segment_cols(cols);
        return scales[static_cast<std::size_t>(at)];
    }
};

/// Weight (row, col): row blocks, then segments along K, each padded to whole tiles.
template <trilobit::weight_layout L>
int weight_in(const trilobit::packed_view& v, std::int64_t row, std::int64_t col) {
    const std::int64_t group =
        v.scale.per == trilobit::granularity::group ? v.scale.group_cols : v.cols;
    const std::int64_t full = (group + L::tile_cols - 1) / L::tile_cols;  // tiles of a segment
    const std::int64_t segments = (v.cols + group - 1) / group;
    const std::int64_t last = v.cols - (segments - 1) * group;
    const std::int64_t along = (segments - 1) * full + (last + L::tile_cols - 1) / L::tile_cols;
    const std::int64_t tile =
        row / L::tile_rows * along + col / group * full + col % group / L::tile_cols;
    std::int8_t w[L::tile_rows * L::tile_cols];
    L::decode(v.tiles + tile * L::tile_bytes, w);
    return w[row % L::tile_rows * L::tile_cols + col % group % L::tile_cols];
}

/// How many weights and scales of the packed view differ from the sample's.
template <trilobit::weight_layout L>
int differences(const trilobit::packed_view& v, const sample& s) {
    int wrong = 0;
    for (std::int64_t n = 0; n < s.rows; ++n)
        for (std::int64_t k = 0; k < s.cols; ++k) {
            wrong += weight_in<L>(v, n, k) != s.values[static_cast<std::size_t>(n * s.cols + k)];
            wrong += v.scale_of(n / L::tile_rows, k / v.scale.segment_cols(v.cols),
                                static_cast<int>(n % L::tile_rows)) != s.scale_of(n, k);
        }
    return wrong;
}

inline std::vector<trilobit::scale_spec> all_specs() {
    using trilobit::scale_spec;
    using trilobit::scale_type;
    std::vector<scale_spec> specs;
    for (const scale_type t : {scale_type::f32, scale_type::f16}) {
        specs.push_back(scale_spec::tensor(t));
        specs.push_back(scale_spec::row(t));
        for (const int g : {32, 64, 128, 256}) specs.push_back(scale_spec::group(g, t));
    }
    return specs;
}

/// `f` outlives the packing.
template <class F>
void report_to(const F& f, trilobit::pack_options& options) {
    options.progress = [](const void* to, double done) { (*static_cast<const F*>(to))(done); };
    options.context = &f;
}

inline std::vector<std::byte> copy_of(const trilobit::any_packed_matrix& m) {
    return {m.bytes().begin(), m.bytes().end()};
}

}  // namespace pack_test
