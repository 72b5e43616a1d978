// SPDX-License-Identifier: MIT
// Room huggingface. Enters: a tokenizer.json with a unigram model. Leaves: its pieces and scores,
// and what becomes of spaces and characters, or a refusal.
#pragma once

#include <cstdint>
#include <string>

#include "huggingface/vocabulary.hpp"

namespace tbx::huggingface {

/// Adds the pieces; `most` ids. Throws tbx::error.
void read_unigram_pieces(vocabulary& v, const safetensors::json& model, const std::string& path,
                         std::int64_t most);
/// What stands in `all` beside the model.
void read_unigram_spaces(vocabulary& v, const safetensors::json& all, const std::string& path);

}  // namespace tbx::huggingface
