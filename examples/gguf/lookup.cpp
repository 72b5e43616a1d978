// SPDX-License-Identifier: MIT
// Room gguf. Enters: the entries and tensors of a file. Leaves: each of them by its name, which is
// there once.
#include <algorithm>
#include <numeric>
#include <optional>

#include "gguf/quoted.hpp"
#include "gguf/reader.hpp"

namespace tbx::gguf {

namespace {

// Sorted order instead of a hash table: no file can choose its keys so that look-ups slow down.
template <class Item, class Name>
std::vector<std::uint32_t> sorted_by(const std::vector<Item>& items, Name name) {
    std::vector<std::uint32_t> order(items.size());
    std::iota(order.begin(), order.end(), 0u);
    std::sort(order.begin(), order.end(),
              [&](auto a, auto b) { return name(items[a]) < name(items[b]); });
    return order;
}

template <class Item, class Name>
const Item* binary_find(const std::vector<Item>& items, const std::vector<std::uint32_t>& order,
                        Name name, std::string_view wanted) noexcept {
    const auto found = std::lower_bound(
        order.begin(), order.end(), wanted,
        [&](std::uint32_t index, std::string_view text) { return name(items[index]) < text; });
    if (found == order.end() || name(items[*found]) != wanted) return nullptr;
    return &items[*found];
}

template <class Item, class Name>
std::optional<std::string_view> duplicate(const std::vector<Item>& items,
                                          const std::vector<std::uint32_t>& order, Name name) {
    const auto twin = std::adjacent_find(order.begin(), order.end(), [&](auto a, auto b) {
        return name(items[a]) == name(items[b]);
    });
    if (twin == order.end()) return std::nullopt;
    return name(items[*twin]);
}

constexpr auto key_of = [](const entry& e) { return e.key; };
constexpr auto name_of_tensor = [](const tensor& t) { return t.name; };

}  // namespace

void reader::index_tensors() {
    tensors_by_name = sorted_by(all_tensors, name_of_tensor);
    if (const auto twice = duplicate(all_tensors, tensors_by_name, name_of_tensor)) {
        fail("has tensor " + quoted(*twice) + " twice");
    }
}

void reader::index_entries() {
    entries_by_key = sorted_by(all_entries, key_of);
    if (const auto twice = duplicate(all_entries, entries_by_key, key_of)) {
        fail("has metadata key " + quoted(*twice) + " twice");
    }
}

const entry* reader::find(std::string_view key) const noexcept {
    return binary_find(all_entries, entries_by_key, key_of, key);
}

const tensor* reader::find_tensor(std::string_view name) const noexcept {
    return binary_find(all_tensors, tensors_by_name, name_of_tensor, name);
}

const entry& reader::require(std::string_view key) const {
    const entry* e = find(key);
    if (e == nullptr) fail("lacks metadata key " + quoted(key));
    return *e;
}

const tensor& reader::require_tensor(std::string_view name) const {
    const tensor* t = find_tensor(name);
    if (t == nullptr) fail("lacks tensor " + quoted(name));
    return *t;
}

}  // namespace tbx::gguf
