// SPDX-License-Identifier: MIT
// Room examples/runner. Enters: the name of a shape. Leaves: a GGUF file of that shape whose
// weights are random: for tests and for trying sizes without a download.
#include <map>
#include <memory>
#include <string>

#include "model/random_weights.hpp"
#include "model/shapes.hpp"
#include "runner/commands.hpp"
#include "support/progress.hpp"

namespace tbx::runner {
namespace {

struct dummy_options {
    std::string out, shape = "tiny", type = "TQ2_0", architecture;
    std::uint64_t seed = 1;
};

const std::map<std::string, gguf::tensor_type>& types() {
    static const std::map<std::string, gguf::tensor_type> all = {
        {"TQ1_0", gguf::tensor_type::tq1_0},
        {"TQ2_0", gguf::tensor_type::tq2_0},
        {"I2_S", gguf::tensor_type::i2_s},
        {"F16", gguf::tensor_type::f16},
        {"F32", gguf::tensor_type::f32}};
    return all;
}

void run(const dummy_options& o) {
    const model::config shape = model::config_of_shape(o.shape);
    support::progress_bar bar("writing " + o.out);
    model::write_dummy(o.out, shape, types().at(o.type), o.seed,
                       [&](double done) { bar.update(done); });
}

}  // namespace

void add_make_dummy(CLI::App& app) {
    const auto o = std::make_shared<dummy_options>();
    CLI::App* command = app.add_subcommand("make-dummy", "Write a model of random weights");
    std::string names, type_names;
    for (const std::string_view name : model::shape_names())
        names += (names.empty() ? "" : ", ") + std::string(name);
    for (const auto& [name, type] : types()) type_names += (type_names.empty() ? "" : ", ") + name;
    command->add_option("-o,--output", o->out, "GGUF file to write")->required()->type_name("FILE");
    command->add_option("--shape", o->shape, names + " [tiny]")->type_name("NAME");
    command->add_option("--type", o->type, "Type of the linear layers: " + type_names + " [TQ2_0]")
        ->type_name("NAME")
        ->check(CLI::Validator(
            [type_names](std::string& text) {
                return types().contains(text) ? std::string()
                                              : "'" + text + "' is none of " + type_names;
            },
            ""));
    command->add_option("--seed", o->seed, "Seed of the random weights [1]");
    command->callback([o] { run(*o); });
}

}  // namespace tbx::runner
