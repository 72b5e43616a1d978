// SPDX-License-Identifier: MIT
// Tests of tokenizers: a folder's vocabulary, written to GGUF, splits and merges texts as the
// folder says; a rule that GGUF has no name for is refused.
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <array>
#include <string>
#include <vector>

#include "../support/scratch_folder.hpp"
#include "gguf/reader.hpp"
#include "huggingface/split_pattern.hpp"
#include "huggingface/vocabulary.hpp"
#include "support/error.hpp"
#include "tokenizer/pretokenize.hpp"
#include "tokenizer/tokenizer.hpp"

using namespace tbx;
using namespace tbx::huggingface;
using Catch::Matchers::ContainsSubstring;
using safetensors::json;
using testing::scratch_folder;
using ids = std::vector<tokenizer::token_id>;

namespace {

const char* const llama_3 = R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+)"
                            R"(|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

json split_by(const std::string& pattern) {
    return {{"type", "Sequence"},
            {"pretokenizers",
             {{{"type", "Split"},
               {"pattern", {{"Regex", pattern}}},
               {"behavior", "Isolated"},
               {"invert", false}},
              {{"type", "ByteLevel"},
               {"add_prefix_space", false},
               {"trim_offsets", true},
               {"use_regex", false}}}}};
}

/// As newer files have them. A list of pairs of texts would become an object.
json merges(const std::vector<std::array<std::string, 2>>& pairs) { return json(pairs); }

json byte_level() {
    return {
        {"added_tokens",
         {{{"id", 9}, {"content", "<|end|>"}, {"special", true}},
          {{"id", 10}, {"content", "<think>"}, {"special", false}}}},
        {"pre_tokenizer", split_by(llama_3)},
        {"post_processor",
         {{"type", "TemplateProcessing"},
          {"single", {{{"SpecialToken", {{"id", "<|end|>"}}}}, {{"Sequence", {{"id", "A"}}}}}}}},
        {"model",
         {{"type", "BPE"},
          {"ignore_merges", true},
          {"vocab",
           {{"a", 0},
            {"b", 1},
            {"c", 2},
            {"ab", 3},
            {"abc", 4},
            {"\u0120", 5},
            {"bc", 6},
            {"\u0120a", 7}}},
          {"merges", merges({{"b", "c"}, {"a", "b"}, {"a", "bc"}, {"\u0120", "a"}})}}}};
}

config of_vocab(std::int64_t vocab) {
    config c;
    c.vocab = vocab;
    return c;
}

/// The tokenizer that a GGUF file of the folder has.
struct written {
    std::string path;
    gguf::reader file;
    tokenizer::tokenizer words;

    static std::string write(const scratch_folder& at, std::int64_t vocab) {
        const vocabulary v = read_vocabulary(at.path(""), of_vocab(vocab));
        gguf::writer out(at.path("out.gguf"));
        write_vocabulary(out, v);
        out.finish();
        return at.path("out.gguf");
    }
    written(const scratch_folder& at, std::int64_t vocab)
        : path(write(at, vocab)), file(path), words(tokenizer::tokenizer::from_gguf(file)) {}
};

template <class F>
std::string refusal(F&& f) {
    try {
        f();
    } catch (const error& e) {
        return e.what();
    }
    return "nothing was refused";
}

std::string refusal_of(const json& tokenizer) {
    return refusal([&] { (void)read_tokenizer_json(tokenizer, "tokenizer.json", 100); });
}

// A message of SentencePiece's.
std::string field(int number, std::string_view bytes) {
    return std::string(1, static_cast<char>(number << 3 | 2)) +
           std::string(1, static_cast<char>(bytes.size())) + std::string(bytes);
}
std::string field(int number, int value) {
    std::string key(1, static_cast<char>((number << 3) & 127));
    if (number >= 16) {
        key[0] = static_cast<char>(static_cast<unsigned char>(key[0]) | 128u);
        key += static_cast<char>(number >> 4);
    }
    return key + static_cast<char>(value);
}
std::string piece(std::string_view text, float score, int type) {
    char bytes[4];
    std::memcpy(bytes, &score, 4);
    return field(1, field(1, text) + "\x15" + std::string(bytes, 4) + field(3, type));
}
std::string pieces() {
    return piece("<unk>", 0, 2) + piece("<s>", 0, 3) + piece("</s>", 0, 3) + piece("<0x41>", 0, 6) +
           piece("\u2581a", -1, 1) + piece("bc", -2, 1) + piece("\u2581", -3, 1) +
           piece("a", -4, 1) + piece("b", -5, 1) + piece("c", -6, 1);
}
const std::string bpe = field(2, field(3, 2)), plain = field(3, field(3, 1) + field(4, 0));

}  // namespace

