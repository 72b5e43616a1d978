// SPDX-License-Identifier: MIT
// Room train: linear layers through the library's own kernels, as a runner has them, to measure a
// finished student. Enters: the integers of fake quantisers. Leaves: the same floats as their float
// products have: sums are below 2^24, so float keeps them whole, and they are scaled in one order.
#pragma once

#include <trilobit/trilobit.hpp>

#include <cstdint>
#include <memory>
#include <vector>

#include "train/gemm.hpp"
#include "train/rounding.hpp"

namespace tbx::train {

// Attention, norms and the head are as in training.
struct library_backend : portable_backend {
    static constexpr bool through_library = true;
};

template <class Backend>
concept through_library = requires { Backend::through_library; };

// What an operand keeps beside its floats.
struct library_side {
    std::vector<std::int8_t> codes;  // (rows, cols) of activations
    trilobit::activation_id kind = trilobit::activation_id::int8;
    std::shared_ptr<const void> owner;  // of the packed weights
    trilobit::packed_view packed;

    void keep_row(int r, const float* integers, int cols, input_rule rule);
    // One bit each where there is no zero among them.
    void keep_weights(trilobit::matrix_view<const std::int8_t> levels, float scale);
};
// Nothing, where products are float.
template <class Backend>
struct library_operand {
    template <class... Ignored>
    void keep_row(Ignored&&...) {}
    void keep_weights(trilobit::matrix_view<const std::int8_t>, float) {}
};
template <>
struct library_operand<library_backend> : library_side {};

// y (rows, w.rows). Throws tbx::error where no kernel takes them.
void multiply_by_library(const library_side& x, const std::vector<float>& scales,
                         const library_side& w, int rows, float* y);

}  // namespace tbx::train
