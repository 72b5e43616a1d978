// SPDX-License-Identifier: MIT
// Benchmarks. Enters: shapes and seeds. Leaves: operands.
#include "workload.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <random>

#include "limits/limits.hpp"

namespace trilobit_bench {

std::vector<float> random_floats(std::int64_t count, std::uint32_t seed) {
    std::mt19937 bits(seed);
    std::normal_distribution<float> normal;
    std::vector<float> values(static_cast<std::size_t>(count));
    for (float& v : values) v = normal(bits);
    return values;
}

void set_zeros(std::vector<float>& values, int percent, std::uint32_t seed) {
    std::mt19937 bits(seed);
    for (float& v : values)
        if (static_cast<int>(bits() >> 8) % 100 < percent) v = 0.0f;
}

const trilobit::any_packed_matrix& weights_shelf::get(trilobit::layout_id layout, const shape& s,
                                                      const trilobit::scale_spec& spec) {
    const auto [at, is_new] =
        kept.try_emplace(key{layout, s.rows, s.cols, spec.per, spec.group_cols, spec.type});
    if (!is_new) return at->second;
    std::vector<std::int8_t> levels;
    void (*fit_row)(std::int8_t*, std::int64_t) = nullptr;
    trilobit::visit_layout(layout, [&]<class L>() {
        fit_row = &trilobit::fit_row<typename L::kind>;
        for (int v = L::kind::lowest; v <= L::kind::highest; ++v)
            if (L::kind::holds(static_cast<std::int8_t>(v)))
                levels.push_back(static_cast<std::int8_t>(v));
    });
    // Rows of the right values rather than floats: packing is not what these rows measure.
    at->second = trilobit::pack_rows(
        layout, s.rows, s.cols,
        [&](std::int64_t row, std::int8_t* values, float* scales) {
            std::minstd_rand bits(static_cast<std::uint32_t>(row) + 1);
            for (std::int64_t c = 0; c < s.cols; ++c) {
                values[c] = levels[(bits() >> 8) % levels.size()];
            }
            fit_row(values, s.cols);
            const std::int64_t per_row =
                spec.per == trilobit::granularity::tensor ? 1 : spec.segments(s.cols);
            for (std::int64_t i = 0; i < per_row; ++i)
                scales[i] = 0.5f + static_cast<float>(bits() % 1024) / 1024.0f;
            return trilobit::status{};
        },
        {.scale = spec});
    return at->second;
}

void cold_copies::hold(const void* bytes, std::size_t size) {
    const auto page = static_cast<std::int64_t>(4096);
    const std::int64_t wanted_stride = trilobit::round_up(static_cast<std::int64_t>(size), page);
    if (source == bytes && stride == wanted_stride) return;
    source = bytes;
    stride = wanted_stride;
    const auto cold = static_cast<std::int64_t>(trilobit_limits::cold_bytes());
    count = std::max<std::int64_t>(trilobit::ceil_div(cold, stride), 2);
    const auto total = static_cast<std::size_t>(count * stride);
    if (arena.size() < total) {
        arena = trilobit::aligned_buffer(total);
        if (arena.size() < total) throw std::bad_alloc();
        // Memory new to a virtual machine was read at 60 % of its speed, in every other run and for
        // seconds; written twice it was not.
        std::memset(arena.data(), 0x5a, total);
    }
    for (std::int64_t i = 0; i < count; ++i) std::memcpy(arena.data() + i * stride, bytes, size);
}

trilobit::packed_view at_image(const trilobit::any_packed_matrix& w, const std::byte* image) {
    trilobit::packed_view view = w.view();
    view.tiles = image + (view.tiles - w.bytes().data());
    view.scales = image + (static_cast<const std::byte*>(view.scales) - w.bytes().data());
    return view;
}

}  // namespace trilobit_bench
