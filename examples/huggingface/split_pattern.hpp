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

/// The rules of two names leave digits together that the pre_tokenizers of their models part. That
/// makes no other tokens while no merge joins what is parted, as none that was learned so does:
/// throws tbx::error for one that does. Texts as tokenizer.json has them, not empty.
void check_merge(const std::string& name, const std::string& left, const std::string& right,
                 const std::string& path);

/// Does it, or one of a sequence, have this type?
[[nodiscard]] bool has_type(const safetensors::json* processor, std::string_view type,
                            const char* list);

}  // namespace tbx::huggingface
