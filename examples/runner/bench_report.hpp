// SPDX-License-Identifier: MIT
// Room examples/runner. Enters: what `bench` has measured. Leaves: lines for people.
#pragma once

#include <nlohmann/json.hpp>

namespace tbx::runner {

/// Of the object that --json prints as it is.
void print_bench(const nlohmann::ordered_json& measured);

}  // namespace tbx::runner
