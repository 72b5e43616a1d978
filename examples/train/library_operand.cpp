// SPDX-License-Identifier: MIT
// Room train. Enters: operands. Leaves: see library_operand.hpp.
#include "train/library_operand.hpp"

#include <trilobit/dispatch/dispatch.hpp>

#include <algorithm>

#include "support/error.hpp"

namespace tbx::train {
namespace {

void require(const trilobit::status& s) {
    if (!s.ok()) throw error("trilobit", s.text);
}

template <class Layout>
void pack(library_side& to, const trilobit::quantized_view& levels) {
    auto made = std::make_shared<trilobit::packed_matrix<Layout>>(trilobit::pack<Layout>(levels));
    to.packed = made->view();
    to.owner = std::move(made);
}

}  // namespace

void library_side::keep_row(int r, const float* integers, int cols, input_rule rule) {
    kind = kind_of(rule);
    const auto n = static_cast<std::size_t>(cols), from = static_cast<std::size_t>(r) * n;
    if (codes.size() < from + n) codes.resize(from + n);
    for (std::size_t i = 0; i < n; ++i) codes[from + i] = static_cast<std::int8_t>(integers[i]);
}

void library_side::keep_weights(trilobit::matrix_view<const std::int8_t> levels, float scale) {
    const trilobit::quantized_view all{levels, &scale, trilobit::scale_spec::tensor()};
    const auto count = static_cast<std::ptrdiff_t>(levels.rows * levels.cols);
    if (std::count(levels.data, levels.data + count, 0) == 0)
        pack<trilobit::layout::binary_1bit>(*this, all);
    else
        pack<trilobit::layout::ternary_2bit>(*this, all);
}

void multiply_by_library(const library_side& x, const std::vector<float>& scales,
                         const library_side& w, int rows, float* y) {
    const auto kernels = trilobit::dispatch::active();
    if (!kernels.ok()) throw error("TRILOBIT_ARCH", kernels.error().text);
    trilobit::context context{*kernels.value()};
    context.options.activation = x.kind;
    const trilobit::matrix_view<float> out(y, rows, w.packed.rows);
    const trilobit::product one{w.packed, trilobit::into(out)};
    const auto planned = trilobit::plan::of(context, {&one, 1}, rows, 1);
    if (!planned.ok()) require(planned.error());
    static trilobit::workspace room;
    std::byte* const memory = room.reserve(planned.value().bytes());
    if (memory == nullptr) throw std::bad_alloc();
    require(planned.value().take({x.codes.data(), rows, w.packed.cols}, {scales.data(), rows, 1}, 0,
                                 rows, memory));
    require(planned.value().run(0, planned.value().tasks(), 0, memory));
}

}  // namespace tbx::train