TEST_CASE("tokenizer.json: byte-level BPE, in GGUF as in the folder") {
    const scratch_folder at;
    (void)at.file("tokenizer.json", byte_level().dump());
    (void)at.file("tokenizer_config.json",
                  R"({"eos_token":{"content":"<|end|>"},"chat_template":"old"})");
    (void)at.file("chat_template.jinja", "new");
    const written w(at, 13);
    CHECK(w.file.get<std::string>("tokenizer.ggml.model") == "gpt2");
    CHECK(w.file.get<std::string>("tokenizer.ggml.pre") == "llama-bpe");
    CHECK(w.file.get<std::string>("tokenizer.chat_template") == "new");
    CHECK(w.words.vocab().size() == 13);  // as many as the embedding has rows
    CHECK((w.words.vocab().eos == 9 && w.words.vocab().bos == 9 && w.words.vocab().add_bos));
    CHECK(w.words.vocab().kind(9) == tokenizer::token_kind::control);
    CHECK(w.words.vocab().kind(10) == tokenizer::token_kind::user_defined);
    CHECK(w.words.vocab().kind(8) == tokenizer::token_kind::unused);
    CHECK(w.words.vocab().kind(12) == tokenizer::token_kind::unused);
    // "abc" is a token and taken whole; in "abca" the pair of the first merge goes first.
    CHECK(w.words.encode("abc abca<think>a<|end|>") == ids{9, 4, 5, 4, 0, 10, 0, 9});
    CHECK(w.words.decode(w.words.encode("abc a")) == "abc a");
}

TEST_CASE("tokenizer.json: merges in both spellings, and only pairs") {
    json texts = byte_level();
    texts["model"]["merges"] = {"b c", "a b", "a bc", "\u0120 a"};
    CHECK(read_tokenizer_json(texts, "t", 100).merges ==
          read_tokenizer_json(byte_level(), "t", 100).merges);
    for (const json& bad :
         {json("bc"), json(" b"), json("b "), json("a b c"), json(7), json::array({"a"}),
          json::array({"a", "b", "c"}), json::array({"a b", "c"}), json::array({"a", ""})}) {
        texts["model"]["merges"] = json::array({bad});
        CHECK_THAT(refusal_of(texts), ContainsSubstring("a merge that is no pair"));
    }
}

TEST_CASE("tokenizer.json: what splits texts has a name, or is refused") {
    CHECK(split_name(split_by(llama_3), true, "t") == "llama-bpe");
    CHECK(split_name(split_by(llama_3), false, "t") == "smaug-bpe");
    std::string qwen = llama_3;
    qwen.replace(qwen.find("{1,3}"), 5, "");
    CHECK(split_name(split_by(qwen), false, "t") == "qwen2");
    CHECK_THAT(refusal([&] { (void)split_name(split_by(qwen), true, "t"); }),
               ContainsSubstring("takes tokens whole"));
    json own = {{"type", "ByteLevel"}, {"add_prefix_space", false}};
    CHECK(split_name(own, false, "t") == "gpt-2");
    own["use_regex"] = false;
    CHECK_THAT(refusal([&] { (void)split_name(own, false, "t"); }),
               ContainsSubstring("splits nothing"));
    own = {{"type", "ByteLevel"}};
    CHECK_THAT(refusal([&] { (void)split_name(own, false, "t"); }),
               ContainsSubstring("adds a space"));
    CHECK_THAT(refusal([&] { (void)split_name(split_by("[a-z]+"), false, "t"); }),
               ContainsSubstring("[a-z]+"));
    json digits = split_by(llama_3);
    digits["pretokenizers"][0] = {{"type", "Digits"}, {"individual_digits", true}};
    CHECK_THAT(refusal([&] { (void)split_name(digits, true, "t"); }), ContainsSubstring("\\p{N}"));
    digits["pretokenizers"][1]["use_regex"] = true;
    CHECK(split_name(digits, false, "t") == "starcoder");
    digits["pretokenizers"][0] = {{"type", "Punctuation"}};
    CHECK_THAT(refusal([&] { (void)split_name(digits, false, "t"); }),
               ContainsSubstring("a step of type 'Punctuation'"));
    // Line ends themselves, or escapes.
    std::string lines = llama_3;
    for (std::size_t at = 0; (at = lines.find("\\r\\n", at)) != lines.npos;)
        lines.replace(at, 4, "\r\n");
    CHECK(split_name(split_by(lines), true, "t") == "llama-bpe");
    std::string marks = qwen;
    marks.replace(marks.find(R"(?\p{L}+)"), 7, R"(?[\p{L}\p{M}]+)");
    marks.replace(marks.find(R"([^\s\p{L}\p{N}])"), 15, R"([^\s\p{L}\p{M}\p{N}])");
    CHECK(split_name(split_by(marks), false, "t") == "qwen35");
    json removing = split_by(llama_3);
    removing["pretokenizers"][0]["behavior"] = "Removed";
    CHECK_THAT(refusal([&] { (void)split_name(removing, true, "t"); }),
               ContainsSubstring("drops or joins"));
    // Each name is one that the tokenizer knows.
    for (const char* name : {"llama-bpe", "smaug-bpe", "qwen2", "gpt-2"})
        CHECK(tokenizer::find_split_rule(name));
}

