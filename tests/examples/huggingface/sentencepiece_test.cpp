// SPDX-License-Identifier: MIT
// Tests of tokenizers: a tokenizer.model that SentencePiece has trained, converted, makes the ids
// that SentencePiece makes of random texts.
#include <sentencepiece_processor.h>
#include <sentencepiece_trainer.h>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <cmath>
#include <cstring>
#include <string>
#include <unordered_map>
#include <vector>

#include "../support/scratch_folder.hpp"
#include "../tokenizer/random_texts.hpp"
#include "gguf/reader.hpp"
#include "huggingface/vocabulary.hpp"
#include "tokenizer/tokenizer.hpp"

using namespace tbx;

namespace {

class sentences : public sentencepiece::SentenceIterator {
    std::vector<std::string> all;
    std::size_t at = 0;

public:
    sentences() {
        for (std::string text : testing::random_texts(31, 3000)) {
            std::erase_if(text, [](char c) { return c == '\n' || c == '\r'; });
            if (!text.empty()) all.push_back(text);
        }
    }
    [[nodiscard]] bool done() const override { return at >= all.size(); }
    void Next() override { ++at; }
    [[nodiscard]] const std::string& value() const override { return all[at]; }
    [[nodiscard]] sentencepiece::util::Status status() const override { return {}; }
};

std::string trained(const std::string& type, const std::string& rule, bool merge_spaces,
                    bool prefix, bool bytes) {
    const std::unordered_map<std::string, std::string> options = {
        {"vocab_size", "700"},
        {"model_type", type},
        {"byte_fallback", bytes ? "true" : "false"},
        {"character_coverage", "0.98"},
        {"normalization_rule_name", rule},
        {"remove_extra_whitespaces", merge_spaces ? "true" : "false"},
        {"add_dummy_prefix", prefix ? "true" : "false"},
        {"hard_vocab_limit", "false"},
        {"num_threads", "1"},
        {"minloglevel", "3"},
    };
    sentences input;
    std::string model;
    const auto done = sentencepiece::SentencePieceTrainer::Train(options, &input, &model);
    INFO(done.ToString());
    REQUIRE(done.ok());
    return model;
}

// Scores become multiples of 1/256, so that their sums are exact. SentencePiece holds sums in
// single against ones in double precision, and which of two equal ways it takes is left to
// rounding.
void round_scores(std::string& model) {
    std::size_t at = 0;
    const auto length = [&] {
        std::size_t value = 0;
        for (int shift = 0;; shift += 7) {
            const auto byte = static_cast<unsigned char>(model.at(at++));
            value |= std::size_t{byte & 127u} << shift;
            if (byte < 128) return value;
        }
    };
    while (at < model.size() && model[at] == 0x0a) {  // a piece: its text, then its score
        ++at;
        const std::size_t end = length() + at;
        REQUIRE(model.at(at++) == 0x0a);
        at += length();
        if (model.at(at) == 0x15) {
            float score = 0;
            std::memcpy(&score, &model.at(at + 1), 4);
            score = std::round(score * 256) / 256;
            std::memcpy(&model.at(at + 1), &score, 4);
        }
        at = end;
    }
}

void compare(std::string model) {
    round_scores(model);
    const testing::scratch_folder at;
    (void)at.file("tokenizer.model", model);
    huggingface::config c;
    c.vocab = 1000;
    gguf::writer out(at.path("out.gguf"));
    huggingface::write_vocabulary(out, huggingface::read_vocabulary(at.path(""), c));
    out.finish();
    const auto words = tokenizer::tokenizer::from_gguf(gguf::reader(at.path("out.gguf")));
    sentencepiece::SentencePieceProcessor judge;
    REQUIRE(judge.LoadFromSerializedProto(model).ok());
    for (const std::string& text : testing::random_texts(37, 2000)) {
        CAPTURE(text);
        std::vector<int> ids;
        REQUIRE(judge.Encode(text, &ids).ok());
        CHECK(words.encode(text, {false, false, false}) == ids);
    }
}

}  // namespace

TEST_CASE("unigrams of a tokenizer.model are SentencePiece's") {
    const bool bytes = GENERATE(false, true), prefix = GENERATE(false, true);
    const bool merge_spaces = GENERATE(false, true);
    CAPTURE(bytes, prefix, merge_spaces);
    compare(
        trained("unigram", merge_spaces ? "nmt_nfkc" : "identity", merge_spaces, prefix, bytes));
}

TEST_CASE("merges of a tokenizer.model are SentencePiece's") {
    const bool bytes = GENERATE(false, true), prefix = GENERATE(false, true);
    CAPTURE(bytes, prefix);
    compare(trained("bpe", "identity", false, prefix, bytes));
}
