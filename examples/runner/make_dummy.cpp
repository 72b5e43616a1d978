// SPDX-License-Identifier: MIT
// Room examples/runner. Enters: the name of a shape. Leaves: a GGUF file of that shape whose
// weights are random: for tests and for trying sizes without a download.
#include <cmath>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "gguf/graph_keys.hpp"
#include "huggingface/config.hpp"
#include "model/random_weights.hpp"
#include "model/shapes.hpp"
#include "runner/commands.hpp"
#include "runner/options.hpp"
#include "support/error.hpp"
#include "support/names.hpp"
#include "support/progress.hpp"

namespace tbx::runner {
namespace {

struct dummy_options {
    std::string out, shape = "tiny", type = "TQ2_0", tables = "F16", architecture, config;
    std::int64_t vocabulary = 0;  // 0: the shape's
    std::uint64_t seed = 1;
};

/// All that can be read.
const std::map<std::string, gguf::tensor_type>& dummy_types() {
    static const std::map<std::string, gguf::tensor_type> all = [] {
        std::map<std::string, gguf::tensor_type> found;
        for (const gguf::tensor_type type : gguf::readable_types())
            found.emplace(gguf::name_of(type), type);
        return found;
    }();
    return all;
}

/// The same matrices under the graph of another name: llama.cpp knows "bitnet" and not
/// "bitnet-b1.58", whose gate differs by one elementwise function.
model::config as_architecture(model::config shape, const std::string& name) {
    if (!shape.sub_norms)
        throw error("--architecture", "the shape has no sub-norms, it is a llama");
    shape.architecture = name;
    shape.gate = name == "bitnet" ? model::gate_function::silu : model::gate_function::squared_relu;
    return shape;
}

/// What a folder of Hugging Face's would become, as far as this program's graphs go.
model::config shape_of_config(const std::string& path) {
    const huggingface::config from = huggingface::read_config(path);
    if (from.rope == huggingface::rope_rule::llama3 ||
        from.rope == huggingface::rope_rule::longrope)
        throw error(path, "has divisors for RoPE, which a dummy has not");
    model::config c =
        model::config_of_architecture(from.squared_relu ? "bitnet-b1.58" : from.family);
    c.name = "random weights";
    c.vocab = from.vocab;
    c.dim = from.dim;
    c.ffn = from.ffn;
    c.layers = from.layers;
    c.heads = from.heads;
    c.kv_heads = from.kv_heads;
    c.key_dim = c.value_dim = from.head_dim;
    c.rope_dim = from.rope_dim;
    c.context = from.context;
    c.rope_base = from.rope_base;
    if (from.rope != huggingface::rope_rule::plain)
        c.rope_divisor = static_cast<float>(from.rope_factor);
    if (from.rope == huggingface::rope_rule::yarn) {
        c.yarn.original = from.rope_original;
        c.rope_magnitude = gguf::yarn_magnitude(c.rope_divisor);
    }
    c.embedding_scale = static_cast<float>(from.embedding_scale);
    c.residual_scale = static_cast<float>(from.residual_scale);
    c.logit_scale = static_cast<float>(from.logit_scale);
    c.norm_eps = from.norm_eps;
    const bool gemma = from.family == "gemma3";
    if (gemma) c.embedding_scale = std::sqrt(static_cast<float>(c.dim));
    c.experts = from.experts;
    c.experts_used = from.experts_used;
    if (c.experts > 0) c.gate_limit = 7;  // of its class
    c.window = from.window;
    c.local = from.local;
    c.local_rope_base = gemma ? from.local_rope_base : from.rope_base;
    for (std::size_t i = 0; gemma && i < c.local.size(); ++i)
        if (c.local[i] != ((i + 1) % 6 != 0))
            throw error(path,
                        "has windows in other layers than five of six, which a dummy has not");
    c.tied_head = from.headless || from.tied.value_or(gemma);
    if (const std::string problem = model::check(c); !problem.empty()) throw error(path, problem);
    return c;
}

void run(const dummy_options& o) {
    model::config shape =
        o.config.empty() ? model::config_of_shape(o.shape) : shape_of_config(o.config);
    if (!o.architecture.empty()) shape = as_architecture(std::move(shape), o.architecture);
    if (o.vocabulary > 0) shape.vocab = o.vocabulary;
    support::progress_bar bar("writing " + o.out);
    model::write_dummy(
        o.out, shape, dummy_types().at(o.type), o.seed, [&](double done) { bar.update(done); },
        dummy_types().at(o.tables));
}

}  // namespace

void add_make_dummy(CLI::App& app) {
    const auto o = std::make_shared<dummy_options>();
    CLI::App* command = app.add_subcommand("make-dummy", "Write a model of random weights");
    std::vector<std::string> names, type_names;
    for (const std::string_view name : model::shape_names()) names.emplace_back(name);
    for (const auto& [name, type] : dummy_types()) type_names.push_back(name);
    command->add_option("-o,--output", o->out, "GGUF file to write")->required()->type_name("FILE");
    auto* shape = command->add_option("--shape", o->shape, support::listed(names) + " [tiny]")
                      ->type_name("NAME");
    command
        ->add_option("--config", o->config, "The shape that a config.json of Hugging Face's says")
        ->type_name("FILE")
        ->excludes(shape);
    command
        ->add_option("--type", o->type,
                     "Type of the linear layers: " + support::listed(type_names) + " [TQ2_0]")
        ->type_name("NAME")
        ->check(one_of(type_names));
    command->add_option("--tables", o->tables, "Type of embedding and head, of the same list [F16]")
        ->type_name("NAME")
        ->check(one_of(type_names));
    command
        ->add_option("--architecture", o->architecture,
                     "Name the graph bitnet or bitnet-b1.58 [the shape's]")
        ->type_name("NAME")
        ->check(one_of({"bitnet", "bitnet-b1.58"}));
    command
        ->add_option("--vocabulary", o->vocabulary,
                     "Tokens; few make a model whose head costs nothing [the shape's]")
        ->transform(whole_number(320, 1 << 20));
    command->add_option("--seed", o->seed, "Seed of the random weights [1]")
        ->transform(seed_number());
    command->callback([o] { run(*o); });
}

}  // namespace tbx::runner