TEST_CASE("tokenizer.json: numbers and kinds of models that are wrong are refused") {
    const auto changed = [](const char* pointer, const json& value) {
        json all = byte_level();
        all[json::json_pointer(pointer)] = value;
        return refusal_of(all);
    };
    CHECK_THAT(changed("/model/type", "WordPiece"), ContainsSubstring("only BPE and Unigram"));
    CHECK_THAT(changed("/model/vocab/a", 100), ContainsSubstring("the number 100"));
    CHECK_THAT(changed("/model/vocab/a", -1), ContainsSubstring("the number -1"));
    CHECK_THAT(changed("/model/vocab/a", "x"), ContainsSubstring("'a' has no number"));
    CHECK_THAT(changed("/model/vocab/a", 1), ContainsSubstring("gives the number 1 to"));
    CHECK_THAT(changed("/added_tokens/0/id", 0), ContainsSubstring("gives the number 0 to"));
    CHECK_THAT(changed("/added_tokens/0/id", nullptr), ContainsSubstring("without id"));
    CHECK_THAT(changed("/model/vocab", json::array()), ContainsSubstring("without vocab"));
    CHECK_THAT(changed("/model/merges", 7), ContainsSubstring("without merges"));
    CHECK_THAT(changed("/model", 7), ContainsSubstring("has no model"));
    CHECK_THAT(changed("/normalizer", json{{"type", "Lowercase"}}),
               ContainsSubstring("'Lowercase'"));
    CHECK(changed("/normalizer", json{{"type", "Sequence"}, {"normalizers", json::array()}}) ==
          "nothing was refused");
    CHECK_THAT(changed("/pre_tokenizer", nullptr), ContainsSubstring("of no kind known here"));
    CHECK_THAT(changed("/model/end_of_word_suffix", "</w>"),
               ContainsSubstring("end_of_word_suffix"));
    CHECK(changed("/normalizer", json{{"type", "NFC"}}) == "nothing was refused");
}

