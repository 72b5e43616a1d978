// SPDX-License-Identifier: MIT
// Room huggingface. Enters: a tokenizer.json with a BPE model: byte-level, or SentencePiece's in
// another form; or with a unigram model. Leaves: its vocabulary; see vocabulary.hpp.
#include <algorithm>
#include <cstdio>
#include <string_view>
#include <unordered_map>

#include "gguf/quoted.hpp"
#include "huggingface/split_pattern.hpp"
#include "huggingface/unigram_json.hpp"
#include "huggingface/vocabulary.hpp"
#include "support/error.hpp"

namespace tbx::huggingface {

namespace {

using safetensors::find;
using safetensors::json;

class tokenizer_file {
    const json& from;
    const std::string& path;
    std::int64_t most;
    const json* model = nullptr;
    bool unigram = false;
    vocabulary v;

    [[noreturn]] void fail(const std::string& what) const { throw error(path, what); }

    bool model_flag(const char* name) const {
        const json* value = find(*model, name);
        return value != nullptr && value->is_boolean() && value->get<bool>();
    }

    void read_model() {
        model = from.is_object() ? find(from, "model") : nullptr;
        if (model == nullptr || !model->is_object()) fail("has no model");
        const json* type = find(*model, "type");
        unigram = type != nullptr && *type == "Unigram";
        if (type != nullptr && *type != "BPE" && !unigram)
            fail("has a model of type " + safetensors::shown(*type) +
                 "; only BPE and Unigram are known");
        for (const char* name : {"continuing_subword_prefix", "end_of_word_suffix", "dropout"})
            if (const json* value = find(*model, name);
                value != nullptr && *value != "" && *value != 0.0)
                fail("has a model with " + std::string(name) + ", which is not known here");
    }

    void read_tokens() {
        const json* tokens = find(*model, "vocab");
        if (tokens == nullptr || !tokens->is_object()) fail("has a model without vocab");
        for (const auto& [text, id] : tokens->items()) {
            if (!id.is_number_integer()) fail("token " + gguf::quoted(text) + " has no number");
            v.put(id.get<std::int64_t>(), text, vocabulary::normal, most, path);
        }
    }

    // Types of the normaliser, or of those of a sequence.
    static void add_types(const json& one, std::vector<std::string>& types) {
        const json *type = one.is_object() ? find(one, "type") : nullptr,
                   *inner = one.is_object() ? find(one, "normalizers") : nullptr;
        if (type == nullptr || !type->is_string()) return;
        if (*type != "Sequence") return types.push_back(type->get<std::string>());
        if (inner != nullptr && inner->is_array())
            for (const json& each : *inner) add_types(each, types);
    }
    std::vector<std::string> normalisers() const {
        std::vector<std::string> types;
        if (const json* all = find(from, "normalizer"); all != nullptr) add_types(*all, types);
        return types;
    }

    // All engines look for added tokens in texts as they are. To look in what the normaliser makes
    // of them is the same only where that changes neither the token nor what is beside it.
    void check_normalised(const json& token, const std::string& text) const {
        const json* said = find(token, "normalized");
        if (said == nullptr || *said != true) return;
        const bool ascii = std::ranges::all_of(text, [](char c) { return (c & 0x80) == 0; });
        const bool spaces = text.find(' ') != text.npos || text.find(visible_space) != text.npos;
        for (const std::string& type : normalisers())
            if (type == "NFC" ? !ascii : type == "Replace" || type == "Strip" ? spaces : true)
                fail("looks for added token " + gguf::quoted(text) + " in normalized texts, and " +
                     type + " makes others of them: it would be found elsewhere");
    }

    void read_added() {
        const json* added = find(from, "added_tokens");
        if (added == nullptr) return;
        if (!added->is_array()) fail("has added_tokens that are no list");
        for (const json& each : *added) {
            const json *id = each.is_object() ? find(each, "id") : nullptr,
                       *text = each.is_object() ? find(each, "content") : nullptr;
            if (id == nullptr || text == nullptr || !id->is_number_integer() || !text->is_string())
                fail("has an added token without id or content");
            check_normalised(each, text->get_ref<const std::string&>());
            const json* special = find(each, "special");
            const bool control =
                special != nullptr && special->is_boolean() && special->get<bool>();
            v.put(id->get<std::int64_t>(), text->get<std::string>(),
                  control ? vocabulary::control : vocabulary::user_defined, most, path);
            v.note_habits(id->get<std::int64_t>(), each, path);
        }
    }

    // "left right", or ["left", "right"] as newer files have it.
    std::vector<std::pair<std::string, std::string>> read_merges() const {
        const json* list = find(*model, "merges");
        if (list == nullptr || !list->is_array()) fail("has a model without merges");
        std::vector<std::pair<std::string, std::string>> merges;
        merges.reserve(list->size());
        for (const json& each : *list) {
            if (each.is_string()) {
                const auto& text = each.get_ref<const std::string&>();
                const std::size_t space = text.find(' ');
                merges.emplace_back(text.substr(0, space),
                                    space == text.npos ? std::string() : text.substr(space + 1));
            } else if (each.is_array() && each.size() == 2 && each[0].is_string() &&
                       each[1].is_string()) {
                merges.emplace_back(each[0], each[1]);
            } else {
                fail("has a merge that is no pair");
            }
            const auto& [left, right] = merges.back();
            if (left.empty() || right.empty() || left.find(' ') != left.npos ||
                right.find(' ') != right.npos)
                fail("has a merge that is no pair: " + safetensors::shown(each));
        }
        return merges;
    }

