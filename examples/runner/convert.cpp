// SPDX-License-Identifier: MIT
// Room examples/runner. Enters: a model of another program, or a GGUF file. Leaves: a GGUF file: a
// llama2.c checkpoint as it is, or a GGUF file whose linear layers are stored otherwise or whose
// pre-tokenizer has another name.
#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "gguf/dequantize.hpp"
#include "gguf/layer.hpp"
#include "gguf/quantize.hpp"
#include "gguf/reader.hpp"
#include "gguf/weight_rows.hpp"
#include "gguf/writer.hpp"
#include "llama2c/convert.hpp"
#include "runner/commands.hpp"
#include "runner/options.hpp"
#include "support/mapped_file.hpp"
#include "support/progress.hpp"

namespace tbx::runner {
namespace {

struct convert_options {
    std::string in, out, tokenizer, type, pre;
};

constexpr const char *file_type_key = "general.file_type", *pre_key = "tokenizer.ggml.pre";

const std::map<std::string, gguf::tensor_type>& types() {
    static const std::map<std::string, gguf::tensor_type> all = {
        {"F32", gguf::tensor_type::f32},     {"F16", gguf::tensor_type::f16},
        {"BF16", gguf::tensor_type::bf16},   {"Q8_0", gguf::tensor_type::q8_0},
        {"TQ1_0", gguf::tensor_type::tq1_0}, {"TQ2_0", gguf::tensor_type::tq2_0},
        {"I2_S", gguf::tensor_type::i2_s}};
    return all;
}

// A matrix of a layer; everything else keeps its type.
bool is_linear(std::string_view name) {
    if (!name.starts_with("blk.")) return false;
    name.remove_prefix(std::min(name.find('.', 4), name.size()));
    bool found = false;
    gguf::each_tensor({}, [&](const gguf::layer_tensor& t) {
        found |= !t.is_vector && name == "." + std::string(t.name) + ".weight";
    });
    return found;
}

// llama.cpp's number for a file most of whose weights are of this type; bitnet.cpp's for I2_S.
std::uint32_t file_type_of(gguf::tensor_type type) {
    switch (type) {
        case gguf::tensor_type::f32:
            return 0;
        case gguf::tensor_type::f16:
            return 1;
        case gguf::tensor_type::q8_0:
            return 7;
        case gguf::tensor_type::bf16:
            return 32;
        case gguf::tensor_type::tq1_0:
            return 36;
        case gguf::tensor_type::tq2_0:
            return 37;
        default:
            return 40;
    }
}

// Entries go over as they are, but for the keys that conversion makes untrue.
void copy_metadata(const gguf::reader& from, const convert_options& o, gguf::writer& to) {
    for (const gguf::entry& e : from.entries())
        if (e.key != "general.alignment" && (e.key != file_type_key || o.type.empty()) &&
            (e.key != pre_key || o.pre.empty()))
            to.copy(e);
    if (!o.type.empty()) to.set(file_type_key, file_type_of(types().at(o.type)));
    if (!o.pre.empty()) to.set(pre_key, o.pre);
}

std::vector<float> floats_of(const gguf::reader& file, const gguf::tensor& t) {
    const auto columns = static_cast<std::size_t>(t.columns());
    std::vector<float> all(static_cast<std::size_t>(t.rows()) * columns);
    for (std::int64_t r = 0; r < t.rows(); ++r)
        gguf::dequantize_row(t, r, std::span(all).subspan(static_cast<std::size_t>(r) * columns));
    for (const float& value : all)
        if ((std::bit_cast<std::uint32_t>(value) & 0x7f800000u) == 0x7f800000u)
            file.fail(std::string(t.name) + ": a weight is NaN or infinite");
    return all;
}

// A code without meaning would become a float as any other.
void check_trits(const gguf::reader& file, const gguf::tensor& t) {
    const gguf::weight_rows rows(file, t);
    std::vector<std::int8_t> trits(static_cast<std::size_t>(t.columns()));
    std::vector<float> scales(static_cast<std::size_t>(rows.scales_per_row()));
    for (std::int64_t r = 0; r < t.rows(); ++r) rows.decode(r, trits, scales);
}

std::vector<std::byte> converted(const gguf::reader& file, const gguf::tensor& t,
                                 gguf::tensor_type type) {
    if (gguf::few_levels(t.type) != nullptr) check_trits(file, t);
    const std::vector<float> values = floats_of(file, t);
    try {
        return gguf::few_levels(type) != nullptr ? gguf::ternarise(type, values, t.columns())
                                                 : gguf::quantize(type, values, t.columns());
    } catch (const error& e) {
        file.fail(std::string(t.name) + ": " + e.what());
    }
}

void convert_gguf(const convert_options& o) {
    const gguf::reader from(o.in);
    if (!o.pre.empty() && from.get_or<std::string_view>("tokenizer.ggml.model", "") != "gpt2")
        throw error("--pre", o.in + " has no vocabulary of byte-level BPE, which alone is split");
    const auto type_of = [&](const gguf::tensor& t) {
        return is_linear(t.name) && !o.type.empty() ? types().at(o.type) : t.type;
    };
    gguf::writer to(o.out);
    copy_metadata(from, o, to);
    double total = 0, done = 0;
    for (const gguf::tensor& t : from.tensors()) {
        to.add_tensor(t.name, type_of(t),
                      std::span(t.extent.data(), static_cast<std::size_t>(t.dimensions)));
        total += static_cast<double>(t.data.size());
    }
    support::progress_bar bar("converting");
    for (const gguf::tensor& t : from.tensors()) {
        if (type_of(t) == t.type)
            to.append(t.data);
        else
            to.append(converted(from, t, type_of(t)));
        bar.update((done += static_cast<double>(t.data.size())) / total);
    }
    from.require_whole();
    to.finish();
}

bool is_gguf(const std::string& path) {
    const support::mapped_file file(path);
    return file.bytes().size() >= 4 && std::memcmp(file.bytes().data(), "GGUF", 4) == 0;
}

void run(const convert_options& o) {
    if (is_gguf(o.in)) {
        if (o.type.empty() && o.pre.empty())
            throw error("--type",
                        "to convert a GGUF file, say what its linear layers shall become");
        return convert_gguf(o);
    }
    if (o.tokenizer.empty())
        throw error("--tokenizer", "a llama2.c checkpoint needs its tokenizer file beside it");
    if (!o.type.empty())
        throw error("--type",
                    "a llama2.c checkpoint is converted as F32; convert the result again");
    if (!o.pre.empty())
        throw error("--pre", "the vocabulary of a llama2.c checkpoint has no pre-tokenizer");
    llama2c::convert(o.in, o.tokenizer, o.out);
}

}  // namespace

void add_convert(CLI::App& app) {
    const auto o = std::make_shared<convert_options>();
    CLI::App* command = app.add_subcommand(
        "convert", "Make a GGUF file of a llama2.c checkpoint, or change the linear layers of one");
    std::string names;
    for (const auto& [name, type] : types()) names += (names.empty() ? "" : ", ") + name;
    command->add_option("input", o->in, "llama2.c checkpoint, or GGUF file")
        ->required()
        ->type_name("FILE");
    command->add_option("-o,--output", o->out, "GGUF file to write")->required()->type_name("FILE");
    command->add_option("--tokenizer", o->tokenizer, "Tokenizer of the checkpoint")
        ->type_name("FILE");
    command
        ->add_option("--type", o->type,
                     "Type of the linear layers: " + names +
                         "; ternary ones keep weights that are ternary already, others become so "
                         "by BitNet's absmean rule")
        ->type_name("NAME")
        ->check(CLI::Validator(
            [names](std::string& text) {
                return types().contains(text) ? std::string()
                                              : "'" + text + "' is none of " + names;
            },
            ""));
    add_pre(*command, o->pre);
    command->callback([o] { run(*o); });
}

}  // namespace tbx::runner
