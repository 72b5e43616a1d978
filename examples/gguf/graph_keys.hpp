// SPDX-License-Identifier: MIT
// Room gguf. Enters: the metadata of a model. Leaves: RoPE's scaling as llama.cpp reads it, and a
// refusal of every model whose metadata ask for a computation that is not the plain transformer's.
#pragma once

#include <cstdint>
#include <string>

#include "gguf/reader.hpp"

namespace tbx::gguf {

/// What positions are divided by: 1 without scaling. A factor without a type is linear, and
/// rope.scale_linear is its old name. Throws tbx::error for other types, such as yarn. `prefix` is
/// the architecture with its dot.
[[nodiscard]] float rope_divisor(const reader& file, const std::string& prefix);

/// Throws tbx::error for a key that changes what a model computes, if its value is not the one that
/// changes nothing. Two such values follow from the model: no window is as long as its `context`,
/// and scores are divided by the root of `key_length`.
void refuse_other_graphs(const reader& file, const std::string& prefix, std::int64_t context,
                         std::int64_t key_length);

}  // namespace tbx::gguf
