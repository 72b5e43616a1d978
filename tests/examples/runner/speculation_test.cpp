// SPDX-License-Identifier: MIT
// Tests of speculation: whoever guesses and however badly, the text is the one that comes without
// guesses; and what is guessed well costs fewer passes.
#include "runner/speculation.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include "../gguf/edited_model.hpp"
#include "chat_model.hpp"
#include "runner/session.hpp"

using namespace tbx;
using namespace tbx::testing;
using Catch::Matchers::ContainsSubstring;
using model::token_id;
using runner::session;

namespace {

const std::string story_model = TRILOBIT_SOURCE_DIR "/examples/models/stories-ternary.gguf";

runner::model_options options_for(const std::string& path) {
    runner::model_options o;
    o.path = path;
    o.machine.threads = 2;
    return o;
}

/// The box's sizes and vocabulary and other weights: it guesses, and nearly always wrongly.
const std::string& stranger() {
    static const scratch_folder folder;
    static const std::string path = [] {
        // Codes move, scales at the end of each block stay.
        return edited_model(
            gguf::reader(story_model), folder.path("stranger.gguf"), [](edited_tensor& t) {
                if (t.type != gguf::tensor_type::tq2_0) return;
                for (auto block = t.bytes.begin(); block < t.bytes.end(); block += 66)
                    std::rotate(block, block + 7, block + 64);
            });
    }();
    return path;
}

std::vector<token_id> drawn(session& s, const model::sampling& how,
                            const std::vector<token_id>& prompt) {
    s.state.cache.length = 0;
    model::sampler draw(s.cpu.dense, how);
    for (const token_id id : prompt) draw.accept(id);
    std::vector<token_id> all;
    model::prediction view = s.prefill(prompt);
    for (;;) {
        all.push_back(draw.next(view));
        draw.accept(all.back());
        if (s.room_left() == 0) return all;
        view = s.step(all.back(), draw);
        REQUIRE(s.state.cache.length == std::ssize(prompt) + std::ssize(all));
    }
}

outcome told(const command_line& more) {
    command_line all = {"run", "-m", story_model, "-p", "Once upon a time", "-n", "400"};
    all.insert(all.end(), more.begin(), more.end());
    return run_program(all);
}

command_line both(command_line some, const command_line& more) {
    some.insert(some.end(), more.begin(), more.end());
    return some;
}

}  // namespace

TEST_CASE("guesses change no token, up to the end of the context") {
    session plain(options_for(story_model));
    const auto words = plain.open_tokenizer("");
    const auto prompt = words.encode("Once upon a time, there was a dog. Once upon a");
    const std::string draft = GENERATE(std::string(), story_model, stranger());
    const int together = GENERATE(0, 3, 8);
    session ahead(options_for(story_model));
    ahead.speculate({.lookup = draft.empty(), .draft = draft, .together = together},
                    options_for(story_model).machine);
    const std::vector<model::sampling> ways = {
        {.temperature = 0},
        {.temperature = 0, .repeat_penalty = 1.3f, .repeat_window = 32},
        {.temperature = 0.3f},
        {.temperature = 0.8f, .top_k = 40},
        {.temperature = 0.8f, .top_p = 0.9f, .repeat_penalty = 1.1f, .repeat_window = -1},
        {.temperature = 1.0f, .min_p = 0.05f},
        {.temperature = 1.5f}};
    static std::uint64_t seed = 0;  // other ones each time
    for (model::sampling how : ways)
        for (how.seed = ++seed; how.seed <= seed + 40; how.seed += 40) {
            INFO("draft '" << draft << "', " << together << " together, temperature "
                           << how.temperature << ", seed " << how.seed);
            CHECK(drawn(ahead, how, prompt) == drawn(plain, how, prompt));
        }
    if (together == 0) return;  // then the clock decides whether to guess at all
    CHECK(ahead.ahead->guesses > 0);
    CHECK(ahead.ahead->passes < ahead.ahead->tokens);
    // Who thinks the same and draws with the same numbers is always right, at every temperature.
    if (draft == story_model) CHECK(ahead.ahead->guesses - ahead.ahead->correct < 8 * 14);
    if (draft == story_model && together == 8) CHECK(ahead.ahead->tokens > 7 * ahead.ahead->passes);
    if (draft == stranger()) CHECK(ahead.ahead->correct < ahead.ahead->guesses / 2);
}

TEST_CASE("batches of any size leave guesses right") {
    session plain(options_for(story_model));
    const auto prompt = plain.open_tokenizer("").encode("The cat and the dog and the cat and");
    runner::model_options few = options_for(story_model);
    few.machine.batch = GENERATE(1, 2, 3);
    few.context = 60;
    session ahead(few);
    ahead.speculate({.lookup = true, .draft = {}, .together = 8}, few.machine);
    const auto some = drawn(ahead, {}, prompt);
    const auto all = drawn(plain, {}, prompt);
    CHECK(std::ssize(some) == 60 - std::ssize(prompt) + 1);
    CHECK(std::equal(some.begin(), some.end(), all.begin()));
    CHECK((ahead.ahead->guesses == 0) == (few.machine.batch == 1));
}

