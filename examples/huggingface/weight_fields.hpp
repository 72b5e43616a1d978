// SPDX-License-Identifier: MIT
// Room huggingface. Enters: the fields of config.json that say how weights are quantised, which are
// different ones for each tool. Leaves: the rule, its bits and groups; others are refused.
#pragma once

#include "huggingface/config.hpp"
#include "huggingface/fields.hpp"

namespace tbx::huggingface {

void read_weights(fields& f, config& c);

}  // namespace tbx::huggingface
