// SPDX-License-Identifier: MIT
// Room examples/model. Enters: the ternary feed-forward network of a layer, still in its file.
// Leaves: which of its neurons are worth loading.
//
// A neuron is gate(row of gate * x) * (row of up * x): 0 for every x where one of these rows is all
// zeros, as in trained models some are. Then gate and up need not make it, nor down read it.
// Zeros in its column of down alone do not suffice: it counts in the mean of the sub-norm, and may
// be the largest activation, which sets the scale of all.
#pragma once

#include <cstdint>
#include <vector>

#include "model/compute.hpp"

namespace tbx::gguf {
class reader;
struct tensor;
}  // namespace tbx::gguf

namespace tbx::model {

/// The neurons that are not always 0, in order. Empty for all: where none is dead, where weights
/// are dense, and where down has scales for groups of columns, whose borders are the file's.
/// Throws tbx::error for damaged rows of those that are left out.
[[nodiscard]] std::vector<std::int32_t> living_neurons(compute& cpu, const gguf::reader& file,
                                                       const gguf::tensor& gate,
                                                       const gguf::tensor& up,
                                                       const gguf::tensor& down);

}  // namespace tbx::model
