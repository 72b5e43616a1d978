// SPDX-License-Identifier: MIT
// Room integrations. Enters: the plug-in's device and ggml's CPU device. Leaves: one that computes
// whole graphs, as clients send them: products by the plug-in, all else by the CPU.
#pragma once

#include "integrations/ggml/abi/types.hpp"

namespace tbx::ggml {

/// Null after one line. `memory` bytes are offered to clients.
device* make_served_device(device* plugin, device* cpu, std::size_t memory);

}  // namespace tbx::ggml
