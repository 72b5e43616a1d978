// SPDX-License-Identifier: MIT
// Room huggingface. Enters: the pre_tokenizer of a tokenizer.json. Leaves: the name that GGUF has
// for that way of splitting texts, or a refusal: with another one a model reads other tokens.
#pragma once

#include <string>

#include "safetensors/json.hpp"

namespace tbx::huggingface {

/// Of byte-level BPE. `ignore_merges`: the model takes a piece that is a token whole.
[[nodiscard]] std::string split_name(const safetensors::json& pre_tokenizer, bool ignore_merges,
                                     const std::string& path);

/// Does it, or one of a sequence, have this type?
[[nodiscard]] bool has_type(const safetensors::json* processor, std::string_view type,
                            const char* list);

}  // namespace tbx::huggingface
