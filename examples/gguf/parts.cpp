// SPDX-License-Identifier: MIT
// Room gguf. Enters: a path, perhaps of one part of a model that is spread over several files.
// Leaves: a reader of the whole: the metadata of the first part and the tensors of all.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <utility>

#include "gguf/quoted.hpp"
#include "gguf/reader.hpp"

namespace tbx::gguf {

namespace {

constexpr std::string_view number_key = "split.no", count_key = "split.count",
                           tensors_key = "split.tensors.count";
constexpr int most_parts = 99999;  // what five digits of a name can say

// "-00002-of-00003.gguf": names count from 1, metadata from 0.
std::string ending_of(int number, int count) {
    char text[64];
    (void)std::snprintf(text, sizeof text, "-%05d-of-%05d.gguf", number + 1, count);
    return text;
}

std::string part_text(int number, int count) {
    return "part " + std::to_string(number + 1) + " of " + std::to_string(count);
}

bool same_value(const entry& a, const entry& b) noexcept {
    return a.type == b.type && a.element == b.element && a.count == b.count &&
           std::ranges::equal(a.bytes, b.bytes);
}

}  // namespace

reader::reader(std::string name, std::span<const std::byte> bytes, std::span<const read_as> told)
    : source(std::move(name)) {
    parse(bytes, told);
    if (const int count = get_or<int>(count_key, 1); count > 1)
        fail("is " + part_text(get_or<int>(number_key, 0), count) + " of a model");
    forget_parts();
}

reader::reader(std::string path, std::span<const read_as> told)
    : reader(std::move(path), told, alone{}) {
    const int count = std::max(get_or<int>(count_key, 1), 1), given = get_or<int>(number_key, 0);
    if (count > most_parts || given < 0 || given >= count)
        fail("claims to be " + part_text(given, count) + " of a model");
    if (count > 1 && !source.ends_with(ending_of(given, count)))
        fail("is " + part_text(given, count) +
             " of a model, and the others cannot be found, since " + "its name does not end in '" +
             ending_of(given, count) + "'");

    const std::string path_given = source;
    const std::string stem =
        source.substr(0, source.size() - (count > 1 ? ending_of(given, count).size() : 0));
    const auto open = [&](int number) {
        const std::string there = stem + ending_of(number, count);
        if (!std::filesystem::exists(there))
            throw error(path_given, "is " + part_text(given, count) + " of a model; " +
                                        part_text(number, count) + " is missing: " + there);
        return reader(there, told, alone{});
    };
    if (given > 0) *this = open(0);
    require_part(0, count, *this);
    for (int number = 1; number < count; ++number) {
        reader part = open(number);
        part.require_part(number, count, *this);
        add_part(std::move(part));
    }
    index_tensors();
    if (const auto all = get_or<std::int64_t>(tensors_key, std::ssize(all_tensors));
        all != std::ssize(all_tensors))
        fail("has " + std::to_string(all_tensors.size()) + " tensors in " + std::to_string(count) +
             " parts and says that there are " + std::to_string(all));
    forget_parts();
}

// Is this what lies under that number's name, and of the same model as the first part? Later parts
// repeat little of the metadata, but a key that they alone had would be ignored.
void reader::require_part(int number, int count, const reader& first) const {
    if (const int n = get_or<int>(number_key, 0), c = std::max(get_or<int>(count_key, 1), 1);
        n != number || c != count)
        fail("is " + part_text(n, c) + " of a model, not " + part_text(number, count));
    for (const entry& e : all_entries) {
        if (e.key == number_key || e.key == "general.alignment") continue;
        const entry* same = first.find(e.key);
        if (same == nullptr || !same_value(e, *same))
            fail("is no part of the model of " + first.source + ": metadata key " + quoted(e.key) +
                 " differs");
    }
}

void reader::add_part(reader&& part) {
    all_tensors.insert(all_tensors.end(), part.all_tensors.begin(), part.all_tensors.end());
    files.push_back(std::move(part.files.front()));
}

// A copy of the whole must not claim to be a part.
void reader::forget_parts() {
    std::erase_if(all_entries, [](const entry& e) { return e.key.starts_with("split."); });
    index_entries();
}

void reader::require_whole() const {
    for (const support::mapped_file& file : files) file.require_whole();
}

void reader::forget(const tensor& t) const noexcept {
    for (const support::mapped_file& file : files) {
        const auto bytes = file.bytes();
        if (t.data.data() >= bytes.data() && t.data.data() < bytes.data() + bytes.size())
            file.forget(t.data);
    }
}

}  // namespace tbx::gguf
