// SPDX-License-Identifier: MIT
// Room huggingface. Enters: the tokenizer's files of a folder. Leaves: one vocabulary; see
// vocabulary.hpp. tokenizer_config.json has the last word, as it has in transformers.
#include "huggingface/vocabulary.hpp"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>

#include "gguf/quoted.hpp"
#include "gguf/token_habits.hpp"
#include "huggingface/fields.hpp"
#include "support/error.hpp"
#include "support/lines.hpp"
#include "support/mapped_file.hpp"

namespace tbx::huggingface {

namespace {

namespace fs = std::filesystem;
using safetensors::find;

constexpr std::uint64_t most_config = std::uint64_t{1} << 26;  // its template and added tokens

// "<s>", or an object with the text and how it is found.
std::optional<std::string> token_text(const json& value) {
    if (value.is_string()) return value.get<std::string>();
    if (!value.is_object()) return std::nullopt;
    const json* content = find(value, "content");
    if (content == nullptr || !content->is_string()) return std::nullopt;
    return content->get<std::string>();
}

class assembler {
    fs::path folder;
    const config& c;
    vocabulary v;

    std::string place(const char* name) const { return (folder / name).string(); }

    void add(std::int64_t id, const std::string& text, bool special, const std::string& file) {
        v.put(id, text, special ? vocabulary::control : vocabulary::user_defined, c.vocab, file);
    }

    // 1bitLLM's folders name the tokens that the SentencePiece model lacks here.
    void read_added() {
        const std::string path = place("added_tokens.json");
        if (!fs::exists(path)) return;
        const json all = safetensors::read_json(path, most_config);
        if (!all.is_object()) throw error(path, "is not a JSON object");
        for (const auto& [text, id] : all.items()) {
            if (!id.is_number_integer()) throw error(path, "has a token without a number");
            if (v.find(text) < 0) add(id.get<std::int64_t>(), text, false, path);
        }
    }

    void read_decoder(const json& list, const std::string& path) {
        if (!list.is_object()) throw error(path, "has an added_tokens_decoder that is no object");
        for (const auto& [number, each] : list.items()) {
            std::int64_t id = -1;
            const char* const end = number.data() + number.size();
            const auto text = token_text(each);
            if (std::from_chars(number.data(), end, id).ptr != end || !text)
                throw error(path, "has an added token without id or content");
            const json* special = find(each, "special");
            add(id, *text, special != nullptr && special->is_boolean() && special->get<bool>(),
                path);
            v.note_habits(id, each, path);
        }
    }

    void read_special(const json& all, const char* name, std::int64_t& id,
                      const std::string& path) {
        const json* value = find(all, name);
        if (value == nullptr) return;
        const auto text = token_text(*value);
        if (!text) throw error(path, "has a " + std::string(name) + " that is no text");
        const std::int64_t found = v.find(*text);
        if (found >= 0) id = found;
        // Without its end a model goes on for ever; without padding it does all that it can here.
        if (found < 0 && (&id == &v.bos || &id == &v.eos))
            throw error(path, "has the " + std::string(name) + " " + gguf::quoted(*text) +
                                  ", which the vocabulary lacks");
    }

    void read_templates(const json& value, const std::string& path) {
        if (value.is_string()) {
            v.templates.emplace_back("", value.get<std::string>());
            return;
        }
        if (!value.is_array()) throw error(path, "has a chat_template that is no text");
        for (const json& each : value) {
            const json *name = each.is_object() ? find(each, "name") : nullptr,
                       *text = each.is_object() ? find(each, "template") : nullptr;
            if (name == nullptr || text == nullptr || !name->is_string() || !text->is_string())
                throw error(path, "has a chat_template without name or text");
            const auto& called = name->get_ref<const std::string&>();
            v.templates.emplace_back(called == "default" ? "" : called, text->get<std::string>());
        }
    }