TEST_CASE("tokenizer.model: SentencePiece's pieces, with what lies beside them") {
    const scratch_folder at;
    (void)at.file("tokenizer.model", pieces() + bpe + plain);
    (void)at.file("added_tokens.json", R"({"<pad>":10})");
    (void)at.file("tokenizer_config.json",
                  R"({"add_bos_token":true,"eos_token":"</s>","pad_token":{"content":"<pad>"}})");
    const written w(at, 12);
    CHECK(w.file.get<std::string>("tokenizer.ggml.model") == "llama");
    CHECK((w.words.vocab().bos == 1 && w.words.vocab().eos == 2 && w.words.vocab().padding == 10));
    CHECK(w.words.vocab().score(5) == -2.0f);
    CHECK(w.words.encode("abc aA") == ids{1, 4, 5, 4, 3});
    const std::string bytes = pieces() + bpe + plain;
    const auto read = [&](const std::string& message) {
        return refusal([&] {
            (void)read_sentencepiece(std::as_bytes(std::span(message)), "tokenizer.model", 100);
        });
    };
    for (std::size_t n = 0; n < bytes.size(); ++n) {
        INFO(n);
        const std::string why = read(std::string(bytes, 0, n));
        CHECK_THAT(why, ContainsSubstring("tokenizer.model: "));
    }
    CHECK_THAT(read(pieces() + field(2, field(3, 3)) + plain), ContainsSubstring("of type 3"));
    CHECK_THAT(read(pieces() + field(2, field(3, 2) + field(24, 1)) + plain),
               ContainsSubstring("spaces at the ends of its pieces"));
    CHECK_THAT(read(pieces() + bpe + field(3, field(2, "map") + field(4, 0))),
               ContainsSubstring("by a map"));
    CHECK_THAT(read(pieces() + bpe + field(3, field(4, 1))), ContainsSubstring("extra spaces"));
    CHECK_THAT(read(pieces() + piece("x", 0, 9) + bpe + plain),
               ContainsSubstring("unknown type 9"));
    CHECK_THAT(read(pieces() + field(2, field(3, 2) + field(41, 50)) + plain),
               ContainsSubstring("special token outside"));
}

TEST_CASE("tokenizer.json: SentencePiece's BPE tells scores by the order of its merges") {
    const scratch_folder at;
    json t = {{"normalizer",
               {{"type", "Sequence"},
                {"normalizers",
                 {{{"type", "Prepend"}, {"prepend", "\u2581"}},
                  {{"type", "Replace"}, {"pattern", {{"String", " "}}}, {"content", "\u2581"}}}}}},
              {"pre_tokenizer", nullptr},
              {"added_tokens", {{{"id", 0}, {"content", "<unk>"}, {"special", true}}}},
              {"model",
               {{"type", "BPE"},
                {"byte_fallback", true},
                {"unk_token", "<unk>"},
                {"vocab",
                 {{"<unk>", 0},
                  {"<0x41>", 1},
                  {"\u2581a", 2},
                  {"bc", 3},
                  {"\u2581", 4},
                  {"a", 5},
                  {"b", 6},
                  {"c", 7}}},
                {"merges", {"\u2581 a", "b c"}}}}};
    (void)at.file("tokenizer.json", t.dump());
    const written w(at, 8);
    CHECK(w.words.vocab().score(2) > w.words.vocab().score(3));
    CHECK(w.words.vocab().kind(1) == tokenizer::token_kind::byte);
    CHECK(w.words.vocab().kind(0) == tokenizer::token_kind::unknown);
    CHECK(w.words.encode("abc A") == ids{2, 3, 4, 1});
    t["model"]["merges"] = {"a b", "b c", "a b"};
    CHECK_THAT(refusal_of(t), ContainsSubstring("tokenizer.model is needed"));
}

TEST_CASE("a tokenizer's folder that says nothing, or too much, is refused") {
    const scratch_folder at;
    const auto read = [&](std::int64_t vocab) {
        return refusal([&] { (void)read_vocabulary(at.path(""), of_vocab(vocab)); });
    };
    CHECK_THAT(read(100), ContainsSubstring("has neither tokenizer.json nor tokenizer.model"));
    (void)at.file("tokenizer.json", byte_level().dump());
    CHECK_THAT(read(10), ContainsSubstring("and the model has 10 tokens"));
    CHECK(read(11) == "nothing was refused");
    (void)at.file("tokenizer_config.json", R"({"eos_token":"<nowhere>"})");
    CHECK_THAT(read(11), ContainsSubstring("'<nowhere>', which the vocabulary lacks"));
    (void)at.file("tokenizer_config.json", R"({"add_bos_token":3})");
    CHECK_THAT(read(11), ContainsSubstring("'add_bos_token' is 3"));
    (void)at.file("tokenizer_config.json", R"({"chat_template":[{"name":"x"}]})");
    CHECK_THAT(read(11), ContainsSubstring("chat_template without name or text"));
    (void)at.file("tokenizer_config.json", R"({"added_tokens_decoder":{"0":{"content":"no"}}})");
    CHECK_THAT(read(11), ContainsSubstring("gives the number 0 to"));
    (void)at.file("tokenizer_config.json", "{");
    CHECK_THAT(read(11), ContainsSubstring("is not JSON"));
}

