// SPDX-License-Identifier: MIT
// Room huggingface. Enters: a model folder. Leaves: how its model makes one vector of a text, as
// sentence-transformers keeps it: modules.json, and the config of the module that pools.
#pragma once

#include <cstdint>
#include <string>

#include "huggingface/config.hpp"

namespace tbx::huggingface {

/// The numbers are GGUF's.
enum class pooling : std::uint8_t { unsaid = 0, mean = 1, last = 3 };

/// Throws tbx::error for what would make other vectors. Without modules.json bitnet-embedding's
/// models take the last token, as their publisher states; of others nothing is said.
[[nodiscard]] pooling read_pooling(const std::string& folder, const config& c);

}  // namespace tbx::huggingface
