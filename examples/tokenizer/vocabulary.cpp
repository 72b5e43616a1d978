// SPDX-License-Identifier: MIT
// Room tokenizer. Enters: tokenizer.ggml.* metadata. Leaves: a vocabulary whose every id, score and
// kind is in range, or an error that names the key.
#include "tokenizer/vocabulary.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <span>
#include <utility>

#include "gguf/token_habits.hpp"
#include "support/finite.hpp"
#include "tokenizer/pretokenize.hpp"

namespace tbx::tokenizer {

namespace {

constexpr std::string_view prefix = "tokenizer.ggml.";

std::string key(std::string_view name) { return std::string(prefix) += name; }

// Copies all views into one block and points them there.
std::unique_ptr<char[]> take_over(std::vector<std::string_view>& first,
                                  std::vector<std::string_view>& second) {
    std::size_t bytes = 0;
    for (const auto* list : {&first, &second}) {
        for (const std::string_view text : *list) bytes += text.size();
    }
    auto block = std::make_unique<char[]>(bytes + 1);
    char* at = block.get();
    for (auto* list : {&first, &second}) {
        for (std::string_view& text : *list) {
            if (!text.empty()) std::memcpy(at, text.data(), text.size());
            text = {at, text.size()};
            at += text.size();
        }
    }
    return block;
}

token_id special_id(const gguf::reader& file, std::string_view name, token_id fallback,
                    std::size_t size) {
    const auto fits = [size](std::int64_t id) { return id >= 0 && std::cmp_less(id, size); };
    const std::string full = key(name);
    if (!file.has(full)) return fits(fallback) ? fallback : no_token;
    const auto id = file.get<std::int64_t>(full);
    // Converters write -1, in either signedness, for a token that the model does not have.
    if (id == -1 || id == std::numeric_limits<std::uint32_t>::max()) return no_token;
    if (!fits(id)) file.fail("'" + full + "' is " + std::to_string(id) + ", not a token");
    return static_cast<token_id>(id);
}

std::vector<token_id> ids_of(const gguf::reader& file, const char* name, std::size_t size) {
    std::vector<token_id> ids;
    if (!file.has(name)) return ids;
    const auto stored = file.array<std::int32_t>(name);
    for (std::size_t i = 0; i < stored.size(); ++i) {
        const std::int32_t id = stored[i];
        if (id < 0 || std::cmp_greater_equal(id, size))
            file.fail("'" + std::string(name) + "' has " + std::to_string(id) + ", not a token");
        ids.push_back(id);
    }
    std::sort(ids.begin(), ids.end());
    return ids;
}

bool flag(const gguf::reader& file, std::string_view name, bool fallback) {
    return file.get_or<bool>(key(name), fallback);
}

// An array of bytes, in either signedness; empty when absent.
std::string bytes_of(const gguf::reader& file, std::string_view name) {
    const std::string full = key(name);
    const gguf::entry* found = file.find(full);
    if (found == nullptr) return {};
    if (found->type != gguf::value_type::array ||
        (found->element != gguf::value_type::u8 && found->element != gguf::value_type::i8))
        file.fail("'" + full + "' is no array of bytes");
    return {reinterpret_cast<const char*>(found->bytes.data()), found->bytes.size()};
}

vocabulary_model model_of(const gguf::reader& file) {
    const auto name = file.get<std::string_view>(key("model"));
    if (name == "llama") return vocabulary_model::sentencepiece;
    if (name == "t5") return vocabulary_model::unigram;
    if (name == "gpt2") return vocabulary_model::byte_level_bpe;
    file.fail("tokenizer model '" + std::string(name.substr(0, 40)) +
              "' is not supported (llama, t5 and gpt2 are)");
}

// Microsoft's BitNet files forgot to name their pre-tokenizer. Their vocabulary is Llama 3's.
bool is_llama_3(std::span<const std::string_view> texts) {
    return texts.size() == 128256 && texts[128000] == "<|begin_of_text|>" &&
           texts[128009] == "<|eot_id|>";
}

// Names that chat models give to the token that ends an answer, whichever of the ids the file
// lists.
constexpr std::array end_names{"<|eot_id|>", "<|im_end|>",    "<|end|>",        "<|endoftext|>",
                               "<|eom_id|>", "<end_of_turn>", "<|end_of_text|>"};

}  // namespace

vocabulary::vocabulary(const gguf::reader& file, std::string_view pre) : model(model_of(file)) {
    texts = file.strings(key("tokens"));
    if (texts.empty()) file.fail("has a vocabulary without tokens");
    if (texts.size() > std::size_t{1} << 24) file.fail("has a vocabulary of unlikely size");
    const std::size_t count = texts.size();
    const bool bytes = model == vocabulary_model::byte_level_bpe, spm = !bytes,
               ugm = model == vocabulary_model::unigram;
    if (bytes) merges = file.strings(key("merges"));
    storage = take_over(texts, merges);

    scores.assign(count, 0.0f);
    if (spm || file.has(key("scores"))) {
        const auto stored = file.array<float>(key("scores"));
        if (stored.size() != count) file.fail("has more or fewer scores than tokens");
        for (std::size_t i = 0; i < count; ++i) {
            // Merging sorts by score, where NaN has no place.
            if (!support::is_finite(scores[i] = stored[i]))
                file.fail("the score of token " + std::to_string(i) + " is NaN or infinite");
        }
    }
    kinds.assign(count, token_kind::normal);
    if (file.has(key("token_type"))) {
        const auto stored = file.array<std::int32_t>(key("token_type"));
        if (stored.size() != count) file.fail("has more or fewer token types than tokens");
        for (std::size_t i = 0; i < count; ++i) {
            if (stored[i] < 0 || stored[i] > 6) {
                file.fail("token " + std::to_string(i) + " has unknown type " +
                          std::to_string(stored[i]));
            }
            // 0 is "undefined", which converters use for ordinary tokens.
            if (stored[i] != 0) kinds[i] = static_cast<token_kind>(stored[i]);
        }
    }

    ids.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
        const token_kind kind = kinds[i];
        if (kind == token_kind::control || kind == token_kind::unknown) continue;
        if (spm && kind == token_kind::byte) continue;
        if (texts[i].empty()) continue;
        longest_text = std::max(longest_text, texts[i].size());
        ids.insert_or_assign(texts[i], static_cast<token_id>(i));
    }