TEST_CASE("tokenizer.json: Gemma's, which splits at spaces of which none is left") {
    json t = {{"normalizer",
               {{"type", "Replace"}, {"pattern", {{"String", " "}}}, {"content", "\u2581"}}},
              {"pre_tokenizer",
               {{"type", "Split"},
                {"pattern", {{"String", " "}}},
                {"behavior", "MergedWithPrevious"},
                {"invert", false}}},
              {"model",
               {{"type", "BPE"},
                {"byte_fallback", true},
                {"unk_token", "<unk>"},
                {"vocab", {{"<unk>", 0}, {"\u2581", 1}, {"a", 2}, {"\u2581a", 3}, {"b", 4}}},
                {"merges", {"\u2581 a"}}}}};
    const vocabulary v = read_tokenizer_json(t, "t", 100);
    CHECK((v.model == "llama" && v.add_space_prefix == false));
    t["pre_tokenizer"]["pattern"]["String"] = "x";
    CHECK_THAT(refusal_of(t), ContainsSubstring("pre_tokenizer that is not known"));
}

TEST_CASE("tokenizer.json: unigrams, with what becomes of spaces and characters") {
    const scratch_folder at;
    json t = {{"normalizer",
               {{"type", "Sequence"},
                {"normalizers",
                 {{{"type", "Replace"}, {"pattern", {{"Regex", " {2,}"}}}, {"content", " "}}}}}},
              {"pre_tokenizer",
               {{"type", "Metaspace"}, {"replacement", "\u2581"}, {"prepend_scheme", "always"}}},
              {"post_processor",
               {{"type", "TemplateProcessing"},
                {"single", {{{"Sequence", {{"id", "A"}}}}, {{"SpecialToken", {{"id", "</s>"}}}}}}}},
              {"added_tokens",
               {{{"id", 0}, {"content", "<pad>"}, {"special", true}},
                {{"id", 1}, {"content", "</s>"}, {"special", true}},
                {{"id", 2}, {"content", "<unk>"}, {"special", true}},
                {{"id", 7}, {"content", "<x>"}, {"special", false}, {"lstrip", true}},
                {{"id", 8}, {"content", "<y>"}, {"special", true}, {"rstrip", true}}}},
              {"model", {{"type", "Unigram"}, {"unk_id", 2}}}};
    // A list of pairs of a text and a number is spelt out: it would become an object.
    json& pieces = t["model"]["vocab"] = json::array();
    const std::vector<std::pair<const char*, double>> all{
        {"<pad>", 0}, {"</s>", 0}, {"<unk>", 0}, {"\u2581a", -1.5},
        {"a", -3},    {"b", -4},   {"ab", -3.5}};
    for (const auto& [text, score] : all) pieces.push_back(json::array({text, score}));
    (void)at.file("tokenizer.json", t.dump());
    const written w(at, 9);
    CHECK(w.file.get<std::string>("tokenizer.ggml.model") == "t5");
    CHECK(w.words.vocab().score(6) == -3.5f);
    CHECK(w.words.vocab().unknown == 2);
    CHECK(w.words.encode("  a   ab b ") == ids{3, 3, 5, 2, 5, 1});  // U+2581 alone is no piece
    CHECK(w.words.encode("a \u3000<x> a<y>\n a") == ids{3, 7, 3, 8, 3, 1});
    CHECK(w.words.decode(ids{3, 3}) == "a a");
    const auto changed = [&](const char* pointer, const json& value) {
        json other = t;
        other[json::json_pointer(pointer)] = value;
        return refusal_of(other);
    };
    CHECK_THAT(changed("/model/vocab/3", json::array({"x"})),
               ContainsSubstring("a piece without text or score"));
    CHECK_THAT(changed("/model/unk_id", 9), ContainsSubstring("unk_id that is no piece"));
    CHECK_THAT(changed("/normalizer/normalizers/0", json{{"type", "NFKC"}}),
               ContainsSubstring("normalizer of type 'NFKC'"));
    CHECK_THAT(changed("/normalizer/normalizers/0",
                       json{{"type", "Precompiled"}, {"precompiled_charsmap", "?"}}),
               ContainsSubstring("no base64"));
    CHECK_THAT(changed("/normalizer/normalizers/0", json{{"type", "Strip"}}),
               ContainsSubstring("strips spaces at the ends alone"));
    CHECK_THAT(changed("/pre_tokenizer", json{{"type", "Whitespace"}}),
               ContainsSubstring("pre_tokenizer of type 'Whitespace'"));
    CHECK_THAT(changed("/added_tokens/3/single_word", true),
               ContainsSubstring("only as a whole word"));
}

