// SPDX-License-Identifier: MIT
// Room examples/runner. Enters: a GGUF file. Leaves: what is in it, for people.
#include <cstdio>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <trilobit/layout/all.hpp>

#include "gguf/packed.hpp"
#include "gguf/reader.hpp"
#include "model/config.hpp"
#include "runner/commands.hpp"
#include "runner/options.hpp"
#include "support/human.hpp"

namespace tbx::runner {
namespace {

struct info_options {
    std::string path;
    std::vector<gguf::read_as> read_as;
};

// File contents may hold anything; a terminal shall see text.
std::string printable(std::string_view raw) {
    std::string out;
    for (const char c : raw) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte >= 0x20 && byte != 0x7f) {
            out += c;
        } else {
            char escaped[8];
            (void)std::snprintf(escaped, sizeof escaped, "\\x%02x", byte);
            out += escaped;
        }
    }
    return out;
}

// As it is used: an image of packed weights says of itself what it is.
struct shown_tensor {
    std::string type, extent;
    double weights;
};

shown_tensor shown(const gguf::reader& file, const gguf::tensor& t) {
    if (const auto image = gguf::packed_image(file, t))
        return {std::string(trilobit::layout_name(image->layout)),
                std::to_string(image->cols) + " x " + std::to_string(image->rows),
                static_cast<double>(image->rows) * static_cast<double>(image->cols)};
    std::string out = std::to_string(t.extent[0]);
    for (int d = 1; d < t.dimensions; ++d)
        out += " x " + std::to_string(t.extent[static_cast<std::size_t>(d)]);
    return {gguf::name_of(t.type), out,
            static_cast<double>(t.rows()) * static_cast<double>(t.columns())};
}

void print_types(const gguf::reader& file) {
    struct sum {
        int tensors = 0;
        double weights = 0;
        std::uint64_t bytes = 0;
    };
    std::map<std::string, sum> types;
    sum all;
    for (const gguf::tensor& t : file.tensors()) {
        const shown_tensor as = shown(file, t);
        for (sum* s : {&types[as.type], &all}) {
            ++s->tensors;
            s->weights += as.weights;
            s->bytes += t.data.size();
        }
    }
    types["all"] = all;
    (void)std::printf("\n%-14s %8s %12s %12s %12s\n", "type", "tensors", "weights", "bytes",
                      "bits/weight");
    for (const auto& [name, s] : types)
        (void)std::printf("%-14s %8d %12s %12s %12.3f\n", name.c_str(), s.tensors,
                          support::human_count(s.weights).c_str(),
                          support::human_bytes(s.bytes).c_str(),
                          s.weights > 0 ? 8.0 * static_cast<double>(s.bytes) / s.weights : 0.0);
}

std::string graph_text(const model::config& c) {
    std::string text = c.gate == model::gate_function::silu           ? "SiLU"
                       : c.gate == model::gate_function::squared_relu ? "squared ReLU"
                                                                      : "GELU";
    text += c.sub_norms ? ", sub-norms" : ", no sub-norms";
    if (c.biases) text += ", biases of q, k and v";
    if (c.head_norms) text += ", heads normed";
    if (c.post_norms) text += ", outputs normed";
    if (c.input_norms) text += ", inputs normed";
    if (c.experts > 0)
        text +=
            ", " + std::to_string(c.experts_used) + " of " + std::to_string(c.experts) + " experts";
    if (c.window > 0) text += ", windows of " + std::to_string(c.window) + " positions";
    char base[32];
    (void)std::snprintf(base, sizeof base, "%g", double{c.rope_base});
    const bool pairs = c.pairing == model::rope_pairing::interleaved;
    text +=
        std::string(", RoPE pairs ") + (pairs ? "(2i, 2i+1)" : "(i, i+half)") + ", base " + base;
    if (c.yarn.original > 0) text += ", YaRN of " + std::to_string(c.yarn.original) + " positions";
    return text + (c.tied_head ? ", tied head" : ", own head");
}

// A vocabulary-only file, or another architecture, is still worth looking at.
void print_model(const gguf::reader& file) {
    try {
        const model::config c = model::read_config(file);
        (void)std::printf(
            "\nmodel    %s, %lld layers, width %lld, ffn %lld, %lld heads (%lld kv) of %lld, "
            "vocabulary %lld, context %lld\n",
            c.architecture.c_str(), static_cast<long long>(c.layers), static_cast<long long>(c.dim),
            static_cast<long long>(c.ffn), static_cast<long long>(c.heads),
            static_cast<long long>(c.kv_heads), static_cast<long long>(c.key_dim),
            static_cast<long long>(c.vocab), static_cast<long long>(c.context));
        (void)std::printf("graph    %s\n", graph_text(c).c_str());
    } catch (const error& e) {
        (void)std::printf("\nmodel    cannot be run: %s\n", printable(e.what()).c_str());
    }
}

void run(const info_options& o) {
    const gguf::reader file(o.path, o.read_as);
    std::uint64_t bytes = 0;
    for (const support::mapped_file& part : file.parts()) bytes += part.bytes().size();
    const std::string parts =
        file.parts().size() > 1 ? " in " + std::to_string(file.parts().size()) + " parts" : "";
    (void)std::printf("file     %s, GGUF version %u, %s%s\n", file.name().c_str(), file.version(),
                      support::human_bytes(bytes).c_str(), parts.c_str());
    print_model(file);
    (void)std::printf("\n%zu metadata entries\n", file.entries().size());
    for (const gguf::entry& e : file.entries())
        (void)std::printf("  %-44s %s\n", printable(e.key).c_str(),
                          printable(gguf::describe(e)).c_str());
    (void)std::printf("\n%zu tensors\n", file.tensors().size());
    for (const gguf::tensor& t : file.tensors()) {
        const shown_tensor as = shown(file, t);
        (void)std::printf("  %-32s %-14s %20s %12s\n", printable(t.name).c_str(), as.type.c_str(),
                          as.extent.c_str(), support::human_bytes(t.data.size()).c_str());
    }
    print_types(file);
}

}  // namespace

void add_info(CLI::App& app) {
    const auto o = std::make_shared<info_options>();
    CLI::App* command =
        app.add_subcommand("info", "Show metadata, tensors, types and sizes of a GGUF file");
    command->add_option("-m,--model", o->path, "GGUF file")->required()->type_name("FILE");
    add_read_as(*command, o->read_as);
    command->callback([o] { run(*o); });
}

}  // namespace tbx::runner
