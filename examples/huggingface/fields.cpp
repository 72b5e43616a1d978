// SPDX-License-Identifier: MIT
// Room huggingface. Enters: an object of JSON. Leaves: its fields; see fields.hpp.
#include "huggingface/fields.hpp"

#include <cmath>
#include <utility>

#include "gguf/quoted.hpp"
#include "support/error.hpp"

namespace tbx::huggingface {

namespace {

bool is_nothing(const json& value) {
    if (value.is_null()) return true;
    if (value.is_boolean()) return !value.get<bool>();
    if (value.is_number()) return value.get<double>() == 0;
    if (value.is_string()) return value.get_ref<const std::string&>().empty();
    return value.empty();
}

}  // namespace

fields::fields(const json& object, std::string path, std::string inside)
    : from(&object),
      file(std::move(path)),
      prefix(inside.empty() ? std::string() : std::move(inside) + ".") {
    if (object.is_object()) return;
    throw error(file, prefix.empty()
                          ? "is not a JSON object"
                          : "field " + gguf::quoted(prefix.substr(0, prefix.size() - 1)) +
                                " is not an object");
}

void fields::refuse(const char* name, const std::string& what) const {
    throw error(file, "field " + gguf::quoted(prefix + name) + " " + what);
}

void fields::wrong(const char* name, const json& value, const char* wanted) const {
    refuse(name, "is " + safetensors::shown(value) + ", not " + wanted);
}

const json* fields::find(const char* name) {
    known.insert(name);
    return safetensors::find(*from, name);
}

std::optional<std::int64_t> fields::integer(const char* name, std::int64_t least,
                                            std::int64_t most) {
    const json* value = find(name);
    if (value == nullptr) return std::nullopt;
    if (!value->is_number_integer()) wrong(name, *value, "a whole number");
    const bool large = value->is_number_unsigned() &&
                       value->get<std::uint64_t>() > static_cast<std::uint64_t>(most);
    if (large || value->get<std::int64_t>() < least || value->get<std::int64_t>() > most)
        refuse(name, "is " + value->dump() + ", not in " + std::to_string(least) + ".." +
                         std::to_string(most));
    return value->get<std::int64_t>();
}

std::optional<double> fields::number(const char* name) {
    const json* value = find(name);
    if (value == nullptr) return std::nullopt;
    if (!value->is_number() || !std::isfinite(value->get<double>()))
        wrong(name, *value, "a number");
    return value->get<double>();
}

std::optional<bool> fields::flag(const char* name) {
    const json* value = find(name);
    if (value == nullptr) return std::nullopt;
    if (!value->is_boolean()) wrong(name, *value, "true or false");
    return value->get<bool>();
}

std::optional<std::string> fields::text(const char* name) {
    const json* value = find(name);
    if (value == nullptr) return std::nullopt;
    if (!value->is_string()) wrong(name, *value, "a text");
    return value->get<std::string>();
}

std::int64_t fields::required(const char* name, std::int64_t least, std::int64_t most) {
    const auto value = integer(name, least, most);
    if (!value) refuse(name, "is missing");
    return *value;
}

void fields::refuse_others() const {
    for (const auto& [name, value] : from->items())
        if (!known.contains(name) && !is_nothing(value))
            throw error(file, "field " + gguf::quoted(prefix + name) + " is " +
                                  safetensors::shown(value) +
                                  ": it may change what the model computes, and this program does "
                                  "not know it");
}

}  // namespace tbx::huggingface
