// SPDX-License-Identifier: MIT
// Room examples/runner. Enters: a name such as TQ2_0 or packed:ternary_base3. Leaves: what linear
// layers become by it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "conversion/encode.hpp"

namespace tbx::runner {

/// `packed`, without a layout, is the one that fits.
[[nodiscard]] std::vector<std::string> target_names();

/// The same of an embedding or a head: packed images are for layers.
[[nodiscard]] std::vector<std::string> number_names();

/// Of a name that is one.
[[nodiscard]] conversion::target find_target(const std::string& name);

/// The number that llama.cpp has for a file most of whose weights are of this type, or the fork
/// that the type comes from.
[[nodiscard]] std::optional<std::uint32_t> file_type_of(const conversion::target& of);

}  // namespace tbx::runner
