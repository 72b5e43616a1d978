// SPDX-License-Identifier: MIT
// Lesson 3. Enters: what is to happen to each sum. Leaves: it happened while the sum was at hand,
// without a second walk over the output.
//
// Here BitNet's feed-forward up projection: a bias, the squared ReLU, a gate that another product
// made before. An epilogue is anything callable as e(values, count, token, row) on `count`
// consecutive rows of one token; chain() runs several on each block, in order.
#include <trilobit/trilobit.hpp>

#include <cstdio>
#include <random>
#include <vector>

int main() {
    const std::int64_t rows = 100, cols = 320, tokens = 3;  // any shape: 100 fills no whole tiles
    std::vector<float> weights(rows * cols), x(tokens * cols), gate(tokens * rows), bias(rows);
    std::vector<float> plain(tokens * rows), fused(tokens * rows);
    std::minstd_rand bits(3);
    std::uniform_real_distribution<float> uniform(-1, 1);
    for (auto* v : {&weights, &x, &gate, &bias})
        for (float& f : *v) f = uniform(bits);

    const auto w = trilobit::pack<trilobit::layout::ternary_2bit>(
        {weights.data(), rows, cols}, {.scale = trilobit::scale_spec::row()});
    const trilobit::matrix_view<const float> in(x.data(), tokens, cols);
    // Of this layout alone; all of them, trilobit::kernel_table_of, take several times as long to
    // compile.
    using kernels = trilobit::kernels_for<trilobit::native_arch, trilobit::layout::ternary_2bit>;
    trilobit::context context{kernels::table};

    const auto squared_relu = [](float* v, int count, std::int64_t, std::int64_t) {
        for (int i = 0; i < count; ++i) v[i] = v[i] > 0 ? v[i] * v[i] : 0;
    };
    const auto times_gate = [&](float* v, int count, std::int64_t token, std::int64_t row) {
        for (int i = 0; i < count; ++i) v[i] *= gate[size_t(token * rows + row + i)];
    };
    const trilobit::status s = trilobit::matmul(
        context, w, in,
        trilobit::chain(trilobit::epilogue::add_bias{bias.data()}, squared_relu, times_gate,
                        trilobit::epilogue::write{{fused.data(), tokens, rows}}));
    if (!s.ok()) return std::puts(s.text), 1;

    // The same by hand, afterwards.
    if (!trilobit::matmul(w, in, {plain.data(), tokens, rows}).ok()) return 1;
    int wrong = 0;
    for (std::int64_t i = 0; i < tokens * rows; ++i) {
        const float v = plain[size_t(i)] + bias[size_t(i % rows)];
        wrong += fused[size_t(i)] != (v > 0 ? v * v : 0) * gate[size_t(i)];
    }
    std::printf("%lld outputs, %d differ\n", static_cast<long long>(tokens * rows), wrong);
    return wrong == 0 ? 0 : 1;
}
