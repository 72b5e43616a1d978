// SPDX-License-Identifier: MIT
// Room web. Enters: the bytes of a model, text, settings. Leaves: tokens one at a time, and what
// else the model thought of. A C face for JavaScript: pointers and lengths are numbers there, texts
// are UTF-8. One model, one story at a time.
//
// A call that cannot do what it is asked to ends in host.hpp's fail(), and the instance with it.
#include <algorithm>
#include <cstdlib>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "gguf/reader.hpp"
#include "host.hpp"
#include "model/head.hpp"
#include "model/sampler.hpp"
#include "model/weights.hpp"
#include "support/error.hpp"
#include "tokenizer/tokenizer.hpp"
#ifdef TRILOBIT_WEB_THREADS
#include "workers.hpp"
#endif

#define EXPORT(name) extern "C" [[clang::export_name(#name), gnu::used]]

namespace tbx::web {
namespace {

constexpr std::int64_t most_positions = 4096, batch = 64;

struct candidate {
    std::int32_t id;
    float probability;  // at temperature 1, among all tokens
};

struct story {
    gguf::reader file;
    model::compute cpu{1};
    model::transformer model;
    tokenizer::tokenizer words;
    model::state state;
    std::optional<model::sampler> draw;
    std::vector<model::token_id> tokens;  // all of the text; the last may not have been run
    std::span<const float> logits;        // after state.cache.length tokens
    std::vector<float> weights;
    std::vector<model::scored> ranked;
    std::vector<candidate> candidates;

    story(std::string name, std::span<const std::byte> bytes, trilobit::layout_id layout)
        : file(std::move(name), bytes),
          model(model::load_transformer(cpu, file, layout, report)),
          words(tokenizer::tokenizer::from_gguf(file)),
          state(model.config, std::min(model.config.context, most_positions),
                std::min({batch, model.config.context, most_positions})) {
        if (words.vocab().size() > model.config.vocab)
            file.fail("the vocabulary has more tokens than the model");
        draw.emplace(cpu.dense, model::sampling{});
    }

    [[nodiscard]] std::int64_t length() const noexcept { return state.cache.length; }

    /// Runs what has not been run.
    void look_ahead() {
        std::span<const model::token_id> left(tokens);
        left = left.subspan(static_cast<std::size_t>(length()));
        while (!left.empty()) {
            const auto some = left.first(std::min(left.size(), static_cast<std::size_t>(batch)));
            left = left.subspan(some.size());
            const auto got =
                model::forward(cpu, model, state, some,
                               left.empty() ? model::logits_of::last : model::logits_of::none);
            logits = {got.data, left.empty() ? static_cast<std::size_t>(got.cols) : 0};
        }
        if (logits.empty()) file.fail("it has no head, so it predicts nothing");
    }

    void rank(int most) {
        ranked.clear();
        for (std::size_t i = 0; i < logits.size(); ++i)
            ranked.push_back({static_cast<std::int32_t>(i), logits[i]});
        model::keep_best(ranked, most);
        weights.assign(logits.begin(), logits.end());
        const float total =
            cpu.dense.exp_and_sum(weights.data(), ranked.front().logit, 1.0f, std::ssize(weights));
        candidates.clear();
        for (const model::scored& r : ranked)
            candidates.push_back({r.id, weights[static_cast<std::size_t>(r.id)] / total});
    }
};

std::unique_ptr<story> now;
std::optional<tokenizer::tokenizer> words_alone;
std::vector<tokenizer::token_id> tokenised;
std::string said;  // the latest text that was handed out

const char* hand_out(std::string text) {
    said = std::move(text);
    return said.c_str();
}

std::string quoted(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') out += '\\';
        if (static_cast<unsigned char>(c) >= 32) out += c;
    }
    return out += '"';
}

}  // namespace
}  // namespace tbx::web

using namespace tbx;
using namespace tbx::web;

/// Memory for a file, which the model will point into, at a multiple of 64 as packed images want
/// it; 0 where there is not enough.
EXPORT(reserve) std::byte* reserve(std::size_t bytes) {
    return static_cast<std::byte*>(std::aligned_alloc(64, (bytes / 64 + 1) * 64));
}

EXPORT(release) void release(std::byte* bytes) { std::free(bytes); }

#ifdef TRILOBIT_WEB_THREADS
/// For workers, each with a stack and thread-local variables of its own.
EXPORT(serve) void serve() { team.serve(); }
EXPORT(lost) void lost() { team.lost(); }
#endif

/// `base3`: five weights to a byte instead of four. `threads`: of which all but one serve().
EXPORT(load)
void load(const char* name, const std::byte* file, std::size_t bytes, int base3, int threads) {
    // What is wrong with a file has to be found by the thread that can say so.
    model::thread_team::brought = {};
    now = std::make_unique<story>(name, std::span(file, bytes),
                                  base3 != 0 ? trilobit::layout_id::ternary_base3
                                             : trilobit::layout_id::ternary_2bit);
#ifdef TRILOBIT_WEB_THREADS
    team.use(threads);
    model::thread_team::brought = team;
#else
    (void)threads;
#endif
}