TEST_CASE("run prints the same with guesses: stop texts, heads, penalties, a full context") {
    const command_line way = GENERATE(
        command_line{"--temp", "0"}, command_line{"--temp", "0", "--head", "two-stage"},
        command_line{"--temp", "0.9", "--seed", "7", "--top-k", "20", "--head", "two-stage"},
        command_line{"--temp", "0.8", "--seed", "3", "--stop", "the", "--stop", "ily w"},
        command_line{"--temp", "1", "--seed", "4", "--repeat-penalty", "1.2"},
        command_line{"--temp", "0", "-c", "40"});
    const outcome plain = told(way);
    REQUIRE(plain.status == 0);
    for (const command_line& how :
         {command_line{"--speculate"}, command_line{"--speculate", "--together", "4", "-t", "1"},
          command_line{"--draft", story_model},
          command_line{"--draft", stranger(), "--together", "8"}}) {
        const outcome o = told(both(way, how));
        INFO(how.back() << ": " << o.err);
        CHECK(o.status == 0);
        CHECK(o.out == plain.out);
        CHECK_THAT(o.err, ContainsSubstring("guessed tokens were right"));
        CHECK((o.err.find("is full") == o.err.npos) == (plain.err.find("is full") == o.err.npos));
    }
}

TEST_CASE("chat answers the same with guesses, also when it forgets") {
    const command_line chat = {"chat",   "-m", story_model, "-n",   "70",
                               "--seed", "5",  "--style",   "plain"};
    const std::string lines = "Once upon a time\nThere was a cat\nThere was a dog\n";
    const outcome plain = run_program(chat, lines);
    CHECK_THAT(plain.err, ContainsSubstring("is full"));
    for (const command_line& how :
         {command_line{"--speculate"}, command_line{"--draft", story_model, "--together", "6"}})
        CHECK(run_program(both(chat, how), lines).out == plain.out);
}

TEST_CASE("a draft of another vocabulary, and options that mean nothing, are refused") {
    const outcome other = told({"--draft", tiny_model()});
    CHECK((other.status == 1 && other.complained()));
    CHECK_THAT(other.err, ContainsSubstring("its vocabulary is not that of " + story_model));
    const outcome none = told({"--draft", "no-such-file"});
    CHECK((none.status == 1 && none.complained()));
    for (const command_line& how :
         {command_line{"--together", "4"}, command_line{"--speculate", "--together", "1"},
          command_line{"--speculate", "--together", "9"},
          command_line{"--speculate", "--draft", story_model}}) {
        const outcome o = told(how);
        INFO(o.err);
        CHECK((o.status == 2 && o.complained()));
    }
}

TEST_CASE("a lookup finds the longest and the latest passage that ends the same") {
    runner::prompt_lookup look;
    const model::compute cpu(1);
    const model::sampler any(cpu.dense, {});
    const auto guess = [&](const std::vector<token_id>& text, std::int64_t count) {
        std::vector<token_id> out;
        if (look.look(text) > 0) look.guess(any, count, out);
        return out;
    };
    using ids = std::vector<token_id>;
    CHECK(guess({1}, 3).empty());
    CHECK(guess({1, 2, 3, 4}, 3).empty());
    CHECK(guess({2, 9, 1, 2}, 3).empty());  // one token is no passage
    CHECK(guess({1, 2, 3, 4, 1, 2}, 2) == ids{3, 4});
    CHECK(guess({1, 2, 3, 8, 1, 2, 4, 8, 1, 2}, 2) == ids{4, 8});     // the latest
    CHECK(guess({5, 1, 2, 3, 8, 1, 2, 4, 5, 1, 2}, 2) == ids{3, 8});  // the longest
    CHECK(guess({1, 2, 3, 1, 2, 3, 1, 2}, 5) == ids{3, 1, 2, 3, 1});  // on into itself
    CHECK(guess({7, 7, 7}, 4) == ids{7, 7, 7, 7});
    CHECK(look.look(ids{1, 2, 9, 1, 2}) == 1);
    CHECK(look.look(ids{1, 2, 3, 4, 9, 1, 2, 3, 4}) == 2);
    CHECK(look.look(ids(40, 3)) == 3);
}

TEST_CASE("a pace takes what pays") {
    // The mean width, when passes of n tokens take 1 + more (n - 1) and so many guesses are right.
    const auto taken = [](double more, std::size_t right, std::int64_t room) {
        runner::pace p;
        CHECK(p.choose(1, 8) == 1);  // nothing to compare with
        int tokens = 1, sum = 0;
        for (int i = 0; i < 600; ++i) {
            p.took(tokens, 1 + more * (tokens - 1));
            if (tokens > 1)
                p.learn(1, std::min<std::size_t>(right, static_cast<std::size_t>(tokens - 1)),
                        static_cast<std::size_t>(tokens - 1));
            tokens = p.choose(1, room);
            CHECK(tokens <= room);
            if (i >= 300) sum += tokens;
        }
        return sum / 300.0;
    };
    CHECK(taken(0.0, 7, 8) > 7);    // more cost nothing
    CHECK(taken(0.5, 7, 8) > 6.5);  // and when all are right
    CHECK(taken(0.1, 7, 3) > 2.8);  // no more than there is room for
    CHECK(taken(0.1, 7, 1) == 1);
    CHECK(taken(0.3, 0, 8) < 1.5);  // never right
    CHECK(taken(1.5, 7, 8) < 2.5);  // dearer together than alone; now and then it looks again
    runner::pace any;
    CHECK(any.choose(0, 100) == 1);
    runner::pace fixed(5);
    CHECK(fixed.choose(2, 100) == 5);
    CHECK(fixed.choose(2, 3) == 3);
    CHECK(fixed.choose(0, 100) == 1);
}
