// SPDX-License-Identifier: MIT
// Room examples/runner. Enters: a session and tokens. Leaves: the text that the model makes of
// them, printed as it comes, and how fast it came.
#pragma once

#include <cstdint>
#include <span>

#include "runner/session.hpp"

namespace tbx::runner {

enum class ending : std::uint8_t { asked_for, end_token, context_full, interrupted };

struct generation {
    ending end = ending::asked_for;
    std::int64_t prompt_tokens = 0;
    std::int64_t made_tokens = 0;   // printed ones
    std::int64_t decode_steps = 0;  // forward() calls for one token
    double prefill_seconds = 0;
    double decode_seconds = 0;
    model::token_id last = -1;  // the last token drawn, maybe an end token
};

/// Continues `prompt` by at most `most` tokens. `from` must outlive the call. Text goes to stdout.
generation generate(session& s, const tokenizer::tokenizer& from, model::sampler& draw,
                    tokenizer::text_stream& text, std::span<const model::token_id> prompt,
                    std::int64_t most);

/// "prefill 12 tokens, 345.6 tokens/s; decode 100 tokens, 87.1 tokens/s" on stderr,
/// and what a head of two stages had to do.
void print_speed(const session& s, const generation& g);

/// Prints and flushes at once.
void print_now(std::string_view text);

}  // namespace tbx::runner
