// SPDX-License-Identifier: MIT
// Room train: reading and writing of model files.
// Enters: GGUF metadata and tensors, or parameters. Leaves: the other of the two.
#include "train/model_file.hpp"

#include <algorithm>
#include <cstdint>

#include "gguf/dequantize.hpp"
#include "gguf/finite.hpp"
#include "gguf/graph_keys.hpp"
#include "gguf/quantize.hpp"
#include "gguf/reader.hpp"
#include "gguf/weight_rows.hpp"
#include "gguf/writer.hpp"
#include "train/bit_linear.hpp"
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
    const gguf::tensor& first = file.require_tensor("blk.0.attn_q.weight");
    c.ternary = c.already_ternary = gguf::few_levels(first.type) != nullptr;
    return c;
}

std::vector<std::byte> encoded(const slot& s, tensor_type type, std::span<const float> values,
                               bool already_ternary) {
    if (gguf::few_levels(type) == nullptr) return gguf::quantize(type, values, s.cols);
    std::vector<std::int8_t> trits(values.size());
    const float scale = already_ternary ? split_ternary(values, trits) : ternarise(values, trits);
    return gguf::encode_ternary(type, trits, s.cols, scale);
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
        // Taken as they are, ternary weights have one scale: see split_ternary.
        if (s.kind == slot_kind::linear && m.config.already_ternary &&
            !trilobit::values_of(m.parameters.data() + s.offset,
                                 static_cast<std::int64_t>(s.size()))
                 .fit<trilobit::ternary>())
            file.fail("tensor " + s.name + " is not ternary with one scale");
    }
    file.require_whole();
    return m;
}

void save_model(const std::string& path, const std::string& name, const model_config& c,
                std::span<const float> parameters, const llama2c::spm_vocabulary& vocabulary,
                tensor_type ternary_type) {
    const parameter_layout layout(c);
    const std::string arch(graph_of(c).name);
    gguf::writer file(path);
    const auto number = [&](const std::string& key, int value) {
        file.set(arch + "." + key, static_cast<std::uint32_t>(value));
    };
    file.set("general.architecture", arch);
    file.set("general.name", name);
    file.set("general.quantization_version", std::uint32_t{2});
    // llama.cpp's number for mostly TQ2_0, bitnet.cpp's for I2_S, everyone's for F16.
    file.set("general.file_type", std::uint32_t{!c.ternary                          ? 1u
                                                : ternary_type == tensor_type::i2_s ? 40u
                                                                                    : 37u});
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
        return c.ternary && s.kind == slot_kind::linear ? ternary_type : tensor_type::f16;
    };
    for (const slot& s : layout.slots) {
        if (s.kind == slot_kind::norm)
            file.add_tensor(s.name, type_of(s), {s.cols});
        else
            file.add_tensor(s.name, type_of(s), {s.cols, s.rows});
    }
    for (const slot& s : layout.slots)
        file.append(
            encoded(s, type_of(s), parameters.subspan(s.offset, s.size()), c.already_ternary));
    file.finish();
}

}  // namespace tbx::train
