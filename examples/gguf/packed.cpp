// SPDX-License-Identifier: MIT
// Room gguf. Enters: tensors. Leaves: packed views into them; see packed.hpp.
#include "gguf/packed.hpp"

#include <algorithm>
#include <string>

#include <trilobit/pack/header.hpp>

#include "gguf/layer.hpp"

namespace tbx::gguf {

bool is_linear(std::string_view name) {
    if (!name.starts_with("blk.")) return false;
    name.remove_prefix(4);
    const std::size_t digits = name.find_first_not_of("0123456789");
    if (digits == 0 || digits == name.npos) return false;
    name.remove_prefix(digits);
    bool found = false;
    const auto look = [&](const layer_tensor& t) {
        found |= !t.is_vector && !t.is_router && name == "." + std::string(t.name) + ".weight";
    };
    each_tensor({}, look);
    each_tensor({.experts = 1}, look);
    return found;
}

bool has_images(const reader& file) {
    if (!file.has(packed_key)) return false;
    if (const auto version = file.get<std::uint32_t>(packed_key);
        version != TRILOBIT_PACKED_VERSION)
        file.fail("holds packed weights of version " + std::to_string(version) +
                  ", and this program has version " + std::to_string(TRILOBIT_PACKED_VERSION) +
                  ": convert its source again");
    return true;
}

std::optional<trilobit::packed_view> packed_image(const reader& file, const tensor& t, bool whole) {
    const auto all =
        t.dimensions == 1 ? packed_images(file, t, whole) : std::vector<trilobit::packed_view>();
    return all.empty() ? std::nullopt : std::optional(all.front());
}

std::vector<trilobit::packed_view> packed_images(const reader& file, const tensor& t, bool whole) {
    std::vector<trilobit::packed_view> all;
    if (t.type != tensor_type::i8 || t.dimensions > 2 || !is_linear(t.name) || !has_images(file))
        return all;
    const auto fail = [&](const char* what) {
        file.fail("tensor '" + std::string(t.name) + "': " + what);
    };
    const auto bytes = static_cast<std::size_t>(t.columns());
    for (std::size_t at = 0; at < t.data.size(); at += bytes) {
        const auto view =
            trilobit::view_packed(t.data.subspan(at, bytes),
                                  whole ? trilobit::verify::everything : trilobit::verify::header);
        if (!view.ok()) fail(view.error().text);
        const trilobit::packed_view& v = all.emplace_back(view.value());
        const trilobit::packed_view& first = all.front();
        if (v.rows != first.rows || v.cols != first.cols || v.layout != first.layout ||
            v.scale.per != first.scale.per || v.scale.group_cols != first.scale.group_cols ||
            v.scale.type != first.scale.type)
            fail("its packed matrices differ in shape, layout or kind of scales");
    }
    return all;
}

}  // namespace tbx::gguf
