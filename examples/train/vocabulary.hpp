// SPDX-License-Identifier: MIT
// Room train: a vocabulary learnt from a text, by SentencePiece.
// Enters: texts and a wanted size. Leaves: tokens with scores, every byte among them.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "llama2c/spm_vocabulary.hpp"

namespace tbx::train {

// Pieces by byte-pair merges with byte fallback; <unk> <s> </s> are 0, 1, 2. The result may be
// smaller than `size` when the text has too few different words. `path` is for messages.
[[nodiscard]] llama2c::spm_vocabulary train_vocabulary(const std::string& path,
                                                       std::span<const std::string_view> texts,
                                                       int size);

}  // namespace tbx::train