    void read_config_of_tokenizer() {
        const std::string path = place("tokenizer_config.json");
        if (!fs::exists(path)) return;
        const json all = safetensors::read_json(path, most_config);
        if (!all.is_object()) throw error(path, "is not a JSON object");
        if (const json* list = find(all, "added_tokens_decoder"); list != nullptr)
            read_decoder(*list, path);
        read_special(all, "bos_token", v.bos, path);
        read_special(all, "eos_token", v.eos, path);
        read_special(all, "unk_token", v.unknown_id, path);
        read_special(all, "pad_token", v.padding, path);
        fields f(all, path);
        if (const auto add = f.flag("add_bos_token")) v.add_bos = add;
        if (const auto add = f.flag("add_eos_token")) v.add_eos = add;
        if (const auto add = f.flag("add_prefix_space"); add && v.model != "gpt2")
            v.add_space_prefix = add;
        if (const json* text = find(all, "chat_template"); text != nullptr)
            read_templates(*text, path);
    }

    // Newer folders have it in a file of its own, which then counts.
    void read_jinja() {
        const std::string path = place("chat_template.jinja");
        if (!fs::exists(path)) return;
        std::ifstream in(path, std::ios::binary);
        if (!in) throw error(path, "cannot be opened");
        std::erase_if(v.templates, [](const auto& t) { return t.first.empty(); });
        v.templates.emplace_back("", support::read_all(in, path));
    }

    // What stands behind each text need not be what ends an answer: models of vectors have both.
    void keep_added_end(std::int64_t added) {
        if (added < 0 || v.eos == added || !v.add_eos.value_or(false)) return;
        v.end_of_turn = v.eos;
        v.eos = added;
    }

    void settle_ends() {
        std::vector<std::int64_t> ends = c.ends;
        const std::string path = place("generation_config.json");
        if (fs::exists(path)) {
            const json all = safetensors::read_json(path, most_config);
            const json* said = all.is_object() ? find(all, "eos_token_id") : nullptr;
            if (said != nullptr)
                for (const json& id : said->is_array() ? *said : json::array({*said})) {
                    if (!id.is_number_integer())
                        throw error(path, "has an eos_token_id that is no token");
                    ends.push_back(id.get<std::int64_t>());
                }
        }
        if (v.eos < 0 && !ends.empty()) v.eos = ends.front();
        for (const std::int64_t id : ends)
            if (id != v.eos && v.end_of_turn < 0) v.end_of_turn = id;
    }

    void check() const {
        for (const std::int64_t id : {v.bos, v.eos, v.unknown_id, v.padding, v.end_of_turn})
            if (id >= c.vocab)
                throw error(folder.string(), "names token " + std::to_string(id) +
                                                 " as a special one; the model has " +
                                                 std::to_string(c.vocab));
        if ((v.add_bos.value_or(false) && v.bos < 0) || (v.add_eos.value_or(false) && v.eos < 0))
            throw error(folder.string(), "wants a begin or end token added and does not say which");
    }

public:
    assembler(const std::string& where, const config& of) : folder(where), c(of) {}

