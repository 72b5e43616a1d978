// SPDX-License-Identifier: MIT
// Room huggingface. Enters: the fields of config.json about positions, which older and newer configs
// have in different places. Leaves: RoPE's base, dimensions and scaling; what is not known is refused.
#pragma once

#include "huggingface/config.hpp"
#include "huggingface/fields.hpp"

namespace tbx::huggingface {

void read_rope(fields& f, config& c);

}  // namespace tbx::huggingface
