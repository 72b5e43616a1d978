// SPDX-License-Identifier: MIT
// Room safetensors. Enters: a folder. Leaves: its files, mapped and agreeing; see folder.hpp.
#include "safetensors/folder.hpp"

#include <filesystem>
#include <map>
#include <set>
#include <utility>

#include "gguf/quoted.hpp"
#include "safetensors/json.hpp"
#include "support/error.hpp"

namespace tbx::safetensors {

namespace {

constexpr std::size_t most_files = 10000;

// Of the folder itself: an index may not send us elsewhere.
bool is_plain_name(const std::string& name) {
    return name.ends_with(".safetensors") && name.find_first_of("/\\:") == name.npos &&
           name.find('\0') == name.npos && !name.starts_with('.');
}

}  // namespace

folder::folder(std::string where) : path(std::move(where)) {
    const std::filesystem::path at(path);
    const auto single = (at / "model.safetensors").string(),
               index = (at / "model.safetensors.index.json").string();
    if (std::filesystem::exists(single))
        files.emplace_back(single);
    else if (std::filesystem::exists(index))
        open_index(index);
    else
        throw error(path, "has neither model.safetensors nor model.safetensors.index.json");
}

void folder::open_index(const std::string& index) {
    const json all = read_json(index);
    const json* map = all.is_object() ? safetensors::find(all, "weight_map") : nullptr;
    if (map == nullptr || !map->is_object()) throw error(index, "has no weight_map");
    std::map<std::string, std::set<std::string>> wanted;  // tensors of each file
    for (const auto& [name, where] : map->items()) {
        if (!where.is_string() || !is_plain_name(where.get_ref<const std::string&>()))
            throw error(index, "says that tensor " + gguf::quoted(name) + " lies in " +
                                   shown(where) + ", which names no file of this folder");
        wanted[where.get<std::string>()].insert(name);
    }
    if (wanted.size() > most_files) throw error(index, "names too many files");
    for (const auto& [name, tensors] : wanted) {
        const auto where = (std::filesystem::path(path) / name).string();
        if (!std::filesystem::exists(where))
            throw error(index, "names the file " + gguf::quoted(name) + ", which is missing");
        const file& part = files.emplace_back(where);
        for (const std::string& t : tensors)
            if (part.find(t) == nullptr)
                throw error(where,
                            "lacks tensor " + gguf::quoted(t) + ", which the index puts here");
        for (const tensor& t : part.tensors())
            if (!tensors.contains(t.name))
                throw error(where, "has tensor " + gguf::quoted(t.name) +
                                       ", which the index does not put here");
    }
    if (files.empty()) throw error(index, "names no file");
}

const tensor* folder::find(std::string_view name) const noexcept {
    for (const file& f : files)
        if (const tensor* t = f.find(name); t != nullptr) return t;
    return nullptr;
}

void folder::require_whole() const {
    for (const file& f : files) f.require_whole();
}

void folder::forget(const tensor& t) const noexcept {
    for (const file& f : files) {
        if (f.find(t.name) != &t) continue;
        f.forget(t.data);
    }
}

}  // namespace tbx::safetensors