namespace {

json step(const char* type) { return {{"type", type}}; }

json isolated(const std::string& regex) {
    return {{"type", "Split"},
            {"pattern", {{"Regex", regex}}},
            {"behavior", "Isolated"},
            {"invert", false}};
}

json chain(const std::vector<json>& steps) {
    return {{"type", "Sequence"}, {"pretokenizers", steps}};
}

json bytes(bool regex) {
    return {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", regex}};
}

/// Falcon's, as its first models' folders have it.
std::vector<json> falcon_steps() {
    json punctuation = step("Punctuation"), digits = step("Digits");
    punctuation["behavior"] = "Contiguous";
    digits["individual_digits"] = false;
    return {punctuation, bytes(true), digits, isolated("[0-9][0-9][0-9]")};
}

/// PCRE2's spelling of a character -> itself.
std::string in_utf8(std::string_view pattern) {
    std::string text;
    for (std::size_t at = 0; at < pattern.size();) {
        if (!pattern.substr(at).starts_with("\\x{")) {
            text += pattern[at++];
            continue;
        }
        const std::size_t end = pattern.find('}', at);
        const auto c = std::stoul(std::string(pattern.substr(at + 3, end - at - 3)), nullptr, 16);
        if (c < 0x80) text += static_cast<char>(c);
        if (c >= 0x80 && c < 0x800) text += static_cast<char>(0xc0 | c >> 6);
        if (c >= 0x800 && c < 0x10000) text += static_cast<char>(0xe0 | c >> 12);
        if (c >= 0x10000) text += static_cast<char>(0xf0 | c >> 18);
        if (c >= 0x10000) text += static_cast<char>(0x80 | (c >> 12 & 63));
        if (c >= 0x800) text += static_cast<char>(0x80 | (c >> 6 & 63));
        if (c >= 0x80) text += static_cast<char>(0x80 | (c & 63));
        at = end + 1;
    }
    return text;
}

/// DeepSeek's first; its letters are those of the rule, which spells them otherwise.
std::vector<json> deepseek_steps() {
    const std::string rule = tokenizer::find_split_rule("deepseek-llm")->patterns[1];
    const std::size_t letters = rule.find("A-Za-z");
    json digits = step("Digits");
    digits["individual_digits"] = true;
    return {isolated("[\r\n]"),
            isolated("\\s?[" + in_utf8(std::string_view(rule).substr(letters))),
            isolated("\\s?[!-/:-~\uff01-\uff0f\uff1a-\uff5e\u2018-\u201f\u3000-\u3002]+"),
            isolated("\\s+$"),
            isolated("[\u4e00-\u9fa5\u0800-\u4e00\uac00-\ud7ff]+"),
            digits,
            bytes(false)};
}

}  // namespace

TEST_CASE("tokenizer.json: the chains of Falcon's and DeepSeek's first models") {
    CHECK(split_name(chain(falcon_steps()), false, "t") == "falcon");
    CHECK(split_name(chain(deepseek_steps()), false, "t") == "deepseek-llm");
    CHECK(tokenizer::find_split_rule("falcon"));
    const auto refused = [](const std::vector<json>& steps, bool ignore_merges = false) {
        return refusal([&] { (void)split_name(chain(steps), ignore_merges, "t"); });
    };
    CHECK_THAT(refused(falcon_steps(), true), ContainsSubstring("takes tokens whole"));
    // One step less, another order, another step: another way of splitting.
    for (std::size_t i = 0; i < 4; ++i) {
        auto steps = falcon_steps();
        steps.erase(steps.begin() + static_cast<std::ptrdiff_t>(i));
        CHECK_THAT(refused(steps), ContainsSubstring("for which there is no name here"));
    }
    auto steps = falcon_steps();
    std::swap(steps[1], steps[3]);
    CHECK_THAT(refused(steps), ContainsSubstring("splits by"));
    steps = falcon_steps();
    steps[0]["behavior"] = "Isolated";
    CHECK_THAT(refused(steps), ContainsSubstring("a step of type 'Punctuation'"));
    steps = falcon_steps();
    steps.push_back(bytes(false));
    CHECK_THAT(refused(steps), ContainsSubstring("has not one ByteLevel"));
    steps = deepseek_steps();
    steps[5]["individual_digits"] = false;
    CHECK_THAT(refused(steps), ContainsSubstring("splits by"));
    steps = deepseek_steps();
    steps.pop_back();
    CHECK_THAT(refused(steps), ContainsSubstring("has not one ByteLevel"));
}

TEST_CASE("tokenizer.json: a merge across what a chain parts would make other tokens") {
    const auto with_merges = [](const std::vector<json>& steps,
                                const std::vector<std::array<std::string, 2>>& pairs) {
        json t = byte_level();
        t["pre_tokenizer"] = chain(steps);
        t["model"]["ignore_merges"] = false;
        t["model"]["merges"] = merges(pairs);
        return refusal_of(t);
    };
    const std::string space = "\u0120", half = "\u00bd";
    CHECK(with_merges(falcon_steps(), {{"a", "b"}, {"1", "2"}, {space, "a"}, {half, "1"}}) ==
          "nothing was refused");
    CHECK_THAT(with_merges(falcon_steps(), {{space, "1"}}),
               ContainsSubstring("rule falcon does not"));
    CHECK_THAT(with_merges(falcon_steps(), {{"1", "a"}}), ContainsSubstring("'1' and 'a'"));
    CHECK_THAT(with_merges(falcon_steps(), {{"\u00d0", half}}), ContainsSubstring("parts"));
    CHECK(with_merges(deepseek_steps(), {{"a", "b"}, {space, "a"}, {"a", "1"}}) ==
          "nothing was refused");
    CHECK_THAT(with_merges(deepseek_steps(), {{"a1", "2b"}}),
               ContainsSubstring("rule deepseek-llm does not"));
    // Others are what their names say.
    json t = byte_level();
    t["model"]["merges"] = merges({{"1", "2"}, {"a", "1"}});
    CHECK(refusal_of(t) == "nothing was refused");
}

TEST_CASE("tokenizer.json: added tokens are looked for in texts as they are") {
    const auto with = [](json t, const json& normaliser, const char* text) {
        t["normalizer"] = normaliser;
        t["added_tokens"] = json::array(
            {{{"id", 50}, {"content", text}, {"special", false}, {"normalized", true}}});
        const std::string why = refusal_of(t);
        t["added_tokens"][0]["normalized"] = false;
        CHECK(refusal_of(t) == "nothing was refused");
        return why;
    };
    const json nfc = step("NFC"),
               shown = {{"type", "Replace"}, {"pattern", {{"String", " "}}}, {"content", "\u2581"}},
               prepend = {{"type", "Prepend"}, {"prepend", "\u2581"}};
    const std::string none = "nothing was refused";
    CHECK(with(byte_level(), nullptr, "\u00f8") == none);
    CHECK(with(byte_level(), nfc, "<think>") == none);
    CHECK_THAT(with(byte_level(), nfc, "e\u0301"), ContainsSubstring("NFC makes others of them"));
    json pieces = {{"pre_tokenizer", nullptr},
                   {"model",
                    {{"type", "BPE"},
                     {"byte_fallback", true},
                     {"unk_token", "<unk>"},
                     {"vocab", {{"<unk>", 0}, {"\u2581", 1}, {"a", 2}}},
                     {"merges", json::array()}}}};
    CHECK(with(pieces, shown, "<x>") == none);
    CHECK_THAT(with(pieces, shown, "a b"), ContainsSubstring("'a b' in normalized texts"));
    CHECK_THAT(with(pieces, shown, "\u2581\u2581"), ContainsSubstring("Replace"));
    CHECK_THAT(with(pieces, {{"type", "Sequence"}, {"normalizers", {prepend, shown}}}, "<x>"),
               ContainsSubstring("Prepend"));
}
