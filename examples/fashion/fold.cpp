// SPDX-License-Identifier: MIT
// Room fashion. Enters: a network and pictures. Leaves: see fold.hpp.
#include "fashion/fold.hpp"

#include <algorithm>

#include "support/error.hpp"

namespace tbx::fashion {
namespace {

void require(const trilobit::status& s) {
    if (!s.ok()) throw error("trilobit", s.text);
}

}  // namespace

threshold fold(const layer& l, int output, std::int32_t largest) {
    threshold t;
    t.opposite = l.slope[static_cast<std::size_t>(output)] < 0;
    const auto fires = [&](std::int32_t sum) {
        return l.normed(output, static_cast<float>(t.opposite ? -sum : sum)) >= 0;
    };
    // Once it fires, it fires for all larger sums: the first is found by halving. Beyond `largest`
    // stands for never.
    std::int32_t low = -largest, high = largest + 1;
    while (low < high) {
        const std::int32_t middle = low + (high - low) / 2;
        if (fires(middle))
            high = middle;
        else
            low = middle + 1;
    }
    t.least = low;
    return t;
}

integer_network::integer_network(const network& n, const trilobit::kernel_table& kernels)
    : first_layer{kernels}, others{kernels}, last(n.layers.back()) {
    others.options.activation = trilobit::activation_id::sign;
    others.options.kernel = trilobit::kernel_id::popcount;
    const float one = 1.0f;
    for (std::size_t k = 0; k < n.layers.size(); ++k) {
        const layer& l = n.layers[k];
        std::vector<std::int8_t> signs = l.signs;
        stage s;
        if (k + 1 < n.layers.size())
            for (int o = 0; o < l.outputs; ++o) {
                const threshold t = fold(l, o, l.inputs * (k == 0 ? 128 : 1));
                s.least.push_back(t.least);
                if (!t.opposite) continue;
                const auto row = signs.begin() + static_cast<std::ptrdiff_t>(o) * l.inputs;
                std::transform(row, row + l.inputs, row, [](std::int8_t w) { return -w; });
            }
        s.weights = trilobit::pack<trilobit::layout::binary_1bit>(trilobit::quantized_view{
            {signs.data(), l.outputs, l.inputs}, &one, trilobit::scale_spec::tensor()});
        stages.push_back(std::move(s));
    }
}

void integer_network::multiply(const stage& s, bool first,
                               trilobit::matrix_view<const std::int8_t> values,
                               const trilobit::sink& out) {
    trilobit::context& context = first ? first_layer : others;
    const trilobit::product one{s.weights.view(), out};
    const auto planned = trilobit::plan::of(context, {&one, 1}, values.rows, 1);
    if (!planned.ok()) require(planned.error());
    std::byte* const memory = context.scratch.reserve(planned.value().bytes());
    if (memory == nullptr) throw std::bad_alloc();
    const trilobit::matrix_view<const float> scales(ones.data(), values.rows, 1);
    require(planned.value().take(values, scales, 0, values.rows, memory));
    require(planned.value().run(0, planned.value().tasks(), 0, memory));
}

void integer_network::classify(trilobit::matrix_view<const std::int8_t> values,
                               std::span<std::uint8_t> to) {
    // Sums become ±1 where they leave the kernel.
    struct comparison {
        const std::int32_t* least;
        trilobit::matrix_view<std::int8_t> signs;
    };
    const auto compare = [](const void* context, const std::int32_t* sum, std::int64_t token,
                            std::int64_t row, int count) {
        const auto& c = *static_cast<const comparison*>(context);
        // Bytes may lie anywhere, for all that the compiler knows: without being told it compares
        // one at a time, which took as long as the products.
        const std::int32_t* __restrict from = sum;
        const std::int32_t* __restrict least = c.least + row;
        std::int8_t* __restrict signs = c.signs.row(token) + row;
        for (int i = 0; i < count; ++i)
            signs[i] = static_cast<std::int8_t>(2 * (from[i] >= least[i]) - 1);
    };
    ones.assign(static_cast<std::size_t>(values.rows), 1.0f);
    for (const stage& s : stages) {
        const bool first = &s == &stages.front();
        const auto size = static_cast<std::size_t>(values.rows * s.weights.view().rows);
        if (&s == &stages.back()) {
            sums.resize(size);
            const trilobit::matrix_view<std::int32_t> all(sums.data(), values.rows,
                                                          s.weights.view().rows);
            multiply(s, first, values, trilobit::into(all));
            break;
        }
        next.resize(size);
        const comparison c{s.least.data(), {next.data(), values.rows, s.weights.view().rows}};
        trilobit::sink out;
        out.context = &c;
        out.write_sums = compare;
        multiply(s, first, values, out);
        hidden.swap(next);
        values = {hidden.data(), values.rows, s.weights.view().rows};
    }
    for (std::size_t i = 0; i < to.size(); ++i) {
        float best[classes];
        for (int k = 0; k < classes; ++k)
            best[k] =
                last.normed(k, static_cast<float>(sums[i * classes + static_cast<std::size_t>(k)]));
        to[i] = static_cast<std::uint8_t>(std::max_element(best, best + classes) - best);
    }
}

}  // namespace tbx::fashion
