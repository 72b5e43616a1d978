// SPDX-License-Identifier: MIT
// Room examples/model. Enters: keys. Leaves: rotations; see rotations.hpp.
#include "model/rotations.hpp"

#include <bit>

#include "gguf/packed.hpp"

namespace tbx::model {
namespace {

constexpr const char* embedding_name = "token_embd.weight";

std::string key_of(const char* name) { return std::string("prism.hadamard.") + name; }

void require_text(const gguf::reader& file, const char* name, std::string_view wanted) {
    if (const auto said = file.get<std::string>(key_of(name)); said != wanted)
        file.fail(key_of(name) + " is '" + said + "'; this program knows '" + std::string(wanted) +
                  "'");
}

}  // namespace

rotations::rotations(const gguf::reader& file) {
    bool any = false;
    for (const gguf::entry& e : file.entries()) any |= e.key.starts_with("prism.hadamard.");
    if (!any) return;
    const auto version = file.get<std::int64_t>(key_of("version"));
    tied = file.get_or(key_of("tied_output"), false);
    if ((version != 1 && version != 2) || (version == 2) != tied)
        file.fail(key_of("version") + " is " + std::to_string(version) + " and tied_output " +
                  (tied ? "true" : "false") + "; this program knows 1 without and 2 with it");
    if (tied && file.find_tensor("output.weight") != nullptr)
        file.fail(key_of("tied_output") + " is true, and there is an output.weight");
    require_text(file, "transform", "normalized-sylvester-walsh-hadamard");
    require_text(file, "axis", "input-last-dimension");
    block = file.get<std::int64_t>(key_of("block_size"));
    if (block < 1 || block > 1 << 20 || !std::has_single_bit(static_cast<std::uint64_t>(block)))
        file.fail(key_of("block_size") + " is " + std::to_string(block) +
                  ", which is no power of two");
    read_signs(file);
    read_names(file);
}

void rotations::read_signs(const gguf::reader& file) {
    const auto mode = file.get<std::string>(key_of("sign_mode"));
    explicit_signs = mode == "explicit";
    if (mode == "identity") return;
    if (!explicit_signs)
        file.fail(key_of("sign_mode") + " is '" + mode +
                  "'; this program knows 'identity' and 'explicit'");
    const std::string widths_key = key_of("sign_widths"), values_key = key_of("sign_values");
    const gguf::entry *widths = file.find(widths_key), *values = file.find(values_key);
    if (widths == nullptr || values == nullptr || widths->type != gguf::value_type::array ||
        values->type != gguf::value_type::array)
        file.fail(widths_key + " or " + values_key + " is missing, or no list");
    std::uint64_t at = 0;
    for (std::uint64_t i = 0; i < widths->count; ++i) {
        const auto width = file.value<std::int64_t>(gguf::element_of(*widths, i));
        if (width < 1 || static_cast<std::uint64_t>(width) > values->count - at ||
            of_width.contains(width))
            file.fail(widths_key + " does not fit " + values_key);
        rotation& r = of_width[width];
        r.block = block;
        for (std::int64_t c = 0; c < width; ++c) {
            const auto sign = file.value<std::int64_t>(gguf::element_of(*values, at++));
            if (sign != 1 && sign != -1)
                file.fail(values_key + " holds other numbers than 1 and -1");
            r.signs.push_back(static_cast<float>(sign));
        }
    }
    if (at != values->count) file.fail(widths_key + " does not fit " + values_key);
}

// The rotation of a tensor's columns, or of a packed image's.
const rotation* rotations::required(const gguf::reader& file, const std::string& name) {
    const gguf::tensor& t = file.require_tensor(name);
    const auto images = gguf::packed_images(file, t);
    const std::int64_t cols = images.empty() ? t.columns() : images[0].cols;
    if (cols % block != 0)
        file.fail(name + ": it has " + std::to_string(cols) + " columns, no multiple of " +
                  key_of("block_size"));
    if (explicit_signs && !of_width.contains(cols))
        file.fail(name + ": there are no signs for its " + std::to_string(cols) + " columns");
    rotation& r = of_width[cols];
    r.block = block;
    return &r;
}

void rotations::read_names(const gguf::reader& file) {
    for (const std::string_view said : file.strings(key_of("weight_names"))) {
        const std::string name(said);
        if (!gguf::is_linear(name) && name != "output.weight")
            file.fail(key_of("weight_names") + " names " + name + ", which no product reads");
        of_input[name] = required(file, name);
    }
    if (const std::string key = key_of("inverse_weight_names"); file.has(key))
        for (const std::string_view name : file.strings(key)) {
            if (name != embedding_name)
                file.fail(key + " names " + std::string(name) + ", which is no table");
            of_table = required(file, embedding_name);
        }
    if (tied && of_table == nullptr)
        file.fail(key_of("tied_output") + " is true, and no table is rotated");
    if (const std::string key = key_of("gdn_v_grouped"); file.has(key)) {
        const gguf::entry& e = *file.find(key);
        if (e.type == gguf::value_type::array ? e.count > 0 : file.get<bool>(key))
            file.fail(key + " asks for layers that are not known here");
    }
}

}  // namespace tbx::model
