// SPDX-License-Identifier: MIT
// Room huggingface. Enters: a tokenizer.json with a unigram model. Leaves: a vocabulary; see
// unigram_json.hpp. What transformers makes of a SentencePiece model is undone here.
#include "huggingface/unigram_json.hpp"

#include <string_view>
#include <vector>

#include "gguf/quoted.hpp"
#include "support/error.hpp"
#include "support/finite.hpp"

namespace tbx::huggingface {

namespace {

using safetensors::find;
using safetensors::json;

std::string base64(std::string_view text, const std::string& path) {
    constexpr std::string_view digits =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    while (text.ends_with('=')) text.remove_suffix(1);
    std::string bytes;
    unsigned held = 0, bits = 0;
    for (const char c : text) {
        const std::size_t digit = digits.find(c);
        if (digit == digits.npos) throw error(path, "has a precompiled_charsmap that is no base64");
        held = (held << 6 | static_cast<unsigned>(digit)) & 0xffffu;
        bits += 6;
        if (bits < 8) continue;
        bits -= 8;
        bytes += static_cast<char>(held >> bits & 255u);
    }
    return bytes;
}

std::string type_of(const json& step) {
    const json* type = step.is_object() ? find(step, "type") : nullptr;
    return type != nullptr && type->is_string() ? type->get<std::string>() : std::string();
}

// The steps of a Sequence, or the one that there is.
std::vector<const json*> steps_of(const json& all, const char* key, const char* list) {
    const json* first = find(all, key);
    if (first == nullptr || first->is_null()) return {};
    if (type_of(*first) != "Sequence") return {first};
    std::vector<const json*> steps;
    if (const json* inner = find(*first, list); inner != nullptr && inner->is_array())
        for (const json& step : *inner) steps.push_back(&step);
    return steps;
}

bool says(const json& step, const char* key, const json& value) {
    const json* found = find(step, key);
    return found != nullptr && *found == value;
}

// Spaces become visible, or several of them one.
bool replaces_spaces(const json& step, vocabulary& v) {
    const json* pattern = find(step, "pattern");
    if (pattern == nullptr || !pattern->is_object()) return false;
    const bool visible = says(step, "content", visible_space);
    if (says(*pattern, "String", " ")) return visible;
    if (!says(*pattern, "Regex", " {2,}") || !(visible || says(step, "content", " "))) return false;
    v.remove_extra_whitespaces = true;
    return true;
}

}  // namespace

void read_unigram_pieces(vocabulary& v, const json& model, const std::string& path,
                         std::int64_t most) {
    v.model = "t5";
    v.pre = "default";
    const json* pieces = find(model, "vocab");
    if (pieces == nullptr || !pieces->is_array()) throw error(path, "has a model without vocab");
    const bool bytes = says(model, "byte_fallback", true);
    for (const json& each : *pieces) {
        if (!each.is_array() || each.size() != 2 || !each[0].is_string() || !each[1].is_number() ||
            !support::is_finite(each[1].get<float>()))
            throw error(path, "has a piece without text or score");
        const auto text = each[0].get<std::string>();
        const bool byte = bytes && text.size() == 6 && text.starts_with("<0x") && text[5] == '>';
        v.put(std::ssize(v.tokens), text, byte ? vocabulary::byte : vocabulary::normal, most, path);
        v.scores.push_back(each[1].get<float>());
    }
    const json* unknown = find(model, "unk_id");
    if (unknown == nullptr || unknown->is_null()) return;
    if (!unknown->is_number_integer() || *unknown < 0 || *unknown >= v.tokens.size())
        throw error(path, "has an unk_id that is no piece");
    v.unknown_id = unknown->get<std::int64_t>();
    v.kinds[static_cast<std::size_t>(v.unknown_id)] = vocabulary::unknown;
}

void read_unigram_spaces(vocabulary& v, const json& all, const std::string& path) {
    v.add_space_prefix = v.remove_extra_whitespaces = false;
    bool stripped = false;
    const auto refuse = [&](const json& step, const char* what) {
        throw error(path, "has a " + std::string(what) + " of type " + gguf::quoted(type_of(step)) +
                              ", which is not known here beside unigrams");
    };
    for (const json* step : steps_of(all, "normalizer", "normalizers")) {
        const std::string type = type_of(*step);
        if (type == "Precompiled") {
            const json* map = find(*step, "precompiled_charsmap");
            if (map == nullptr || !map->is_string() || !v.character_map.empty())
                refuse(*step, "normalizer");
            v.character_map = base64(map->get_ref<const std::string&>(), path);
        } else if (type == "Prepend" && says(*step, "prepend", visible_space)) {
            v.add_space_prefix = true;
        } else if (type == "Strip") {
            stripped = true;
        } else if (type != "Replace" || !replaces_spaces(*step, v)) {
            refuse(*step, "normalizer");
        }
    }
    for (const json* step : steps_of(all, "pre_tokenizer", "pretokenizers")) {
        const std::string type = type_of(*step);
        if (type == "WhitespaceSplit") {
            v.remove_extra_whitespaces = true;
        } else if (type == "Metaspace" && says(*step, "replacement", visible_space)) {
            v.add_space_prefix =
                !says(*step, "prepend_scheme", "never") && !says(*step, "add_prefix_space", false);
        } else {
            refuse(*step, "pre_tokenizer");
        }
    }
    if (stripped && !*v.remove_extra_whitespaces)
        throw error(path, "strips spaces at the ends alone, which is not known here");
}

}  // namespace tbx::huggingface
