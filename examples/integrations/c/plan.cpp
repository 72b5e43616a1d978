// SPDX-License-Identifier: MIT
// Room integrations/c. Enters: matrices and places for outputs. Leaves: a plan that the caller's
// own threads run in the caller's own memory.
#include <span>

#include "integrations/c/handles.hpp"

namespace tbx::capi {

/// Where the outputs of one product go; sinks point into it.
struct output {
    trilobit::matrix_view<float> floats;
    trilobit::matrix_view<std::int32_t> sums;
    trilobit::epilogue::write_f16 halves{};
    trilobit::epilogue::write_bf16 brains{};
    void (*write)(void*, const float*, std::int64_t, std::int64_t, std::int32_t) = nullptr;
    void* context = nullptr;
};

namespace {

constexpr std::int32_t most_products = 4096;

void call_back(const void* of, const float* sums, std::int64_t token, std::int64_t row, int count) {
    const output& to = *static_cast<const output*>(of);
    to.write(to.context, sums, token, row, count);
}

/// y as a matrix of T, in `to`.
template <class T>
status read_output(const trilobit_product& from, std::int64_t tokens,
                   trilobit::matrix_view<T>& to) noexcept {
    return read_view(static_cast<T*>(from.y), tokens, from.matrix->view.rows, from.y_stride, to);
}

status read_sink(const trilobit_product& from, std::int64_t tokens, output& to,
                 trilobit::sink& out) noexcept {
    if (from.write != nullptr) {
        if (from.y != nullptr || from.y_stride != 0 || from.output != TRILOBIT_OUTPUT_F32)
            return {errc::bad_value, "A product has two outputs: a function, and a matrix."};
        to.write = from.write;
        to.context = from.write_context;
        out.write = call_back;
        out.context = &to;
        return {};
    }
    switch (from.output) {
        case TRILOBIT_OUTPUT_F32:
            out = trilobit::into(to.floats);
            return read_output(from, tokens, to.floats);
        case TRILOBIT_OUTPUT_F16:
            out = trilobit::into(to.halves);
            return read_output(from, tokens, to.halves.y);
        case TRILOBIT_OUTPUT_BF16:
            out = trilobit::into(to.brains);
            return read_output(from, tokens, to.brains.y);
        case TRILOBIT_OUTPUT_SUMS:
            out = trilobit::into(to.sums);
            return read_output(from, tokens, to.sums);
        default:
            return {errc::unsupported, "There is no such output."};
    }
}

status read_product(const trilobit_product& from, std::int64_t tokens, output& to,
                    trilobit::product& product) noexcept {
    if (from.matrix == nullptr) return no_matrix;
    product.w = from.matrix->view;
    if (from.some_tokens != 0 && from.some_tokens != 1)
        return {errc::bad_value, "The field some_tokens is neither 0 nor 1."};
    if (from.some_tokens == 0 && (from.token_begin != 0 || from.token_end != 0))
        return {errc::bad_value, "A product names tokens, and some_tokens is 0."};
    if (from.some_tokens != 0) {
        product.token_begin = from.token_begin;
        product.token_end = from.token_end;
    }
    return read_sink(from, tokens, to, product.out);
}

}  // namespace
}  // namespace tbx::capi

struct trilobit_plan {
    std::vector<tbx::capi::output> outputs;
    std::vector<trilobit::product> products;
    std::int64_t tokens = 0;
    trilobit::plan plan;

    [[nodiscard]] std::span<const std::int64_t> chosen(const std::int64_t* rows) const noexcept {
        if (rows == nullptr) return {};
        return {rows, static_cast<std::size_t>(tokens)};
    }
    [[nodiscard]] trilobit::status check(const void* memory,
                                         std::size_t memory_bytes) const noexcept {
        if (memory == nullptr) return {trilobit::errc::bad_value, "The memory is null."};
        if (memory_bytes >= static_cast<std::size_t>(plan.bytes())) return {};
        return {trilobit::errc::bad_shape, "The memory is smaller than trilobit_plan_bytes()."};
    }
};

using namespace tbx::capi;

