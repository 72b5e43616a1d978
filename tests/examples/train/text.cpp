// SPDX-License-Identifier: MIT
// Room tests/examples/train: from a text file to a model file, by the command itself.
// Enters: made-up stories. Leaves: a failure where vocabulary, tokens, model or errors are wrong.
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <cmath>

#include "gguf/reader.hpp"
#include "gguf/writer.hpp"
#include "scratch.hpp"
#include "support/error.hpp"
#include "train/commands.hpp"
#include "train/dataset.hpp"
#include "train/evaluate.hpp"
#include "train/model_file.hpp"
#include "train/vocabulary.hpp"

using namespace tbx::train;

TEST_CASE("texts are what lies between the separators") {
    const auto t = split_texts("\n<|endoftext|>\n a b \n\nc\n<|endoftext|>\n\n<|endoftext|>d");
    CHECK(t == std::vector<std::string_view>{"a b \n\nc", "d"});
    CHECK(split_texts(" \n").empty());
}

TEST_CASE("a folder is no text, and the error names it") {
    const scratch::folder folder;
    CHECK_THROWS_WITH(read_text(folder / ""),
                      Catch::Matchers::ContainsSubstring(std::string(folder / "")));
}

TEST_CASE("a learnt vocabulary encodes any bytes and gives them back") {
    const scratch::folder folder;
    const std::string text = scratch::story(400);
    const auto vocab = train_vocabulary("story", split_texts(text), 340);
    CHECK(vocab.size() <= 340);
    CHECK(vocab.size() > 300);
    CHECK(std::count(vocab.kinds.begin(), vocab.kinds.end(), 6) == 256);
    const std::string path = folder / "v.gguf";
    {
        tbx::gguf::writer file(path);
        file.set("general.architecture", "bitnet-b1.58");
        tbx::llama2c::write_vocabulary(file, vocab);
        file.finish();
    }
    const tbx::gguf::reader file(path);
    const auto words = tbx::tokenizer::tokenizer::from_gguf(file);
    for (const std::string s : {"Lily ran to the sea.", "Zwölf Boxkämpfer\n\xff  7"}) {
        const auto ids = words.encode(s, {.add_bos = false, .add_eos = false});
        CHECK(words.decode(ids) == s);
    }
    const auto stream = tokenise("story", text, words);
    CHECK(stream.ids.size() * 2 < text.size());
    CHECK(stream.ids.front() == 1);
    CHECK(stream.ids.back() == 2);
    CHECK(std::count(stream.ids.begin(), stream.ids.end(), 1) ==
          std::ptrdiff_t(split_texts(text).size()));
}

TEST_CASE("one command makes a model that knows its text") {
    const scratch::folder folder;
    scratch::write(folder / "story.txt", scratch::story(700));
    train_command c;
    c.text = folder / "story.txt";
    c.out = folder / "m.gguf";
    c.vocab_size = 320;
    c.model = scratch::tiny();
    c.options.steps = 60;
    c.options.batch = 8;
    c.options.optimiser.lr = 4e-3;
    c.options.optimiser.warm_up = 10;
    c.threads = 1;
    const int kind = GENERATE(0, 1);
    if (kind == 1) c.model.quantised = false;
    CHECK(run(c) == 0);
    CHECK_FALSE(std::filesystem::exists(c.out + ".checkpoint"));
    CHECK_FALSE(std::filesystem::exists(c.out + ".vocab"));
    const loaded_model m = load_model(c.out);
    CHECK(m.config.quantised == (kind == 0));
    const tbx::gguf::reader file(c.out);
    const auto words = tbx::tokenizer::tokenizer::from_gguf(file);
    const auto stream = tokenise("story", scratch::story(100), words);
    const loss_sums s = evaluate(m.config, m.parameters, stream.ids, 16, [](double) {});
    CHECK(s.rows == long(stream.ids.size()) - 1);
    CHECK(s.nll / double(s.rows) < 0.6 * std::log(double(m.config.vocab)));
}

TEST_CASE("what cannot be trained on is said in one sentence") {
    const scratch::folder folder;
    train_command c;
    c.out = folder / "m.gguf";
    c.vocab_size = 300;
    c.model = scratch::tiny();
    c.text = folder / "absent.txt";
    CHECK_THROWS_WITH(run(c), Catch::Matchers::EndsWith("cannot be opened"));
    c.text = folder / "empty.txt";
    scratch::write(c.text, " \n ");
    CHECK_THROWS_WITH(run(c), Catch::Matchers::EndsWith("holds no text"));
    c.text = folder / "tiny.txt";
    scratch::write(c.text, "Lily ran.");
    CHECK_THROWS_WITH(run(c), Catch::Matchers::ContainsSubstring("needs more"));
    CHECK_FALSE(std::filesystem::exists(c.out + ".vocab"));
    scratch::write(c.text, scratch::story(100));
    c.model.hidden = 192;
    CHECK_THROWS_WITH(run(c), Catch::Matchers::ContainsSubstring("multiples of 256"));
    c.model.hidden = 255;
    CHECK_THROWS_WITH(run(c), Catch::Matchers::ContainsSubstring("multiple of heads"));
    c.model.hidden = 256;
    scratch::write(c.out + ".checkpoint", "an earlier run");
    scratch::write(c.out + ".vocab", "its vocabulary");
    CHECK_THROWS_WITH(run(c), Catch::Matchers::ContainsSubstring("--resume"));
    CHECK(std::filesystem::file_size(c.out + ".vocab") == 14);
    CHECK_FALSE(std::filesystem::exists(c.out));
}