    void read_byte_level() {
        v.model = "gpt2";
        for (const std::string& type : normalisers())
            if (type != "NFC")  // which engines of GGUF leave out
                fail("has a normalizer of type " + gguf::quoted(type) +
                     ", which is not known here");
        const json* pre = find(from, "pre_tokenizer");
        v.pre =
            split_name(pre == nullptr ? json::object() : *pre, model_flag("ignore_merges"), path);
        for (const auto& [left, right] : read_merges()) {
            check_merge(v.pre, left, right, path);
            v.merges.push_back(left + " " + right);
        }
    }

    // SentencePiece's pieces come in the order in which they were learned, and their scores fall
    // with it: the first merge that makes a piece tells its place.
    void read_sentencepiece_bpe() {
        v.model = "llama";
        v.pre = "default";
        if (!model_flag("byte_fallback")) fail("has a BPE model that is of no kind known here");
        std::unordered_map<std::string, float> made;
        std::string last;
        for (const auto& [left, right] : read_merges()) {
            const std::string piece = left + right;
            if (piece != last && !made.emplace(piece, -static_cast<float>(made.size()) - 1).second)
                fail("has merges that are not in the order of SentencePiece's scores: " +
                     gguf::quoted(piece) + " is made in two places; tokenizer.model is needed");
            last = piece;
        }
        v.scores.assign(v.tokens.size(), 0.0f);
        for (std::size_t i = 0; i < v.tokens.size(); ++i) {
            if (const auto at = made.find(v.tokens[i]); at != made.end()) v.scores[i] = at->second;
            unsigned byte = 0;
            if (v.tokens[i].size() == 6 && std::sscanf(v.tokens[i].c_str(), "<0x%2X>", &byte) == 1)
                v.kinds[i] = vocabulary::byte;
        }
        if (const json* name = find(*model, "unk_token"); name != nullptr && name->is_string()) {
            v.unknown_id = v.find(name->get<std::string>());
            if (v.unknown_id >= 0)
                v.kinds[static_cast<std::size_t>(v.unknown_id)] = vocabulary::unknown;
        }
        read_space_prefix();
    }

    void read_space_prefix() {
        const json *normaliser = find(from, "normalizer"), *pre = find(from, "pre_tokenizer");
        v.add_space_prefix = has_type(normaliser, "Prepend", "normalizers");
        for (const char* known :
             {"NFKC", "NFC", "NFD", "NFKD", "Lowercase", "Strip", "Precompiled"})
            if (has_type(normaliser, known, "normalizers"))
                fail("has a normalizer of type " + std::string(known) +
                     ", which is not known here");
        if (pre == nullptr) return;
        // Gemma's splits at spaces, of which none is left.
        const json* regex = find(*pre, "pattern");
        if (has_type(normaliser, "Replace", "normalizers") && has_type(pre, "Split", "-") &&
            regex != nullptr && *regex == json{{"String", " "}})
            return;
        const json *type = find(*pre, "type"), *scheme = find(*pre, "prepend_scheme"),
                   *split = find(*pre, "split"), *mark = find(*pre, "replacement");
        if (type == nullptr || *type != "Metaspace" ||
            (mark != nullptr && *mark != visible_space) || (split != nullptr && *split != false))
            fail("has a pre_tokenizer that is not known here beside SentencePiece's pieces");
        v.add_space_prefix = scheme == nullptr || *scheme != "never";
    }

    // A template such as "<s> $A": the tokens around the text.
    void read_template(const json& processor) {
        const json* type = find(processor, "type");
        if (type != nullptr && *type == "Sequence") {
            if (const json* all = find(processor, "processors"); all != nullptr && all->is_array())
                for (const json& each : *all)
                    if (each.is_object()) read_template(each);
            return;
        }
        if (type == nullptr || *type != "TemplateProcessing") return;
        const json* single = find(processor, "single");
        if (single == nullptr || !single->is_array() || single->empty()) return;
        const auto token_at = [&](const json& place) -> std::int64_t {
            const json* special = place.is_object() ? find(place, "SpecialToken") : nullptr;
            const json* id = special != nullptr ? find(*special, "id") : nullptr;
            return id != nullptr && id->is_string() ? v.find(id->get<std::string>()) : -1;
        };
        const std::int64_t first = token_at(single->front()), last = token_at(single->back());
        v.add_bos = first >= 0;
        v.add_eos = last >= 0;
        if (first >= 0) v.bos = first;
        if (last >= 0) v.eos = last;
    }

public:
    tokenizer_file(const json& all, const std::string& where, std::int64_t ids)
        : from(all), path(where), most(ids) {}

    vocabulary read() {
        read_model();
        if (unigram)
            read_unigram_pieces(v, *model, path, most);
        else
            read_tokens();
        read_added();
        if (unigram)
            read_unigram_spaces(v, from, path);
        else if (has_type(find(from, "pre_tokenizer"), "ByteLevel", "pretokenizers"))
            read_byte_level();
        else
            read_sentencepiece_bpe();
        v.add_bos = v.add_eos = false;
        if (const json* after = find(from, "post_processor");
            after != nullptr && after->is_object())
            read_template(*after);
        return std::move(v);
    }
};

}  // namespace

vocabulary read_tokenizer_json(const json& from, const std::string& path, std::int64_t most) {
    return tokenizer_file(from, path, most).read();
}

}  // namespace tbx::huggingface
