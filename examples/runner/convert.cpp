// SPDX-License-Identifier: MIT
// Room examples/runner. Enters: a model of another program, or a GGUF file of floats. Leaves: a
// GGUF file: a llama2.c checkpoint as it is, or a GGUF file whose linear layers are stored
// otherwise.
#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <trilobit/weights/quantize.hpp>

#include "gguf/dequantize.hpp"
#include "gguf/quantize.hpp"
#include "gguf/reader.hpp"
#include "gguf/ternary_rows.hpp"
#include "gguf/writer.hpp"
#include "llama2c/convert.hpp"
#include "runner/commands.hpp"
#include "support/mapped_file.hpp"
#include "support/progress.hpp"

namespace tbx::runner {
namespace {

struct convert_options {
    std::string in, out, tokenizer, type;
};

const std::map<std::string, gguf::tensor_type>& types() {
    static const std::map<std::string, gguf::tensor_type> all = {
        {"F32", gguf::tensor_type::f32},     {"F16", gguf::tensor_type::f16},
        {"BF16", gguf::tensor_type::bf16},   {"Q8_0", gguf::tensor_type::q8_0},
        {"TQ1_0", gguf::tensor_type::tq1_0}, {"TQ2_0", gguf::tensor_type::tq2_0},
        {"I2_S", gguf::tensor_type::i2_s}};
    return all;
}

// The seven matrices of a layer; everything else keeps its type.
bool is_linear(std::string_view name) {
    if (!name.starts_with("blk.") || !name.ends_with(".weight")) return false;
    for (const char* part : {".attn_q.", ".attn_k.", ".attn_v.", ".attn_output.", ".ffn_gate.",
                             ".ffn_up.", ".ffn_down."})
        if (name.find(part) != name.npos) return true;
    return false;
}

void copy_entry(const gguf::entry& e, const gguf::reader& from, gguf::writer& to) {
    const std::string key(e.key);
    switch (e.type) {
        case gguf::value_type::string:
            return to.set(key, from.get<std::string_view>(key));
        case gguf::value_type::boolean:
            return to.set(key, from.get<bool>(key));
        case gguf::value_type::f32:
        case gguf::value_type::f64:
            return to.set(key, from.get<float>(key));
        case gguf::value_type::u8:
        case gguf::value_type::u16:
        case gguf::value_type::u32:
            return to.set(key, from.get<std::uint32_t>(key));
        case gguf::value_type::i8:
        case gguf::value_type::i16:
        case gguf::value_type::i32:
            return to.set(key, from.get<std::int32_t>(key));
        case gguf::value_type::u64:
            return to.set(key, from.get<std::uint64_t>(key));
        case gguf::value_type::i64:
            return to.set(key, from.get<std::int64_t>(key));
        case gguf::value_type::array:
            break;
    }
    const auto numbers = [&]<class T>(T) {
        const auto view = from.array<T>(key);
        std::vector<T> copy(view.size());
        for (std::size_t i = 0; i < copy.size(); ++i) copy[i] = view[i];
        to.set_array(key, copy);
    };
    switch (e.element) {
        case gguf::value_type::string:
            return to.set_array(key, from.strings(key));
        case gguf::value_type::f32:
            return numbers(float{});
        case gguf::value_type::i32:
            return numbers(std::int32_t{});
        default:
            from.fail(key + ": an array of " + gguf::name_of(e.element) + " cannot be copied");
    }
}

std::vector<float> floats_of(const gguf::tensor& t) {
    std::vector<float> all(static_cast<std::size_t>(t.rows() * t.columns()));
    for (std::int64_t r = 0; r < t.rows(); ++r)
        gguf::dequantize_row(t, r,
                             {all.data() + r * t.columns(), static_cast<std::size_t>(t.columns())});
    return all;
}

// BitNet's rule: one scale for the matrix, the mean of the magnitudes.
std::vector<std::byte> ternarise(const gguf::reader& file, const gguf::tensor& t,
                                 gguf::tensor_type type, const std::vector<float>& values) {
    std::vector<std::int8_t> trits(values.size());
    float scale = 0;
    const trilobit::status s = trilobit::ternarize_absmean(
        {values.data(), t.rows(), t.columns()}, {}, {trits.data(), t.rows(), t.columns()}, &scale);
    if (!s.ok()) file.fail(std::string(t.name) + ": " + s.text);
    return gguf::encode_ternary(type, trits, t.columns(), scale);
}

void requantize(const convert_options& o, gguf::tensor_type type) {
    const gguf::reader from(o.in);
    for (const gguf::tensor& t : from.tensors())
        if (is_linear(t.name) && gguf::is_ternary(t.type))
            from.fail(std::string(t.name) + ": it is ternary already");
    gguf::writer to(o.out);
    for (const gguf::entry& e : from.entries())
        if (e.key != "general.alignment" && e.key != "general.file_type") copy_entry(e, from, to);
    double total = 0, done = 0;
    for (const gguf::tensor& t : from.tensors()) {
        to.add_tensor(t.name, is_linear(t.name) ? type : t.type,
                      std::span(t.extent.data(), static_cast<std::size_t>(t.dimensions)));
        total += static_cast<double>(t.data.size());
    }
    support::progress_bar bar("converting");
    for (const gguf::tensor& t : from.tensors()) {
        if (!is_linear(t.name)) {
            to.append(t.data);
        } else {
            const std::vector<float> values = floats_of(t);
            to.append(gguf::is_ternary(type) ? ternarise(from, t, type, values)
                                             : gguf::quantize(type, values, t.columns()));
        }
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
        if (o.type.empty())
            throw error("--type",
                        "to convert a GGUF file, say what its linear layers shall become");
        return requantize(o, types().at(o.type));
    }
    if (o.tokenizer.empty())
        throw error("--tokenizer", "a llama2.c checkpoint needs its tokenizer file beside it");
    if (!o.type.empty())
        throw error("--type",
                    "a llama2.c checkpoint is converted as F32; convert the result again");
    llama2c::convert(o.in, o.tokenizer, o.out);
}

}  // namespace

void add_convert(CLI::App& app) {
    const auto o = std::make_shared<convert_options>();
    CLI::App* command = app.add_subcommand(
        "convert", "Make a GGUF file of a llama2.c checkpoint, or change the linear layers of one");
    std::string names;
    for (const auto& [name, type] : types()) names += (names.empty() ? "" : ", ") + name;
    command->add_option("input", o->in, "llama2.c checkpoint, or GGUF file of floats")
        ->required()
        ->type_name("FILE");
    command->add_option("-o,--output", o->out, "GGUF file to write")->required()->type_name("FILE");
    command->add_option("--tokenizer", o->tokenizer, "Tokenizer of the checkpoint")
        ->type_name("FILE");
    command
        ->add_option("--type", o->type,
                     "Type of the linear layers: " + names +
                         "; ternary ones by BitNet's absmean rule")
        ->type_name("NAME")
        ->check(CLI::Validator(
            [names](std::string& text) {
                return types().contains(text) ? std::string()
                                              : "'" + text + "' is none of " + names;
            },
            ""));
    command->callback([o] { run(*o); });
}

}  // namespace tbx::runner