extern "C" {

trilobit_status trilobit_plan_new(const trilobit_context* context, const trilobit_product* products,
                                  std::int32_t count, std::int64_t tokens, std::int32_t threads,
                                  const trilobit_matmul_options* options, trilobit_plan** plan) {
    return make(plan, [&](trilobit_plan& made) -> status {
        if (context == nullptr) return no_context;
        if (products == nullptr && count != 0) return {errc::bad_value, "The products are null."};
        if (count < 0 || count > most_products)
            return {errc::bad_shape, "A plan has 1 to 4096 products."};
        if (tokens < 0 || tokens > trilobit::plan::max_tokens)
            return {errc::bad_shape, "A plan has 0 to 4294967296 tokens."};
        trilobit::context with{context->products.kernels};
        if (const status s = read_options(options, with.options); !s.ok()) return s;
        made.outputs.resize(static_cast<std::size_t>(count));
        made.products.resize(static_cast<std::size_t>(count));
        const auto* at = reinterpret_cast<const std::byte*>(products);
        for (std::size_t i = 0; i < made.products.size(); ++i) {
            // Products of a newer program lie farther apart than ours.
            trilobit_product from;
            const auto* here = reinterpret_cast<const trilobit_product*>(at);
            if (const status s = read_struct(here, from); !s.ok()) return s;
            if (const status s = read_product(from, tokens, made.outputs[i], made.products[i]);
                !s.ok())
                return s;
            at += from.struct_size;
        }
        made.tokens = tokens;
        const auto planned = trilobit::plan::of(with, made.products, tokens, threads);
        if (planned.ok()) made.plan = planned.value();
        return planned.error();
    });
}

void trilobit_plan_free(trilobit_plan* plan) { delete plan; }

std::size_t trilobit_plan_bytes(const trilobit_plan* plan) {
    return plan == nullptr ? 0 : static_cast<std::size_t>(plan->plan.bytes());
}

std::int64_t trilobit_plan_tasks(const trilobit_plan* plan) {
    return plan == nullptr ? 0 : plan->plan.tasks();
}

std::int64_t trilobit_plan_grain(const trilobit_plan* plan) {
    return plan == nullptr ? 0 : plan->plan.grain();
}

trilobit_status trilobit_plan_quantise(const trilobit_plan* plan, const float* x,
                                       std::int64_t x_rows, std::int64_t x_stride,
                                       const std::int64_t* rows, std::int64_t token_begin,
                                       std::int64_t token_end, void* memory,
                                       std::size_t memory_bytes) {
    return guarded([&]() -> status {
        if (plan == nullptr) return no_plan;
        if (const status s = plan->check(memory, memory_bytes); !s.ok()) return s;
        trilobit::matrix_view<const float> from;
        if (const status s = read_view(x, x_rows, plan->products[0].w.cols, x_stride, from);
            !s.ok())
            return s;
        return plan->plan.quantise(from, token_begin, token_end, memory, plan->chosen(rows));
    });
}

trilobit_status trilobit_plan_take(const trilobit_plan* plan, const std::int8_t* values,
                                   std::int64_t value_stride, const float* scales,
                                   std::int64_t scale_stride, std::int64_t x_rows,
                                   const std::int64_t* rows, std::int64_t token_begin,
                                   std::int64_t token_end, void* memory, std::size_t memory_bytes) {
    return guarded([&]() -> status {
        if (plan == nullptr) return no_plan;
        if (const status s = plan->check(memory, memory_bytes); !s.ok()) return s;
        trilobit::matrix_view<const std::int8_t> from;
        if (const status s =
                read_view(values, x_rows, plan->products[0].w.cols, value_stride, from);
            !s.ok())
            return s;
        trilobit::matrix_view<const float> from_scales;
        const std::int64_t groups = plan->plan.activations(memory).segments();
        if (const status s = read_view(scales, x_rows, groups, scale_stride, from_scales); !s.ok())
            return s;
        return plan->plan.take(from, from_scales, token_begin, token_end, memory,
                               plan->chosen(rows));
    });
}

trilobit_status trilobit_plan_run(const trilobit_plan* plan, std::int64_t task_begin,
                                  std::int64_t task_end, std::int32_t thread, void* memory,
                                  std::size_t memory_bytes) {
    return guarded([&]() -> status {
        if (plan == nullptr) return no_plan;
        if (const status s = plan->check(memory, memory_bytes); !s.ok()) return s;
        return plan->plan.run(task_begin, task_end, thread, memory);
    });
}

}  // extern "C"
