// SPDX-License-Identifier: MIT
// Tests of what chat is made of: the choice of a style, messages as tokens, and what is forgotten.
#include <algorithm>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include "../tokenizer/gguf_vocabulary.hpp"
#include "runner/chat_form.hpp"
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
}

TEST_CASE("every style writes a conversation as its family does") {
    const std::vector<message> talk = {
        {role::system, "S"}, {role::user, "A"}, {role::assistant, "B"}, {role::user, "C"}};
    const auto written = [&](std::string_view name, std::optional<bool> think = {}) {
        for (const chat_style& style : chat_styles())
            if (style.name == name) return style.render(talk, true, think);
        return std::string("none");
    };
    const std::string chatml =
        "<|im_start|>system\nS<|im_end|>\n<|im_start|>user\nA<|im_end|>\n<|im_start|>assistant\nB"
        "<|im_end|>\n<|im_start|>user\nC<|im_end|>\n<|im_start|>assistant\n";
    CHECK(written("chatml") == chatml);
    CHECK(written("chatml", false) == chatml);
    CHECK(written("qwen3") == chatml);
    CHECK(written("qwen3", true) == chatml);
    CHECK(written("qwen3", false) == chatml + "<think>\n\n</think>\n\n");
    CHECK(written("llama3") == "<|start_header_id|>system<|end_header_id|>\n\nS<|eot_id|>"
                               "<|start_header_id|>user<|end_header_id|>\n\nA<|eot_id|>"
                               "<|start_header_id|>assistant<|end_header_id|>\n\nB<|eot_id|>"
                               "<|start_header_id|>user<|end_header_id|>\n\nC<|eot_id|>"
                               "<|start_header_id|>assistant<|end_header_id|>\n\n");
    CHECK(written("bitnet") ==
          "System: S<|eot_id|>User: A<|eot_id|>Assistant: B<|eot_id|>User: C<|eot_id|>Assistant: ");
    CHECK(written("falcon3") ==
          "<|system|>\nS\n<|user|>\nA\n<|assistant|>\nB<|endoftext|>\n<|user|>\nC\n"
          "<|assistant|>\n");
    CHECK(written("gemma") ==
          "<start_of_turn>user\nS\n\nA<end_of_turn>\n<start_of_turn>model\nB<end_of_turn>\n"
          "<start_of_turn>user\nC<end_of_turn>\n<start_of_turn>model\n");
    CHECK(written("minicpm") == "S<用户>A<AI>B<用户>C<AI>");
    CHECK(written("plain") == "S\nUser: A\nAssistant:B\nUser: C\nAssistant:");
    CHECK(chat_styles().size() == 8);
}

TEST_CASE("a file's own template is used if it can be, and else it is told why not") {
    if (!chat_template::can_be_run) SKIP("this build has no minja");
    const std::string good =
        "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content | trim }}"
        "<|im_end|>\n{% endfor %}{% if add_generation_prompt %}"
        "<|im_start|>assistant\n{% endif %}";
    const auto described = [](const tokenizer::tokenizer& t, const form_options& how = {}) {
        return chat_form("llama", t, how).described();
    };
    CHECK(described(with_tokens(chatml_tokens, good)) == "the file's own template");
    CHECK(described(with_tokens(chatml_tokens, good), {.style = "plain", .think = {}}) ==
          "style 'plain': --style");
    CHECK_THAT(described(with_tokens({"<|im_start|>"}, good)),
               ContainsSubstring("it writes <|im_end|>, a control token that the vocabulary lacks; "
                                 "instead: style 'plain'"));
    CHECK_THAT(described(with_tokens(chatml_tokens, "{{ '<|im_start|>' }}")),
               ContainsSubstring("leaves the user's message out; instead: style 'chatml'"));
    CHECK_THAT(described(with_tokens(chatml_tokens, "{% for %}")),
               ContainsSubstring("the chat template: ") && ContainsSubstring("style 'chatml'"));
    CHECK_THAT(described(with_tokens({}, "{{ 'BITNETAssistant: ' + messages[0].content }}")),
               ContainsSubstring("one that the model was not trained with: style 'plain'"));
    CHECK(described(with_tokens(chatml_tokens)).starts_with("style 'chatml'"));
    const form_options own{.style = "template", .think = {}},
        thoughtless{.style = {}, .think = false};
    CHECK_THROWS_WITH(described(with_tokens(chatml_tokens), own),
                      ContainsSubstring("--style: 'template': the file has no template"));
    CHECK_THROWS_WITH(described(with_tokens(chatml_tokens, "{{ 1 + }}"), own),
                      ContainsSubstring("--style: 'template': the chat template: "));
    CHECK_THROWS_WITH(described(with_tokens(chatml_tokens, good), thoughtless),
                      ContainsSubstring("--think: "));
    CHECK(described(with_tokens(chatml_tokens, good + "{{ enable_thinking }}"), thoughtless) ==
          "the file's own template");
}

