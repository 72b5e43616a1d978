// SPDX-License-Identifier: MIT
// Room integrations. Enters: nodes of the host's graph. Leaves: MUL_MAT and MUL_MAT_ID done by
// plans, one for all consecutive products of the same activations.
#pragma once

#include <trilobit/matmul/context.hpp>
#include <trilobit/matmul/tasks.hpp>

#include <cstdint>
#include <vector>

#include "integrations/ggml/abi/types.hpp"
#include "integrations/ggml/threads.hpp"

namespace tbx::ggml {

/// Can this node be computed here, exactly as it is?
bool supports(const tensor& node) noexcept;

/// What one stream of the host's keeps from product to product.
class worker {
    team threads;
    trilobit::context context;
    std::vector<trilobit::matrix_view<float>> outputs;
    std::vector<trilobit::product> products;
    std::vector<std::int32_t> expert_of;
    std::vector<std::int64_t> rows;

    trilobit::status shared(const std::vector<const tensor*>& nodes);
    trilobit::status batched(const tensor& node);
    trilobit::status indexed(const tensor& node);
    void choose_activations(const tensor& weights) noexcept;
    bool goes_along(const tensor& first, const tensor& next) const noexcept;

public:
    worker(const trilobit::kernel_table& kernels, int thread_count)
        : threads(thread_count), context{kernels, threads} {}
    worker(const worker&) = delete;
    worker& operator=(const worker&) = delete;

    void use_threads(int count) { threads.resize(count); }
    status compute(graph* g);
};

/// What TRILOBIT_ACTIVATIONS ("token" or "32") and TRILOBIT_THREADS ask for; false when they are
/// neither, which is said.
bool read_environment();

}  // namespace tbx::ggml