    if (spm && !pre.empty())
        file.fail("has a SentencePiece vocabulary, whose texts nothing splits: leave --pre out");
    if (bytes) {
        pre_tokenizer = pre.empty() ? file.get_or<std::string>(key("pre"), "") : std::string(pre);
        if (pre_tokenizer.empty() && is_llama_3(texts)) pre_tokenizer = "llama-bpe";
    }
    chat_template = file.get_or<std::string>("tokenizer.chat_template", "");
    // llama.cpp's defaults: those of Llama and of T5.
    bos = special_id(file, "bos_token_id", spm && !ugm ? 1 : no_token, count);
    eos = special_id(file, "eos_token_id", bytes ? no_token : ugm ? 1 : 2, count);
    unknown = special_id(file, "unknown_token_id", bytes ? no_token : ugm ? 2 : 0, count);
    padding = special_id(file, "padding_token_id", ugm ? 0 : no_token, count);
    end_of_turn = special_id(file, "eot_token_id", no_token, count);
    const token_id end_of_message = special_id(file, "eom_token_id", no_token, count);

    strip_left = ids_of(file, gguf::strip_left_key, count);
    strip_right = ids_of(file, gguf::strip_right_key, count);

    bool usual_bos = !bytes && !ugm;
    if (bytes) {
        const auto rule = find_split_rule(pre_tokenizer);
        if (!rule) {
            const std::string what = pre_tokenizer.empty()
                                         ? "does not name its pre-tokenizer"
                                         : "has the pre-tokenizer '" + pre_tokenizer.substr(0, 40) +
                                               "', for which there is no rule here";
            file.fail(what + "; --pre NAME chooses one (" + std::string(split_rule_names()) + ")");
        }
        usual_bos = rule->add_bos;
    }
    add_bos = flag(file, "add_bos_token", usual_bos && bos != no_token);
    add_eos = flag(file, "add_eos_token", ugm && eos != no_token);
    if ((add_bos && bos == no_token) || (add_eos && eos == no_token)) {
        file.fail("wants a begin or end token added but does not say which");
    }
    add_space_prefix = flag(file, "add_space_prefix", spm && !ugm) && spm;
    remove_extra_whitespaces = ugm && flag(file, "remove_extra_whitespaces", false);
    if (ugm) character_map = bytes_of(file, "precompiled_charsmap");

    for (const token_id id : {eos, end_of_turn, end_of_message}) {
        if (id != no_token) ends.push_back(id);
    }
    for (const char* name : end_names) {
        const token_id id = find_control(name);
        if (id != no_token) ends.push_back(id);
    }
    std::sort(ends.begin(), ends.end());
}

token_id vocabulary::find(std::string_view text) const noexcept {
    if (text.size() > longest_text) return no_token;
    const auto found = ids.find(text);
    return found == ids.end() ? no_token : found->second;
}

token_id vocabulary::find_special(std::string_view text) const noexcept {
    const auto found = std::find(texts.begin(), texts.end(), text);
    return found == texts.end() ? no_token : static_cast<token_id>(found - texts.begin());
}

token_id vocabulary::find_control(std::string_view text) const noexcept {
    const token_id id = find_special(text);
    if (id == no_token) return no_token;
    // Converters disagree on the kind; only an ordinary word of this spelling is meant as text.
    const bool known = kind(id) == token_kind::control || kind(id) == token_kind::user_defined;
    return known ? id : no_token;
}

bool vocabulary::is_end(token_id id) const noexcept {
    return std::binary_search(ends.begin(), ends.end(), id);
}

}  // namespace tbx::tokenizer
