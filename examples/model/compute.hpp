// SPDX-License-Identifier: MIT
// Room examples/model. Enters: a number of threads and the wish for a kernel. Leaves: everything
// that a computation borrows: threads, back ends, scratch memory. One caller at a time.
#pragma once

#include <cstdlib>
#include <string>
#include <vector>

#include <trilobit/dispatch/dispatch.hpp>
#include <trilobit/matmul/matmul.hpp>

#include "model/activations.hpp"
#include "model/dense_kernels.hpp"
#include "model/thread_team.hpp"
#include "support/error.hpp"

namespace tbx::model {

/// The back end of this process: the best one, or the one that TRILOBIT_ARCH names.
[[nodiscard]] inline const trilobit::kernel_table& chosen_arch() {
    const auto active = trilobit::dispatch::active();
    if (active.ok()) return *active.value();
    const char* wanted = std::getenv("TRILOBIT_ARCH");
    std::string text = "'" + std::string(wanted == nullptr ? "" : wanted) +
                       "' is none of the back ends that run here:";
    for (const trilobit::kernel_table* table : trilobit::dispatch::available())
        text += " " + std::string(table->name);
    throw error("TRILOBIT_ARCH", text);
}

struct compute {
    thread_team pool;
    trilobit::context context;  // of packed weights
    const dense_kernels& dense;
    activation_rule activations;
    std::vector<float> product;  // of add_product(), where it has to be whole
    std::vector<float> brought;  // activations as a linear wants them
    std::vector<float> grouped;  // the same in another order

    explicit compute(int threads, trilobit::matmul_options chosen = {},
                     const trilobit::kernel_table& arch = chosen_arch(),
                     activation_rule rule = activation_rule::token)
        : pool(threads),
          context{arch, pool, with_groups_of(rule, chosen)},
          dense(dense_kernels_for(context.kernels.name)),
          activations(rule) {}
};

/// f(t) for every token of a batch, some on each thread.
template <class F>
void each_token(compute& cpu, std::int64_t tokens, F f) {
    cpu.pool(0, tokens, 4, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t t = begin; t < end; ++t) f(t);
    });
}

}  // namespace tbx::model
