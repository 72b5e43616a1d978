// SPDX-License-Identifier: MIT
// Room gguf. Enters: the metadata of a model. Leaves: RoPE's scaling as llama.cpp reads it, and a
// refusal of every model whose metadata ask for a computation that is not the plain transformer's.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "gguf/reader.hpp"

namespace tbx::gguf {

struct rope_scaling {
    float divisor = 1.0f;    // of positions
    float magnitude = 1.0f;  // of cosines and sines
    bool yarn = false, long_rope = false;
    std::int64_t original = 0;  // positions before scaling
    float fast = 32.0f, slow = 1.0f;
};

/// What YaRN multiplies cosines and sines by, when it divides positions.
[[nodiscard]] float yarn_magnitude(float divisor) noexcept;

/// RoPE's scaling as llama.cpp reads it: none, linear, YaRN or LongRoPE, whose divisors are
/// tensors. A factor without a type is linear, and rope.scale_linear is its old name. Throws
/// tbx::error for other types. `prefix` is the architecture with its dot; `context` stands in for
/// an original one that is not said.
[[nodiscard]] rope_scaling rope_scaling_of(const reader& file, const std::string& prefix,
                                           std::int64_t context);

/// What a model computes that not every one does, and whose keys therefore are read.
struct known_parts {
    bool scales = false;   // of embedding, residuals and logits
    bool windows = false;  // of positions, in some layers
    bool experts = false;
};

/// Throws tbx::error for a key that changes what a model computes, if its value is not the one that
/// changes nothing. Two such values follow from the model: no window is as long as its `context`,
/// and scores are divided by the root of `key_length`.
void refuse_other_graphs(const reader& file, const std::string& prefix, std::int64_t context,
                         std::int64_t key_length, const known_parts& known = {});

/// By which rule the model's activations are rounded, where it was trained with another than int8.
inline constexpr std::string_view activation_rule_key = "trilobit.activations";

/// Throws tbx::error where that key names another rule than int8.
void refuse_other_activations(const reader& file);

}  // namespace tbx::gguf
