// SPDX-License-Identifier: MIT
// Room train: models as GGUF files, in both directions.
// Enters: a trained state and a vocabulary; or a file of architecture llama or bitnet.
// Leaves: a file for any runner; or the configuration, float parameters and vocabulary of a file.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "gguf/types.hpp"
#include "llama2c/spm_vocabulary.hpp"
#include "train/config.hpp"

namespace tbx::train {

struct loaded_model {
    model_config config;
    std::vector<float> parameters;
    llama2c::spm_vocabulary vocabulary;
};

// Throws tbx::error for what this graph cannot express: an untied head, odd head sizes, scaled
// RoPE.
[[nodiscard]] loaded_model load_model(const std::string& path);

// Linear weights are written as `linear_type` (TQ2_0, I2_S, or of binary ones Q1_0), without one as
// TQ2_0 or Q1_0, float ones as F16; the embedding as F16, norms as F32. A rule for activations that
// is not int8 is named by a key. Throws tbx::error when a size does not fit the type.
void save_model(const std::string& path, const std::string& name, const model_config& config,
                std::span<const float> parameters, const llama2c::spm_vocabulary& vocabulary,
                std::optional<gguf::tensor_type> linear_type = std::nullopt);

}  // namespace tbx::train
