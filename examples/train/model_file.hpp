// SPDX-License-Identifier: MIT
// Room train: models as GGUF files, in both directions.
// Enters: a trained state and a vocabulary; or a file of architecture llama or bitnet.
// Leaves: a file for any runner; or the configuration, float parameters and vocabulary of a file.
#pragma once

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

// Ternary models are written as `ternary_type` (TQ2_0 or I2_S), others as F16; the embedding as
// F16, norms as F32. Throws tbx::error when a size does not fit the type.
void save_model(const std::string& path, const std::string& name, const model_config& config,
                std::span<const float> parameters, const llama2c::spm_vocabulary& vocabulary,
                gguf::tensor_type ternary_type = gguf::tensor_type::tq2_0);

}  // namespace tbx::train
