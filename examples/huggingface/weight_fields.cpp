// SPDX-License-Identifier: MIT
// Room huggingface. Enters: config.json. Leaves: how weights lie; see weight_fields.hpp.
#include "huggingface/weight_fields.hpp"

#include <string>

#include "gguf/quoted.hpp"

namespace tbx::huggingface {

namespace {

// What a maintainer of Humming gives as its own format, in issue 4 of inclusionAI/humming.
void read_words(fields f, config& c) {
    c.weights = weight_rule::words;
    if (const auto type = f.text("dtype").value_or(""); type != "int2")
        f.refuse("dtype", "is " + gguf::quoted(type) + "; of this method's only 'int2' is known");
    c.bits = 2;
    c.group = static_cast<int>(f.integer("group_size", 0, most_width).value_or(0));
    f.ignore("scale_dtype");
    f.refuse_others();
}

void read_bitnet(fields f, config& c) {
    const auto method = f.text("quant_method").value_or("");
    if (method != "bitnet")
        f.refuse("quant_method",
                 "is " + gguf::quoted(method) + "; only 'bitnet' and 'humming' are known");
    const auto linear = f.text("linear_class").value_or("bitlinear");
    const auto mode = f.text("quantization_mode").value_or("offline");
    if (const json* list = f.find("modules_to_not_convert"); list != nullptr) {
        for (const json& name : *list) {
            if (!name.is_string()) f.refuse("modules_to_not_convert", "is no list of names");
            c.unconverted.push_back(name.get<std::string>());
        }
    }
    f.ignore("rms_norm_eps");
    if (f.flag("use_rms_norm").value_or(false))
        f.refuse("use_rms_norm", "is true: norms before each linear layer are not known here");
    if (linear == "bitlinear" && mode == "offline")
        c.weights = weight_rule::packed_divide;
    else if (linear == "autobitlinear" && mode == "offline")
        c.weights = weight_rule::packed_multiply;
    else if (linear == "autobitlinear" && mode == "online")
        c.weights = weight_rule::absmean;
    else
        f.refuse("linear_class", "is " + gguf::quoted(linear) + " with quantization_mode " +
                                     gguf::quoted(mode) + ", which is not known here");
    f.refuse_others();
}

void read_affine(fields f, config& c) {
    c.weights = weight_rule::affine;
    c.bits = static_cast<int>(f.required("bits", 1, 8));
    c.group = static_cast<int>(f.required("group_size", 32, 256));
    if (c.bits != 1 && c.bits != 2 && c.bits != 4 && c.bits != 8)
        f.refuse("bits", "is " + std::to_string(c.bits) + ", which does not divide a word");
    if (f.text("mode").value_or("affine") != "affine")
        f.refuse("mode", "is not 'affine', the only one known");
    f.refuse_others();
}

}  // namespace

void read_weights(fields& f, config& c) {
    // MLX writes the same twice.
    const json *mlx = f.find("quantization"), *quantised = f.find("quantization_config");
    if (mlx != nullptr) {
        if (quantised != nullptr && *quantised != *mlx)
            f.refuse("quantization_config", "and 'quantization' differ");
        return read_affine({*mlx, f.path(), "quantization"}, c);
    }
    const auto weight_bits = f.integer("weight_bits", 1, 64),
               input_bits = f.integer("input_bits", 1, 64);
    if (quantised != nullptr) {
        fields how(*quantised, f.path(), "quantization_config");
        return how.text("quant_method") == "humming" ? read_words(how, c) : read_bitnet(how, c);
    }
    if (c.architecture != "BitnetForCausalLM") {
        if (weight_bits || input_bits)
            f.refuse("weight_bits", "is set, and the class is not BitnetForCausalLM");
        return;
    }
    if (weight_bits.value_or(1) != 1 || input_bits.value_or(8) != 8)
        f.refuse("weight_bits", "and input_bits are not 1 and 8, the only ones known");
    c.weights = weight_rule::absmean;
}

}  // namespace tbx::huggingface
