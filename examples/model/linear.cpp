// SPDX-License-Identifier: MIT
// Room examples/model. Enters: a linear and activations. Leaves: the product; see linear.hpp.
#include "model/linear.hpp"

#include <algorithm>
#include <vector>

#include "formats/stq1_0.hpp"

namespace tbx::model {
namespace {

// So few tokens read rows where they are, which keeps up with memory; for more, rows are decoded.
constexpr std::int64_t few_tokens = 8;
// Weight rows that are decoded together: enough to use a group of activation rows several times
// while it is in the first cache, few enough to stay in the second.
constexpr std::int64_t panel_rows = 16;
constexpr std::int64_t token_group = 16;

// The one way in which a row meets a single token.
float dense_row(const dense_kernels& run, const dense_matrix& w, std::int64_t row, const float* x) {
    return run.dot(w.type, w.row(row), x, w.cols);
}

void dense_rows(const dense_kernels& run, const dense_matrix& w, const_matrix x, matrix y,
                std::int64_t begin, std::int64_t end) {
    if (x.rows == 1) {
        for (std::int64_t r = begin; r < end; ++r) y.data[r] = dense_row(run, w, r, x.data);
        return;
    }
    if (x.rows <= few_tokens) {
        for (std::int64_t r = begin; r < end; ++r)
            run.dot_many(w.type, w.row(r), x.data, x.stride, x.rows, w.cols, y.data + r, y.stride);
        return;
    }
    thread_local std::vector<float> panel;  // (panel_rows, cols)
    panel.resize(static_cast<std::size_t>(panel_rows * w.cols));
    for (std::int64_t first = begin; first < end; first += panel_rows) {
        const std::int64_t count = std::min(panel_rows, end - first);
        for (std::int64_t r = 0; r < count; ++r)
            run.decode(w.type, w.row(first + r), w.cols, panel.data() + r * w.cols);
        for (std::int64_t t = 0; t < x.rows; t += token_group)
            for (std::int64_t r = 0; r < count; ++r)
                run.dot_many(number_type::f32,
                             reinterpret_cast<const std::byte*>(panel.data() + r * w.cols),
                             x.row(t), x.stride, std::min(token_group, x.rows - t), w.cols,
                             y.row(t) + first + r, y.stride);
    }
}

// Packed weights' sums on their way to y.
auto scaled(const into& p) {
    return trilobit::chain(trilobit::epilogue::scale{p.w.scale}, trilobit::epilogue::write{p.y});
}

// x as w wants it: see linear.
const_matrix brought_to(const linear& w, compute& cpu, const_matrix x) {
    const bool rounds = group_of(cpu.activations) != 0 && w.packed() != nullptr;
    if (w.in != nullptr || w.basis != nullptr || rounds) {
        cpu.brought.resize(static_cast<std::size_t>(x.rows * x.cols));
        const matrix to(cpu.brought.data(), x.rows, x.cols);
        each_token(cpu, x.rows, [&](std::int64_t t) {
            float* row = to.row(t);
            if (w.in != nullptr)
                rms_norm(cpu.dense, x.row(t), w.in->weights, w.in->eps, row);
            else
                std::copy_n(x.row(t), x.cols, row);
            if (w.basis != nullptr) w.basis->forward(row, x.cols);
            if (rounds) round_groups(row, x.cols, cpu.activations);
        });
        x = to;
    }
    if (!w.grouped) return x;
    cpu.grouped.resize(static_cast<std::size_t>(x.rows * x.cols));
    const matrix to(cpu.grouped.data(), x.rows, x.cols);
    each_token(cpu, x.rows,
               [&](std::int64_t t) { formats::group_neighbours(x.row(t), x.cols, to.row(t)); });
    return to;
}

// Are both packed, and in a way that lets them share quantised activations?
bool shareable(const into& a, const into& b) noexcept {
    const trilobit::packed_view *p = a.w.packed(), *q = b.w.packed();
    return p != nullptr && q != nullptr && p->layout == q->layout && p->scale.per == q->scale.per &&
           p->segments() == q->segments() && a.w.grouped == b.w.grouped && a.w.basis == b.w.basis &&
           a.w.in == nullptr && b.w.in == nullptr;
}

void require(const trilobit::status& s) {
    if (!s.ok()) throw error(s.code == trilobit::errc::unsupported ? "--kernel" : "matmul", s.text);
}

void dense_product(compute& cpu, const dense_matrix& w, const_matrix x, matrix y) {
    // Several times more tasks than threads, so that a slow thread holds nobody up.
    const std::int64_t tasks = std::int64_t{8} * cpu.pool.concurrency();
    const std::int64_t grain = (w.rows / tasks + panel_rows) / panel_rows * panel_rows;
    cpu.pool(0, w.rows, grain, [&](std::int64_t begin, std::int64_t end) {
        dense_rows(cpu.dense, w, x, y, begin, end);
    });
}

}  // namespace

std::int64_t linear::rows() const noexcept {
    const trilobit::packed_view* p = packed();
    return p != nullptr ? p->rows : std::get<dense_matrix>(weights).rows;
}

std::int64_t linear::cols() const noexcept {
    const trilobit::packed_view* p = packed();
    return p != nullptr ? p->cols : std::get<dense_matrix>(weights).cols;
}

std::int64_t linear::bytes() const noexcept {
    const trilobit::packed_view* p = packed();
    return p != nullptr ? p->tiles_bytes() + p->scale_bytes()
                        : std::get<dense_matrix>(weights).bytes();
}

const trilobit::packed_view* linear::packed() const noexcept {
    if (const auto* borrowed = std::get_if<trilobit::packed_view>(&weights)) return borrowed;
    const auto* p = std::get_if<trilobit::any_packed_matrix>(&weights);
    return p != nullptr ? &p->view() : nullptr;
}

void settle(linear& w, trilobit::page_arena& arena) {
    if (auto* packed = std::get_if<trilobit::any_packed_matrix>(&w.weights))
        if (const trilobit::status s = packed->move_to(arena); !s.ok())
            throw error("weights", s.text);
}

void multiply(compute& cpu, const_matrix x, std::span<const into> products) {
    const into& first = products.front();
    std::vector<decltype(scaled(first))> epilogues;
    for (const into& p : products)
        if (products.size() == 1 ? p.w.packed() != nullptr : shareable(first, p))
            epilogues.push_back(scaled(p));
    if (epilogues.size() == products.size()) {
        std::vector<trilobit::product> together;
        for (const into& p : products)
            together.push_back({*p.w.packed(), trilobit::into(epilogues[together.size()])});
        return require(trilobit::matmul_shared(cpu.context, brought_to(first.w, cpu, x), together));
    }
    if (products.size() > 1) {
        for (const into& p : products) multiply(cpu, x, {p});
        return;
    }
    dense_product(cpu, std::get<dense_matrix>(first.w.weights), brought_to(first.w, cpu, x),
                  first.y);
    if (first.w.scale == 1.0f) return;
    for (std::int64_t t = 0; t < x.rows; ++t)
        for (std::int64_t r = 0; r < first.y.cols; ++r) first.y(t, r) *= first.w.scale;
}

void add_product(compute& cpu, const_matrix x, const into& to) {
    const matrix y = to.y;
    if (const trilobit::packed_view* p = to.w.packed(); p != nullptr)
        return require(trilobit::matmul(cpu.context, *p, brought_to(to.w, cpu, x),
                                        trilobit::chain(trilobit::epilogue::scale{to.w.scale},
                                                        trilobit::epilogue::accumulate{y})));
    cpu.product.resize(static_cast<std::size_t>(y.rows * y.cols));
    const matrix product(cpu.product.data(), y.rows, y.cols);
    multiply(cpu, x, {{to.w, product}});
    each_token(cpu, y.rows, [&](std::int64_t t) {
        for (std::int64_t i = 0; i < y.cols; ++i) y(t, i) += product(t, i);
    });
}

void multiply_chosen(compute& cpu, const_matrix x, std::span<const linear> stack,
                     std::span<const std::int32_t> which, std::span<const std::int64_t> from,
                     matrix y) {
    const linear& first = stack.front();
    if (first.packed() == nullptr) {
        for (std::int64_t i = 0; i < y.rows; ++i) {
            const auto at = static_cast<std::size_t>(i);
            multiply(cpu, {x.row(from.empty() ? i : from[at]), 1, x.cols},
                     {{stack[static_cast<std::size_t>(which[at])], y.rows_from(i, 1)}});
        }
        return;
    }
    std::vector<trilobit::packed_view> views;
    for (const linear& w : stack) views.push_back(*w.packed());
    const auto out =
        trilobit::chain(trilobit::epilogue::scale{first.scale}, trilobit::epilogue::write{y});
    require(trilobit::matmul_indexed(cpu.context, views, which, brought_to(first, cpu, x),
                                     trilobit::into(out), from));
}

void multiply_rows(compute& cpu, const linear& w, const float* x,
                   std::span<const std::int32_t> rows, float* y) {
    const auto& dense = std::get<dense_matrix>(w.weights);
    cpu.pool(0, std::ssize(rows), panel_rows, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) {
            y[i] = dense_row(cpu.dense, dense, rows[static_cast<std::size_t>(i)], x);
            if (w.scale != 1.0f) y[i] *= w.scale;
        }
    });
}

}  // namespace tbx::model