/// The vocabulary of a file without its model; `pre`, unless it is empty, names another rule than
/// the file's.
EXPORT(load_words)
void load_words(const char* name, const std::byte* file, std::size_t bytes, const char* pre) {
    words_alone.emplace(
        tokenizer::tokenizer::from_gguf(gguf::reader(name, std::span(file, bytes)), pre));
}

/// The tokens of a text, as load_words() or else load() reads it. Returns how many.
EXPORT(tokenise) int tokenise(const char* text) {
    tokenised = (words_alone ? *words_alone : now->words).encode(text);
    return static_cast<int>(tokenised.size());
}
EXPORT(tokens) const std::int32_t* tokens() { return tokenised.data(); }

/// Facts of the model, as JSON.
EXPORT(facts) const char* facts() {
    const model::config& c = now->model.config;
    const auto number = [](const char* name, auto value) {
        return std::string(",\"") + name + "\":" + std::to_string(value);
    };
    return hand_out("{\"name\":" + quoted(c.name.empty() ? now->file.name() : c.name) +
                    ",\"architecture\":" + quoted(c.architecture) + ",\"backend\":" +
                    quoted(now->cpu.context.kernels.name) + number("layers", c.layers) +
                    number("width", c.dim) + number("vocabulary", c.vocab) +
                    number("weights", c.linear_weights() + c.vocab * c.dim) +
                    number("positions", now->state.cache.capacity()) +
                    number("bytes_per_token", now->model.bytes_per_token()) +
                    number("threads", now->cpu.pool.concurrency()) + "}");
}

/// What the sampler of the command line takes; it begins anew with the seed.
EXPORT(settings)
void settings(float temperature, int top_k, float top_p, std::uint32_t seed_low,
              std::uint32_t seed_high) {
    now->draw.emplace(now->cpu.dense,
                      model::sampling{.temperature = temperature,
                                      .top_k = top_k,
                                      .top_p = top_p,
                                      .seed = std::uint64_t{seed_high} << 32 | seed_low});
}

/// A new text. Returns its tokens; or, where these leave no room, how many they are, negative, and
/// nothing has changed.
EXPORT(begin) int begin(const char* text) {
    std::vector<model::token_id> tokens = now->words.encode(text);
    if (tokens.empty()) return 0;
    if (std::ssize(tokens) >= now->state.cache.capacity()) return -static_cast<int>(tokens.size());
    now->tokens = std::move(tokens);
    now->state.cache.length = 0;
    now->look_ahead();
    return static_cast<int>(now->tokens.size());
}

/// Token `i` of the text.
EXPORT(token) int token(int i) { return now->tokens[static_cast<std::size_t>(i)]; }

/// Draws the next token; -1 for the end of the text, -2 when the context is full.
EXPORT(next) int next() {
    story& s = *now;
    if (std::ssize(s.tokens) > s.length()) {
        if (s.length() == s.state.cache.capacity()) return -2;
        s.look_ahead();
    }
    const model::token_id id = s.draw->next(s.logits);
    if (s.words.vocab().is_end(id)) return -1;
    s.tokens.push_back(id);
    return id;
}

/// Keeps the first `count` tokens and goes on with `id` instead of what followed.
EXPORT(branch) void branch(int count, int id) {
    story& s = *now;
    const auto keep = std::clamp<std::int64_t>(count, 1, std::ssize(s.tokens));
    s.tokens.resize(static_cast<std::size_t>(keep));
    if (id >= 0) s.tokens.push_back(id);
    // The last of them runs again: the logits behind it are those of what followed.
    s.state.cache.length = std::min(s.length(), std::int64_t{std::ssize(s.tokens)} - 1);
}

/// What was likeliest when the latest token was drawn, at temperature 1, before that token is run:
/// up to `most` pairs of an id and a probability, likeliest first. Returns how many.
EXPORT(rank) int rank(int most) {
    if (now->logits.empty()) return 0;
    now->rank(std::max(most, 1));
    return static_cast<int>(now->candidates.size());
}
EXPORT(candidates) const candidate* candidates() { return now->candidates.data(); }

/// The text of a token, which may be a part of a character; its length is text_bytes().
EXPORT(text_of) const char* text_of(int id, int show_special) {
    return hand_out(now->words.decode(id, show_special != 0));
}
EXPORT(text_bytes) std::size_t text_bytes() { return said.size(); }

/// Does encode put a space before the first word, which is not the writer's?
EXPORT(space_first) int space_first() { return now->words.vocab().add_space_prefix ? 1 : 0; }
