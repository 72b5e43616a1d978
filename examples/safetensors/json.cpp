// SPDX-License-Identifier: MIT
// Room safetensors. Enters: JSON. Leaves: a checked value; see json.hpp.
#include "safetensors/json.hpp"

#include <algorithm>
#include <set>
#include <vector>

#include "gguf/quoted.hpp"
#include "support/error.hpp"
#include "support/mapped_file.hpp"

namespace tbx::safetensors {

namespace {

constexpr int deepest = 64;  // a tokenizer's processors nest ten deep

}  // namespace

json parse_json(std::string_view text, const std::string& name) {
    std::vector<std::set<std::string, std::less<>>> keys;
    const auto check = [&](int depth, json::parse_event_t event, json& parsed) {
        if (depth > deepest) throw error(name, "its JSON nests too deep");
        switch (event) {
            case json::parse_event_t::object_start:
                keys.emplace_back();
                break;
            case json::parse_event_t::object_end:
                keys.pop_back();
                break;
            case json::parse_event_t::key: {
                const auto& key = parsed.get_ref<const std::string&>();
                if (!keys.back().insert(key).second)
                    throw error(name, "its JSON has the key " + gguf::quoted(key) + " twice");
                break;
            }
            default:
                break;
        }
        return true;
    };
    try {
        return json::parse(text.begin(), text.end(), check);
    } catch (const json::parse_error& e) {
        throw error(name, "is not JSON: there is a fault at byte " + std::to_string(e.byte));
    } catch (const json::exception&) {
        throw error(name, "is not JSON: it holds a number that is too large");
    }
}

json read_json(const std::string& path, std::uint64_t most) {
    const support::mapped_file file(path);
    if (file.bytes().size() > most)
        throw error(path, "has more than " + std::to_string(most) + " bytes");
    json all =
        parse_json({reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size()}, path);
    file.require_whole();
    return all;
}

const json* find(const json& from, const char* key) noexcept {
    const auto at = from.find(key);
    return at == from.end() || at->is_null() ? nullptr : &*at;
}

std::string shown(const json& value) {
    if (value.is_object()) return "an object";
    if (value.is_array()) return "a list of " + std::to_string(value.size());
    if (value.is_string()) return gguf::quoted(value.get_ref<const std::string&>());
    return value.dump();
}

}  // namespace tbx::safetensors
