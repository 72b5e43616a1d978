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
    each_tensor({}, [&](const layer_tensor& t) {
        found |= !t.is_vector && name == "." + std::string(t.name) + ".weight";
    });
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
    if (t.type != tensor_type::i8 || t.dimensions != 1 || !is_linear(t.name) || !has_images(file))
        return std::nullopt;
    const auto view = trilobit::view_packed(t.data, whole ? trilobit::verify::everything
                                                          : trilobit::verify::header);
    if (!view.ok()) file.fail("tensor '" + std::string(t.name) + "': " + view.error().text);
    return view.value();
}

}  // namespace tbx::gguf