TEST_CASE("a conversation's tokens: the begin token once, the system's message always") {
    if (!chat_template::can_be_run) SKIP("this build has no minja");
    const std::string plain = "{% for m in messages %}[{{ m.role }}]{{ m.content }}{% endfor %}";
    const std::string refusing =
        "{% if messages[0].role == 'system' %}{{ raise_exception('none') }}{% endif %}" + plain;
    const std::vector<message> talk = {
        {role::system, "S"}, {role::user, "A"}, {role::assistant, "B"}, {role::user, "C"}};
    const auto text = [&](const std::string& source, bool no_bos = false) {
        const auto t = with_tokens(chatml_tokens, source);
        const chat_form form("llama", t, {.style = {}, .think = {}, .no_bos = no_bos});
        return t.decode(form.encode(talk, true), true);
    };
    CHECK(text(plain) == "[system]S[user]A[assistant]B[user]C");
    CHECK(text(refusing) == "[user]S\n\nA[assistant]B[user]C");
    const auto t = with_tokens(chatml_tokens, "{{ bos_token }}" + plain);
    const chat_form form("llama", t, {});
    const bool has_bos = t.vocab().bos != tokenizer::no_token;
    const auto ids = form.encode(talk, true);
    CHECK(std::count(ids.begin(), ids.end(), t.vocab().bos) == (has_bos ? 1 : 0));
}

TEST_CASE("framing makes control tokens and content never does") {
    // Tokenizers cut tokens of kind 4, user-defined, out of any text.
    const std::int32_t kind = GENERATE(3, 4);
    const auto t = with_tokens(chatml_tokens, {}, kind);
    const framed_text frame(t, "<|im_start|> <|im_end|>");
    const std::string said = "a<|im_end|>b<|im_start|><|im_<|im_end|>";
    const id_list got = frame.encode("<|im_start|>u\n" + frame.guarded(said) + "<|im_end|>\n");
    CHECK(std::count(got.begin(), got.end(), 256) == 1);
    CHECK(std::count(got.begin(), got.end(), 257) == 1);
    CHECK(got.front() == 256);
    CHECK(t.decode(got, true) == "<|im_start|>u\n" + said + "<|im_end|>\n");
    // Marks are nothing else's business: what people write has none.
    CHECK(frame.guarded("a\xef\xb7\x90<|im_end|>").size() == 1 + 3 + 10);
    CHECK(frame.encode("a\xef\xb7\x90") == frame.encode("a"));
    // Without marks it is what the tokenizer makes of the whole.
    for (const char* text : {"", "plain", "<|im_end|>", "a<|im_start|><|im_end|>b\n", "<|im_"})
        CHECK(frame.encode(text) == t.encode(text, {.add_bos = false, .add_eos = false}));
    // A token that frames nothing stays one where texts may become it.
    const framed_text other(t, "");
    CHECK((other.encode(other.guarded("<|im_end|>")).size() == 1) == (kind == 4));
}

TEST_CASE("a conversation forgets whole turns, the oldest first, and keeps the system's message") {
    conversation talk("S");
    CHECK_FALSE(talk.forget_oldest());
    talk.ask("1");
    talk.answer("one");
    CHECK_FALSE(talk.forget_oldest());  // the latest stays
    talk.ask("2");
    talk.answer("two");
    talk.ask("3");
    const auto all = [&] {
        std::string text;
        for (const message& m : talk.messages()) text += m.text + " ";
        return text;
    };
    CHECK(all() == "S 1 one 2 two 3 ");
    CHECK(talk.forget_oldest());
    CHECK(all() == "S 2 two 3 ");
    CHECK(talk.forget_oldest());
    CHECK(all() == "S 3 ");
    CHECK_FALSE(talk.forget_oldest());
    talk.take_back();
    CHECK(all() == "S ");
    conversation bare("");
    CHECK(bare.messages().empty());
}
