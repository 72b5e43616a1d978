// SPDX-License-Identifier: MIT
// Room examples/runner. Enters: names. Leaves: targets; see targets.hpp.
#include "runner/targets.hpp"

#include <string_view>
#include <vector>

#include "gguf/types.hpp"

namespace tbx::runner {
namespace {

using gguf::tensor_type;

/// Those that can be written here, but for the ones that files tell from others by nothing.
std::vector<tensor_type> types() {
    std::vector<tensor_type> all = gguf::readable_types();
    std::erase_if(all, [](tensor_type type) {
        const formats::dense_format* numbers = gguf::numbers(type);
        return (numbers != nullptr && numbers->encode == nullptr) ||
               type == tensor_type::i2_s_arm || type == tensor_type::i2_s_1x4;
    });
    return all;
}

constexpr std::string_view packed = "packed";

std::optional<trilobit::layout_id> find_layout(std::string_view name) {
    std::optional<trilobit::layout_id> id;
    trilobit::any_type(trilobit::layouts{}, [&]<class L>() {
        if (L::name == name) id = L::id;
        return id.has_value();
    });
    return id;
}

}  // namespace

std::vector<std::string> number_names() {
    std::vector<std::string> names;
    for (const tensor_type type : types()) names.push_back(gguf::name_of(type));
    return names;
}

std::vector<std::string> target_names() {
    std::vector<std::string> names = number_names();
    names.emplace_back(packed);
    trilobit::any_type(trilobit::layouts{}, [&]<class L>() {
        names.push_back(std::string(packed) + ":" + std::string(L::name));
        return false;
    });
    return names;
}

conversion::target find_target(const std::string& name) {
    conversion::target t;
    t.name = name;
    if (name.starts_with(packed)) {
        t.packed = true;
        t.type = tensor_type::i8;
        if (name.size() > packed.size()) t.layout = find_layout(name.substr(packed.size() + 1));
        return t;
    }
    t.type = gguf::type_of_name(name).value_or(t.type);
    t.levels = gguf::few_levels(t.type);
    t.dense = gguf::numbers(t.type);
    return t;
}

std::optional<std::uint32_t> file_type_of(const conversion::target& of) {
    switch (of.type) {
        case tensor_type::f32:
            return 0;
        case tensor_type::f16:
            return 1;
        case tensor_type::q8_0:
            return 7;
        case tensor_type::bf16:
            return 32;
        case tensor_type::tq1_0:
            return 36;
        case tensor_type::tq2_0:
            return 37;
        case tensor_type::tl1:
            return 38;
        case tensor_type::tl2:
            return 39;
        case tensor_type::i2_s:
            return 40;
        case tensor_type::iq1_bn:
            return 136;
        case tensor_type::iq2_bn:
            return 137;
        case tensor_type::iq2_bn_r4:
            return 337;
        default:
            return std::nullopt;  // published files do not agree
    }
}

}  // namespace tbx::runner
