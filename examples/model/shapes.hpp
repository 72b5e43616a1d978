// SPDX-License-Identifier: MIT
// Room examples/model. Enters: the name of a published model. Leaves: its config, for benchmarks
// and dummy files that need no download.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "model/config.hpp"

namespace tbx::model {

/// All names, in the order in which they are best listed.
[[nodiscard]] std::vector<std::string_view> shape_names();

/// Throws tbx::error that lists the names for one that is not there.
[[nodiscard]] config config_of_shape(std::string_view name);

}  // namespace tbx::model
