// SPDX-License-Identifier: MIT
// Room llama2c. Enters: paths of a llama2.c checkpoint and its tokenizer.
// Leaves: a GGUF file of architecture `llama`, every tensor F32, that any engine loads.
#pragma once

#include <string>

#include "llama2c/checkpoint.hpp"
#include "llama2c/spm_vocabulary.hpp"

namespace tbx::llama2c {

// The file's tokens in SentencePiece's spelling, with their kinds.
[[nodiscard]] spm_vocabulary to_spm(const vocabulary& from);

// Throws tbx::error; nothing appears under `out` unless everything went well.
void convert(const std::string& checkpoint_path, const std::string& tokenizer_path,
             const std::string& out);

}  // namespace tbx::llama2c
