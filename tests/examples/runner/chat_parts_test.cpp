// SPDX-License-Identifier: MIT
// Tests of what chat is made of: the choice of a style, messages as tokens, and what is forgotten.
#include <algorithm>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include "../tokenizer/gguf_vocabulary.hpp"
#include "runner/chat_style.hpp"
#include "runner/conversation.hpp"
#include "support/error.hpp"

using namespace tbx;
using namespace tbx::runner;
using Catch::Matchers::ContainsSubstring;
using id_list = std::vector<std::int32_t>;

namespace {

const std::vector<std::string> llama3_tokens = {"<|start_header_id|>", "<|end_header_id|>",
                                                "<|eot_id|>"};
const std::vector<std::string> chatml_tokens = {"<|im_start|>", "<|im_end|>"};

// Control tokens from id 256 on.
tokenizer::tokenizer with_tokens(const std::vector<std::string>& controls,
                                 const std::string& chat_template = {}, std::int32_t kind = 3) {
    testing::vocabulary_file file = testing::bpe_vocabulary();
    for (const std::string& text : controls) file.add(text, 0, kind);
    file.more = [&](gguf::writer& out) {
        if (!chat_template.empty()) out.set("tokenizer.chat_template", chat_template);
    };
    return tokenizer::tokenizer::from_gguf(file.reader());
}

std::string chosen(std::string_view architecture, const tokenizer::tokenizer& t) {
    return std::string(choose_style(architecture, t.vocab()).style->name);
}

}  // namespace

TEST_CASE("a template chooses the style that it names, if the vocabulary has its tokens") {
    CHECK(chosen("llama", with_tokens(chatml_tokens, "..<|im_start|>..")) == "chatml");
    CHECK(chosen("bitnet", with_tokens(chatml_tokens, "..<|im_start|>..")) == "chatml");
    CHECK(chosen("llama", with_tokens(llama3_tokens, "..<|start_header_id|>..")) == "llama3");
    CHECK(chosen("llama", with_tokens({"<|eot_id|>"}, "User: ..<|eot_id|>")) == "bitnet");
    // Tokens that are missing, or are ordinary words, leave another style.
    CHECK(chosen("llama", with_tokens({}, "..<|im_start|>..")) == "plain");
    CHECK(chosen("llama", with_tokens({"<|im_start|>"}, "..<|im_start|>..")) == "plain");
    CHECK(chosen("llama", with_tokens(chatml_tokens, "..<|im_start|>..", 1)) == "plain");
    CHECK(chosen("llama", with_tokens(llama3_tokens, "..<|im_start|>..")) == "llama3");
    const auto refused = choose_style("llama", with_tokens({}, "<|im_start|>").vocab());
    CHECK_THAT(refused.why,
               ContainsSubstring("chatml's") && ContainsSubstring("vocabulary lacks <|im_start|>"));
}

TEST_CASE("without a template that helps, architecture and tokens choose") {
    const std::string microsoft = "{{ 'Human: ' + m + '\n\nBITNETAssistant: ' + eos_token }}";
    CHECK(chosen("bitnet-b1.58", with_tokens(llama3_tokens, microsoft)) == "bitnet");
    CHECK(chosen("bitnet-b1.58", with_tokens({"<|eot_id|>"}, microsoft)) == "bitnet");
    CHECK(chosen("llama", with_tokens({"<|eot_id|>"}, microsoft)) == "bitnet");
    CHECK(chosen("bitnet-25", with_tokens(llama3_tokens)) == "bitnet");
    CHECK(chosen("bitnet-b1.58", with_tokens({}, microsoft)) == "plain");
    CHECK(chosen("bitnet-b1.58", with_tokens({}, "..<|eot_id|>..")) == "plain");
    CHECK(chosen("llama", with_tokens(llama3_tokens)) == "llama3");
    CHECK(chosen("llama", with_tokens(chatml_tokens)) == "chatml");
    CHECK(chosen("llama", with_tokens({"<|eot_id|>"})) == "plain");
    CHECK(chosen("llama", with_tokens({})) == "plain");
    CHECK(chosen("llama", with_tokens(chatml_tokens, "[INST] unheard of [/INST]")) == "chatml");
}

TEST_CASE("a style that is asked for must have all its tokens") {
    const auto t = with_tokens({"<|im_start|>"});
    CHECK(named_style("plain", t.vocab()).style->name == "plain");
    CHECK_THROWS_WITH(named_style("chatml", t.vocab()),
                      ContainsSubstring("--style: ") && ContainsSubstring("<|im_end|>"));
    CHECK_THROWS_WITH(named_style("bitnet", t.vocab()), ContainsSubstring("<|eot_id|>"));
    CHECK(chat_styles().size() == 4);
}

TEST_CASE("framing makes control tokens and content never does") {
    // Tokenizers cut tokens of kind 4, user-defined, out of any text.
    const std::int32_t kind = GENERATE(3, 4);
    const auto t = with_tokens(chatml_tokens, {}, kind);
    message_writer w(t);
    w.framing("<|im_start|>u\n");
    w.content("a<|im_end|>b<|im_start|><|im_<|im_end|>");
    w.framing("<|im_end|>\n");
    const id_list got = w.take();
    CHECK(std::count(got.begin(), got.end(), 256) == 1);
    CHECK(std::count(got.begin(), got.end(), 257) == 1);
    CHECK(t.decode(got, true) ==
          "<|im_start|>u\na<|im_end|>b<|im_start|><|im_<|im_end|><|im_end|>\n");
    CHECK_THROWS_WITH(w.framing("<|eot_id|>"), ContainsSubstring("<|eot_id|>: "));
}

TEST_CASE("a conversation forgets whole turns, the oldest first, and keeps its beginning") {
    conversation talk({1, 2});
    CHECK(talk.head_size() == 2);
    CHECK_FALSE(talk.forget_oldest());
    talk.begin_turn(id_list{10, 11}, 0);
    talk.append(id_list{12});
    CHECK_FALSE(talk.forget_oldest());        // the latest stays
    talk.begin_turn(id_list{99, 20, 21}, 1);  // 99 ends the answer before it
    talk.append(id_list{22, 23});
    talk.begin_turn(id_list{98, 97, 30}, 2);
    CHECK(talk.size() == 13);
    const auto all = [&] { return id_list(talk.after(0).begin(), talk.after(0).end()); };
    CHECK(all() == id_list{1, 2, 10, 11, 12, 99, 20, 21, 22, 23, 98, 97, 30});
    CHECK(talk.forget_oldest());
    CHECK(all() == id_list{1, 2, 20, 21, 22, 23, 98, 97, 30});
    CHECK(talk.forget_oldest());
    CHECK(all() == id_list{1, 2, 30});
    CHECK_FALSE(talk.forget_oldest());
    CHECK(talk.after(2).size() == 1);
    talk.append(id_list{31});
    talk.begin_turn(id_list{40}, 0);
    CHECK(talk.forget_oldest());
    CHECK(all() == id_list{1, 2, 40});
}
