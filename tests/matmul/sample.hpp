// SPDX-License-Identifier: MIT
// Shared by the matmul tests. Enters: a shape. Leaves: random packed weights and activations, and
// the active back end; one that this processor lacks skips the case.
#pragma once

#include <array>
#include <catch2/catch_test_macros.hpp>
#include <cstring>
#include <vector>

#include "trilobit/dispatch/cpu.hpp"
#include "trilobit/dispatch/dispatch.hpp"
#include "trilobit/testing/random.hpp"

namespace matmul_test {

inline constexpr auto every_layout = []<class... L>(trilobit::type_list<L...>) {
    return std::array{L::id...};
}(trilobit::layouts{});

inline const trilobit::kernel_table& active_table() {
    const auto table = trilobit::dispatch::active();
    if (!table.ok()) SKIP(table.error().text);
    return *table.value();
}

inline bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
    return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

struct sample {
    std::int64_t rows, cols, tokens;
    trilobit::any_packed_matrix w;
    std::vector<float> x, y;

    sample(std::int64_t n, std::int64_t k, std::int64_t m,
           trilobit::layout_id layout = trilobit::layout_id::ternary_2bit,
           trilobit::scale_spec scale = trilobit::scale_spec::row())
        : rows(n), cols(k), tokens(m) {
        trilobit::testing::generator r(1);
        std::vector<float> weights(static_cast<std::size_t>(n * k));
        for (float& v : weights) v = r.unit();
        w = trilobit::pack(layout, trilobit::matrix_view<const float>(weights.data(), n, k),
                           {scale});
        x.resize(static_cast<std::size_t>(m * k));
        for (float& v : x) v = r.unit();
        y.assign(static_cast<std::size_t>(m * n), -77.0f);
    }
    [[nodiscard]] trilobit::matrix_view<const float> in() const { return {x.data(), tokens, cols}; }
    trilobit::matrix_view<float> out() { return {y.data(), tokens, rows}; }
    trilobit::status run(const trilobit::matmul_options& options = {}) {
        trilobit::context c{active_table(), {}, options};
        return trilobit::matmul(c, w, in(), out());
    }
};

}  // namespace matmul_test