    vocabulary read() {
        const std::string own = place("tokenizer.json"), pieces = place("tokenizer.model");
        if (fs::exists(own)) v = read_tokenizer_json(safetensors::read_json(own), own, c.vocab);
        // Pieces have scores of their own in the one, which the other can only retell.
        if (fs::exists(pieces) && v.model != "gpt2") {
            const support::mapped_file file(pieces);
            vocabulary better = read_sentencepiece(file.bytes(), pieces, c.vocab);
            better.strip_left = v.strip_left;
            better.strip_right = v.strip_right;
            if (!v.model.empty() && better.model == "t5") {
                better.add_bos = v.add_bos;
                better.add_eos = v.add_eos;
            }
            for (std::size_t id = better.tokens.size(); id < v.tokens.size(); ++id)
                if (v.kinds[id] != vocabulary::unused)
                    better.put(static_cast<std::int64_t>(id), v.tokens[id],
                               static_cast<vocabulary::kind>(v.kinds[id]), c.vocab, pieces);
            v = std::move(better);
            file.require_whole();
        } else if (v.model.empty()) {
            throw error(folder.string(), "has neither tokenizer.json nor tokenizer.model");
        }
        read_added();
        const std::int64_t added = v.add_eos.value_or(false) ? v.eos : -1;
        read_config_of_tokenizer();
        keep_added_end(added);
        read_jinja();
        if (v.bos < 0) v.bos = c.bos;
        if (v.padding < 0) v.padding = c.pad;
        settle_ends();
        // Rows of the embedding that no text becomes.
        while (std::ssize(v.tokens) < c.vocab) {
            const std::int64_t id = std::ssize(v.tokens);
            v.put(id, "[PAD" + std::to_string(id) + "]", vocabulary::unused, c.vocab, own);
        }
        if (v.model != "gpt2") v.scores.resize(v.tokens.size(), 0.0f);
        check();
        return std::move(v);
    }
};

}  // namespace

void vocabulary::put(std::int64_t id, const std::string& text, kind what, std::int64_t most,
                     const std::string& file) {
    if (id < 0 || id >= most)
        throw error(file, "gives token " + gguf::quoted(text) + " the number " +
                              std::to_string(id) + ", and the model has " + std::to_string(most) +
                              " tokens");
    for (std::int64_t hole = std::ssize(tokens); hole <= id; ++hole) {
        tokens.push_back("[PAD" + std::to_string(hole) + "]");
        kinds.push_back(unused);
    }
    const auto at = static_cast<std::size_t>(id);
    if (kinds[at] != unused && tokens[at] != text)
        throw error(file, "gives the number " + std::to_string(id) + " to " + gguf::quoted(text) +
                              " and to " + gguf::quoted(tokens[at]));
    tokens[at] = text;
    // What is known of a piece stays known: <unk> is listed among the special ones too.
    if (kinds[at] == unused || kinds[at] == normal || kinds[at] == user_defined) kinds[at] = what;
}

std::int64_t vocabulary::find(const std::string& text) const noexcept {
    const auto at = std::find(tokens.begin(), tokens.end(), text);
    return at == tokens.end() ? -1 : at - tokens.begin();
}

void vocabulary::note_habits(std::int64_t id, const json& added, const std::string& file) {
    const auto is = [&](const char* name) {
        const json* value = added.is_object() ? safetensors::find(added, name) : nullptr;
        return value != nullptr && value->is_boolean() && value->get<bool>();
    };
    if (is("single_word"))
        throw error(file, "has token " + std::to_string(id) +
                              " only as a whole word, which is not known here");
    const auto note = [id](std::vector<std::int32_t>& list) {
        const auto number = static_cast<std::int32_t>(id);
        if (std::find(list.begin(), list.end(), number) == list.end()) list.push_back(number);
    };
    if (is("lstrip")) note(strip_left);
    if (is("rstrip")) note(strip_right);
}

vocabulary read_vocabulary(const std::string& folder, const config& c) {
    return assembler(folder, c).read();
}

void write_vocabulary(gguf::writer& out, const vocabulary& v) {
    const auto key = [](const char* name) { return "tokenizer.ggml." + std::string(name); };
    out.set(key("model"), v.model);
    out.set(key("pre"), v.pre);
    out.set_array(key("tokens"), std::span<const std::string>(v.tokens));
    if (!v.scores.empty()) out.set_array(key("scores"), std::span<const float>(v.scores));
    out.set_array(key("token_type"), std::span<const std::int32_t>(v.kinds));
    if (v.model == "gpt2") out.set_array(key("merges"), std::span<const std::string>(v.merges));
    if (!v.character_map.empty()) {
        const auto* bytes = reinterpret_cast<const std::uint8_t*>(v.character_map.data());
        out.set_array(key("precompiled_charsmap"), std::span(bytes, v.character_map.size()));
    }
    // GGUF has no keys for these; llama.cpp leaves them out.
    if (!v.strip_left.empty())
        out.set_array(gguf::strip_left_key, std::span<const std::int32_t>(v.strip_left));
    if (!v.strip_right.empty())
        out.set_array(gguf::strip_right_key, std::span<const std::int32_t>(v.strip_right));
    const auto token = [&](const char* name, std::int64_t id) {
        if (id >= 0) out.set(key(name), static_cast<std::uint32_t>(id));
    };
    token("bos_token_id", v.bos);
    token("eos_token_id", v.eos);
    token("eot_token_id", v.end_of_turn);
    token("unknown_token_id", v.unknown_id);
    token("padding_token_id", v.padding);
    const auto flag = [&](const char* name, const std::optional<bool>& value) {
        if (value) out.set(key(name), *value);
    };
    flag("add_bos_token", v.add_bos);
    flag("add_eos_token", v.add_eos);
    flag("add_space_prefix", v.add_space_prefix);
    flag("remove_extra_whitespaces", v.remove_extra_whitespaces);
    for (const auto& [name, text] : v.templates)
        out.set("tokenizer.chat_template" + (name.empty() ? "" : "." + name), text);
}

}  // namespace tbx::huggingface
