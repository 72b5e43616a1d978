// SPDX-License-Identifier: MIT
// Room huggingface. Enters: the fields of config.json about positions, which older and newer ones
// have in different places. Leaves: RoPE's base, dimensions and scaling; others are refused.
#pragma once

#include "huggingface/config.hpp"
#include "huggingface/fields.hpp"

namespace tbx::huggingface {

void read_rope(fields& f, config& c);

}  // namespace tbx::huggingface
