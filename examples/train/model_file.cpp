// SPDX-License-Identifier: MIT
// Room train: reading and writing of model files.
// Enters: GGUF metadata and tensors, or parameters. Leaves: the other of the two.
#include "train/model_file.hpp"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <optional>

#include "gguf/dequantize.hpp"
#include "gguf/finite.hpp"
#include "gguf/graph_keys.hpp"
#include "gguf/quantize.hpp"
#include "gguf/reader.hpp"
#include "gguf/weight_rows.hpp"
#include "gguf/writer.hpp"
#include "train/rounding.hpp"
#include "trilobit/weights/quantize.hpp"

namespace tbx::train {
namespace {

using gguf::tensor_type;

model_config config_of(const gguf::reader& file) {
    const auto arch = file.get<std::string>("general.architecture");
    model_config c;
    const graph* known = find_graph(arch == "bitnet-25" ? "bitnet-b1.58" : arch);
    if (known == nullptr)
        file.fail("is of architecture " + arch + "; llama and bitnet can be read here");
    known->set(c);
    const auto key = [&](const char* name) { return arch + "." + name; };
    if (const auto gate = key("hidden_activation"); file.has(gate)) {
        c.squared_relu = file.get<std::string_view>(gate) == "relu2";
        if (!c.squared_relu && file.get<std::string_view>(gate) != "silu")
            file.fail(gate + " is neither 'silu' nor 'relu2'");
    }
    c.hidden = file.get<int>(key("embedding_length"));
    c.layers = file.get<int>(key("block_count"));
    const auto of_layers = [&](const char* name) {
        return file.get_uniform<int>(key(name), c.layers);
    };
    c.ffn = of_layers("feed_forward_length");
    c.heads = of_layers("attention.head_count");
    const char* const shared = "attention.head_count_kv";
    c.kv_heads = file.has(key(shared)) ? of_layers(shared) : c.heads;
    c.context = file.get<int>(key("context_length"));
    c.eps = file.get<float>(key("attention.layer_norm_rms_epsilon"));
    c.rope_base = file.get_or<float>(key("rope.freq_base"), 10000.0f);
    const gguf::tensor& table = file.require_tensor("token_embd.weight");
    if (table.rows() > (1 << 24)) file.fail("has an absurd vocabulary");
    c.vocab = static_cast<int>(table.rows());
    // Far above anything one would train or teach with here, far below overflow.
    if (c.hidden > 65536 || c.ffn > 262144 || c.layers > 1024 || c.context > (1 << 24))
        file.fail("is larger than this program can hold");
    if (const std::string what = complaint(c); !what.empty()) file.fail(what);
    if (file.get_or<int>(key("attention.key_length"), c.head_dim()) != c.head_dim() ||
        file.get_or<int>(key("attention.value_length"), c.head_dim()) != c.head_dim() ||
        file.get_or<int>(key("rope.dimension_count"), c.head_dim()) != c.head_dim() ||
        gguf::rope_scaling_of(file, key(""), c.context).divisor != 1.0f ||
        file.find_tensor("output.weight") != nullptr || file.find_tensor("rope_freqs.weight"))
        file.fail("has a head size, RoPE or untied head that this program does not train");
    gguf::refuse_other_graphs(file, key(""), c.context, c.head_dim());
    const formats::format* levels =
        gguf::few_levels(file.require_tensor("blk.0.attn_q.weight").type);
    c.quantised = c.already_rounded = levels != nullptr;
    // A type of three levels may hold two.
    if (levels != nullptr && levels->values == formats::kind::binary)
        c.weights = weight_rule::binary;
    if (file.has(gguf::activation_rule_key)) {
        const auto said = file.get<std::string>(gguf::activation_rule_key);
        const auto* at = std::ranges::find(activation_rule_names, said);
        if (at == std::end(activation_rule_names))
            file.fail(std::string(gguf::activation_rule_key) + " is '" + said +
                      "'; this program knows int8, a4.8 and sign");
        c.activations = static_cast<activation_rule>(at - activation_rule_names);
    }
    return c;
}

std::vector<std::byte> encoded(const slot& s, tensor_type type, std::span<const float> values,
                               rounding rule) {
    if (gguf::few_levels(type) == nullptr) return gguf::quantize(type, values, s.cols);
    std::vector<std::int8_t> levels(values.size());
    const float scale = round_weights(rule, values, levels);
    return gguf::encode_ternary(type, levels, s.cols, scale);
}

// llama.cpp's number for mostly TQ2_0, bitnet.cpp's for I2_S, everyone's for F16. Of Q1_0 several
// are about, and readers go by the tensors.
std::optional<std::uint32_t> file_type_of(const model_config& c, tensor_type type) {
    if (!c.quantised) return 1;
    if (type == tensor_type::q1_0) return std::nullopt;
    return type == tensor_type::i2_s ? 40 : 37;
}

}  // namespace

loaded_model load_model(const std::string& path) {
    const gguf::reader file(path);
    loaded_model m{config_of(file), {}, llama2c::read_vocabulary(file)};
    if (m.vocabulary.size() != m.config.vocab)
        file.fail("has another number of tokens than rows of the embedding");
    const parameter_layout layout(m.config);
    m.parameters.resize(layout.size);
    for (const slot& s : layout.slots) {
        const gguf::tensor& t = file.require_tensor(s.name);
        if (t.rows() != s.rows || t.columns() != s.cols)
            file.fail("tensor " + s.name + " has another shape than the metadata say");
        gguf::require_finite(file, t);
        for (int r = 0; r < s.rows; ++r)
            gguf::dequantize_row(t, r,
                                 std::span(m.parameters)
                                     .subspan(s.offset + static_cast<std::size_t>(r) *
                                                             static_cast<std::size_t>(s.cols),
                                              static_cast<std::size_t>(s.cols)));
        // Taken as they are, weights have one scale: see round_weights.
        if (s.kind != slot_kind::linear || !m.config.already_rounded) continue;
        const auto values = trilobit::values_of(m.parameters.data() + s.offset,
                                                static_cast<std::int64_t>(s.size()));
        const bool binary = m.config.weights == weight_rule::binary;
        if (!(binary ? values.fit<trilobit::binary>() : values.fit<trilobit::ternary>()))
            file.fail("tensor " + s.name + " is not " + (binary ? "binary" : "ternary") +
                      " with one scale");
    }
    file.require_whole();
    return m;
}

void save_model(const std::string& path, const std::string& name, const model_config& c,
                std::span<const float> parameters, const llama2c::spm_vocabulary& vocabulary,
                std::optional<tensor_type> linear_type) {
    const tensor_type rounded = linear_type.value_or(
        c.weights == weight_rule::binary ? tensor_type::q1_0 : tensor_type::tq2_0);
    const parameter_layout layout(c);
    const std::string arch(graph_of(c).name);
    gguf::writer file(path);
    const auto number = [&](const std::string& key, int value) {
        file.set(arch + "." + key, static_cast<std::uint32_t>(value));
    };
    file.set("general.architecture", arch);
    file.set("general.name", name);
    file.set("general.quantization_version", std::uint32_t{2});
    if (const auto number_of_type = file_type_of(c, rounded))
        file.set("general.file_type", *number_of_type);
    if (c.quantised && c.activations != activation_rule::int8)
        file.set(std::string(gguf::activation_rule_key),
                 std::string(activation_rule_names[static_cast<int>(c.activations)]));
    number("context_length", c.context);
    number("embedding_length", c.hidden);
    number("block_count", c.layers);
    number("feed_forward_length", c.ffn);
    number("vocab_size", c.vocab);
    number("attention.head_count", c.heads);
    number("attention.head_count_kv", c.kv_heads);
    number("rope.dimension_count", c.head_dim());
    file.set(arch + ".attention.layer_norm_rms_epsilon", c.eps);
    file.set(arch + ".rope.freq_base", c.rope_base);
    if (c.squared_relu) file.set(arch + ".hidden_activation", "relu2");
    llama2c::write_vocabulary(file, vocabulary);
    const auto type_of = [&](const slot& s) {
        if (s.kind == slot_kind::norm) return tensor_type::f32;
        return c.quantised && s.kind == slot_kind::linear ? rounded : tensor_type::f16;
    };
    for (const slot& s : layout.slots) {
        if (s.kind == slot_kind::norm)
            file.add_tensor(s.name, type_of(s), {s.cols});
        else
            file.add_tensor(s.name, type_of(s), {s.cols, s.rows});
    }
    for (const slot& s : layout.slots)
        file.append(
            encoded(s, type_of(s), parameters.subspan(s.offset, s.size()), rounding_of(c, s.kind)));
    file.finish();
}

}  // namespace tbx::train
