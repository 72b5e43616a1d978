// SPDX-License-Identifier: MIT
// Room gguf. Leaves: keys for what tokenizer.json says of added tokens and GGUF has no keys for.
// Each is an array of ids (i32). Other engines leave them out.
#pragma once

namespace tbx::gguf {

/// Tokens that take the spaces before them, or after them, along.
inline constexpr const char* strip_left_key = "trilobit.tokenizer.strip_left";
inline constexpr const char* strip_right_key = "trilobit.tokenizer.strip_right";

}  // namespace tbx::gguf
