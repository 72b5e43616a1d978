// SPDX-License-Identifier: MIT
// Room safetensors. Enters: a text that claims to be JSON, out of a file of anybody's. Leaves: its
// value, with every key there once and no deeper than models need; and numbers and texts out of
// objects, checked, or tbx::error with the file's name.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace tbx::safetensors {

using json = nlohmann::json;

/// `name` is the subject of errors. Refuses what is no JSON, a key that an object has twice, and
/// nesting beyond 64 levels.
[[nodiscard]] json parse_json(std::string_view text, const std::string& name);

/// A whole file of at most `most` bytes.
[[nodiscard]] json read_json(const std::string& path, std::uint64_t most = std::uint64_t{1} << 28);

/// Null where the object lacks the key or has null there. `from` is an object.
[[nodiscard]] const json* find(const json& from, const char* key) noexcept;

/// A value as a message may show it, on one short line.
[[nodiscard]] std::string shown(const json& value);

}  // namespace tbx::safetensors
