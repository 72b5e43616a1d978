// SPDX-License-Identifier: MIT
// Room huggingface. Enters: the fields of config.json that say what layers of one family have and
// others have not. Leaves: which layers see a window, how many experts there are, which part of a
// head RoPE turns; all else is refused by its name.
#pragma once

#include "huggingface/config.hpp"
#include "huggingface/fields.hpp"

namespace tbx::huggingface {

/// Maple's: which layers see the latest positions alone, and Gemma's. Others see everything.
void read_windows(fields& f, config& c);
/// Maple's feed-forward networks, of which each token asks a few.
void read_experts(fields& f, config& c);
/// Gemma's: by what attention's scores are divided, which GGUF cannot say of it.
void read_score_scale(fields& f, const config& c);
/// The part of each head that RoPE turns, where the fields say it.
void read_rope_part(fields& f, config& c);
/// RoPE of Gemma's local layers, which nothing scales.
void read_local_rope(fields f, config& c);

}  // namespace tbx::huggingface
