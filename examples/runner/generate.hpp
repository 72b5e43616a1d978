// SPDX-License-Identifier: MIT
// Room examples/runner. Enters: a session and tokens. Leaves: the text that the model makes of
// them, printed as it comes, and how fast it came.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runner/session.hpp"
#include "runner/stop_text.hpp"

namespace tbx::runner {

enum class ending : std::uint8_t { asked_for, end_token, stop_text, context_full, interrupted };

struct generation {
    ending end = ending::asked_for;
    std::int64_t prompt_tokens = 0;
    std::int64_t made_tokens = 0;   // printed ones
    std::int64_t decode_steps = 0;  // tokens of these that were run
    double prefill_seconds = 0;
    double decode_seconds = 0;
    std::vector<model::token_id> drawn;  // an end token as well; the last has mostly not been run
};

/// Prints tokens as text, in whole characters, up to a stop text; bytes that are none become
/// U+FFFD. The tokenizer must outlive it.
class printer {
    tokenizer::text_stream text;
    stop_text stops;
    std::string made;

    void tell(const std::string& piece);

public:
    printer(const tokenizer::tokenizer& words, bool at_start, std::vector<std::string> stop_texts)
        : text(words, at_start), stops(std::move(stop_texts)) {}
    /// A token of the prompt, where nothing stops.
    void echo(model::token_id id, bool visible);
    /// False when a stop text has come.
    bool put(model::token_id id);
    /// What is held back, when the text is at its end.
    void finish();
    /// All that was printed but for the prompt.
    [[nodiscard]] const std::string& told() const noexcept { return made; }
};

/// Continues `prompt` by at most `most` tokens, and tells `draw` what it drew. `from` must outlive
/// the call. Text goes to stdout, but for what `out` holds back.
generation generate(session& s, const tokenizer::tokenizer& from, model::sampler& draw,
                    printer& out, std::span<const model::token_id> prompt, std::int64_t most);

/// "prefill 12 tokens, 345.6 tokens/s; decode 100 tokens, 87.1 tokens/s" on stderr,
/// and what a head of two stages had to do.
void print_speed(const session& s, const generation& g);

/// "sent 3 tokens: 1 '<s>', 403 ' Once', 13 '\\n'" on stderr; "sent 3 tokens after 60: ..." where
/// the model knows so many that come before.
void print_tokens(const tokenizer::tokenizer& words, std::span<const model::token_id> ids,
                  std::int64_t known = 0);

/// Says on stderr when `ids` begins with two begin tokens: one of the text, and one that was added.
void warn_of_doubled_begin(const tokenizer::vocabulary& words,
                           std::span<const model::token_id> ids);

/// Prints and flushes at once.
void print_now(std::string_view text);

}  // namespace tbx::runner
