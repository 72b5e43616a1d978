// SPDX-License-Identifier: MIT
// Room examples/runner. Enters: names. Leaves: targets; see targets.hpp.
#include "runner/targets.hpp"

#include <array>
#include <string_view>

#include "gguf/types.hpp"

namespace tbx::runner {
namespace {

using gguf::tensor_type;

struct named_type {
    tensor_type type;
    std::uint32_t file_type;
};
// Those that can be written here.
constexpr std::array types{
    named_type{tensor_type::f32, 0},    named_type{tensor_type::f16, 1},
    named_type{tensor_type::bf16, 32},  named_type{tensor_type::q8_0, 7},
    named_type{tensor_type::tq1_0, 36}, named_type{tensor_type::tq2_0, 37},
    named_type{tensor_type::q1_0, 27},  named_type{tensor_type::q2_0, 28},
    named_type{tensor_type::i2_s, 40}};

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

std::string target_names() {
    std::string names;
    for (const named_type& t : types) names += gguf::name_of(t.type) + ", ";
    names += std::string(packed) + " (images that are mapped, in the layout that fits)";
    trilobit::any_type(trilobit::layouts{}, [&]<class L>() {
        names += ", " + std::string(packed) + ":" + std::string(L::name);
        return false;
    });
    return names;
}

std::string check_target(const std::string& name) {
    for (const named_type& t : types)
        if (gguf::name_of(t.type) == name) return {};
    if (name == packed) return {};
    if (name.starts_with(std::string(packed) + ":") && find_layout(name.substr(packed.size() + 1)))
        return {};
    return "'" + name + "' is none of " + target_names();
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
    for (const named_type& each : types)
        if (gguf::name_of(each.type) == name) t.type = each.type;
    t.levels = formats::find(name);
    t.dense = formats::find_dense(name);
    return t;
}

std::optional<std::uint32_t> file_type_of(const conversion::target& of) {
    if (of.packed) return std::nullopt;
    for (const named_type& each : types)
        if (each.type == of.type) return each.file_type;
    return std::nullopt;
}

bool gguf_of_bitnet(const conversion::target& of) { return of.type == tensor_type::i2_s; }

}  // namespace tbx::runner
