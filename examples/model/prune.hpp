// SPDX-License-Identifier: MIT
// Room examples/model. Enters: the ternary feed-forward network of a layer, still in its file.
// Leaves: which of its neurons are worth loading.
//
// A neuron is gate(row of gate * x) * (row of up * x). Where one of these rows holds nothing but
// zeros, as rows of trained models do, it is 0 for every x: gate and up need not make it, and down
// need not read it. One whose column of down alone is zeros has to stay, as it counts in the mean of
// the sub-norm and in the size of the largest activation, which is the scale of all of them.
#pragma once

#include <cstdint>
#include <vector>

#include "model/compute.hpp"

namespace tbx::gguf {
class reader;
struct tensor;
}  // namespace tbx::gguf

namespace tbx::model {

/// The neurons that are not always 0, in order. Empty for all of them: where none is dead, where
/// weights are dense, and where columns of down have scales in groups, whose borders are the file's.
/// Throws tbx::error for damaged rows of those that are left out.
[[nodiscard]] std::vector<std::int32_t> living_neurons(compute& cpu, const gguf::reader& file,
                                                       const gguf::tensor& gate,
                                                       const gguf::tensor& up,
                                                       const gguf::tensor& down);

}  // namespace tbx::model
