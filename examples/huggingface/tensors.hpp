// SPDX-License-Identifier: MIT
// Room huggingface. Enters: a config and the safetensors of its folder. Leaves: each tensor that
// GGUF has a name for, as rows of floats that are exactly the weights with which the model
// computes. One that is missing, misshapen or without a place is refused by its name.
#pragma once

#include <vector>

#include "gguf/float_rows.hpp"
#include "huggingface/config.hpp"
#include "safetensors/folder.hpp"

namespace tbx::huggingface {

/// `c` and `files` outlive what is returned. Masters are read once here, for their mean.
[[nodiscard]] std::vector<gguf::float_rows> tensors_of(const config& c,
                                                       const safetensors::folder& files);

}  // namespace tbx::huggingface
