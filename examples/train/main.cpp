// SPDX-License-Identifier: MIT
// Room train: the program trilobit-train.
// Enters: a command line. Leaves: what the command makes, exit status 0; or one line on stderr and
// status 1, 2 for wrong usage.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "support/number_options.hpp"
#include "support/standard_streams.hpp"
#include "support/truncation.hpp"
#include "train/commands.hpp"

namespace {

using namespace tbx::train;
using tbx::support::number_between, tbx::support::seed_number, tbx::support::whole_number;

std::vector<std::string> graph_names() {
    std::vector<std::string> names;
    for (const graph& g : graphs) names.emplace_back(g.name);
    return names;
}

// A name of the list is its place's value.
template <class Rule, std::size_t N>
void add_rule(CLI::App& app, const std::string& option, Rule& rule,
              const std::string_view (&names)[N], const std::string& what) {
    app.add_option_function<std::string>(
           option,
           [&rule, &names](const std::string& name) {
               rule = static_cast<Rule>(std::ranges::find(names, name) - names);
           },
           what + "; default: " + std::string(names[0]))
        ->check(CLI::IsMember(std::vector<std::string>(std::begin(names), std::end(names))));
}

void add_train(CLI::App& app, train_command& c, std::string& graph_name, bool& fp32) {
    const CLI::Validator positive = whole_number(1, 1 << 30);
    app.add_option("--text", c.text, "text to learn; lines <|endoftext|> part texts");
    app.add_option("--out", c.out, "model file to write")->capture_default_str();
    app.add_option("--name", c.name, "name stored in the model");
    app.add_option("--vocab", c.vocab, "take the vocabulary of this model file");
    app.add_option("--vocab-size", c.vocab_size, "else learn one of this size")
        ->transform(whole_number(260, 65536))
        ->capture_default_str();
    app.add_option("--teacher", c.teacher, "learn from this model's predictions as well");
    app.add_option("--start-from", c.start_from, "begin with the weights of this model file");
    app.add_option("--soft", c.options.soft, "weight of the teacher against the text, 0..1")
        ->check(number_between(0.0, 1.0))
        ->capture_default_str();
    for (const auto& [name, value] :
         {std::pair{"--hidden", &c.model.hidden}, std::pair{"--ffn", &c.model.ffn},
          std::pair{"--layers", &c.model.layers}, std::pair{"--heads", &c.model.heads},
          std::pair{"--kv-heads", &c.model.kv_heads}, std::pair{"--context", &c.model.context}})
        app.add_option(name, *value)->transform(positive)->capture_default_str();
    app.add_option("--graph", graph_name, "llama.cpp runs bitnet and llama, not bitnet-b1.58")
        ->check(CLI::IsMember(graph_names()))
        ->capture_default_str();
    app.add_flag("--fp32", fp32, "train float weights in the same graph");
    add_rule(app, "--weights", c.model.weights, weight_rule_names,
             "how linear weights are rounded");
    add_rule(app, "--activations", c.model.activations, activation_rule_names,
             "how inputs of linear layers are rounded");
    app.add_option("--type", c.type, "how they are stored; default: tq2_0, of binary ones q1_0")
        ->check(CLI::IsMember({"tq2_0", "i2_s", "q1_0"}));
    app.add_option("--steps", c.options.steps)->transform(positive)->capture_default_str();
    app.add_option("--minutes", c.minutes, "instead of --steps")->check(number_between(0.01, 1e6));
    app.add_option("--batch", c.options.batch, "sequences of --context tokens in a step")
        ->transform(positive)
        ->capture_default_str();
    app.add_option("--lr", c.options.optimiser.lr, "learning rate")
        ->check(number_between(1e-9, 10.0))
        ->capture_default_str();
    app.add_option("--warm-up", c.options.optimiser.warm_up)
        ->transform(positive)
        ->capture_default_str();
    app.add_option("--decay", c.options.optimiser.decay_part, "part of the run with a falling rate")
        ->check(number_between(0.0, 1.0))
        ->capture_default_str();
    app.add_option("--weight-decay", c.options.optimiser.weight_decay)
        ->check(number_between(0.0, 10.0))
        ->capture_default_str();
    app.add_option("--seed", c.options.seed)->transform(seed_number())->capture_default_str();
    app.add_option("--threads", c.threads, "default: one to a processor")
        ->transform(whole_number(0, 1024));
    app.add_option("--checkpoint", c.checkpoint, "default: <out>.checkpoint");
    app.add_option("--save-every", c.save_every, "steps")
        ->transform(positive)
        ->capture_default_str();
    CLI::Option* resume = app.add_flag(
        "--resume", c.resume,
        "go on with the checkpoint, if there is one; a finished model is left as it is");
    app.add_flag("--change-lr", c.change_lr, "go on with --lr, though the run had another rate")
        ->needs(resume);
    app.add_flag("--keep-checkpoint", c.keep_checkpoint);
    CLI::Option* blas =
        app.add_flag("--blas", c.blas, "products by OpenBLAS: other bits on other machines");
    app.add_flag("--bf16", c.bf16,
                 "bfloat16 products by oneDNN, where built with it (OMP_NUM_THREADS)")
        ->excludes(blas);
}

void add_sample(CLI::App& app, sample_command& c) {
    app.add_option("-m,--model", c.model)->required();
    app.add_option("-o,--out", c.out, "default: standard output");
    app.add_option("--tokens", c.options.tokens)
        ->transform(whole_number(1, 1 << 30))
        ->capture_default_str();
    app.add_option("--texts", c.texts, "instead of --tokens: so many texts")
        ->transform(whole_number(0, 1 << 30));
    app.add_option("--temperature", c.options.temperature, "0: greedy")
        ->check(number_between(0.0, 100.0))
        ->capture_default_str();
    app.add_option("--seed", c.options.seed)->transform(seed_number())->capture_default_str();
    app.add_option("--at-once", c.options.texts_at_once, "texts sampled side by side")
        ->transform(whole_number(1, 4096))
        ->capture_default_str();
    app.add_option("--threads", c.threads)->transform(whole_number(1, 1024));
}

void add_eval(CLI::App& app, eval_command& c) {
    app.add_option("-m,--model", c.model)->required();
    app.add_option("--text", c.text)->required();
    app.add_option("--context", c.context, "tokens in a window; default: the model's, at most 256")
        ->transform(whole_number(0, 1 << 30));
    app.add_flag("--ternarise", c.ternarise, "round a float model to ternary first");
    app.add_option("--threads", c.threads)->transform(whole_number(1, 1024));
}

int parse_and_run(int argc, char** argv) {
    CLI::App app("Trains a 1.58-bit language model from any text file.", "trilobit-train");
    train_command training;
    sample_command sampling;
    eval_command evaluation;
    std::string graph_name(graph_of(training.model).name);
    bool fp32 = false;
    add_train(app, training, graph_name, fp32);
    CLI::App* sample = app.add_subcommand("sample", "write texts that a model makes up");
    CLI::App* eval = app.add_subcommand("eval", "perplexity of a text under a model");
    add_sample(*sample, sampling);
    add_eval(*eval, evaluation);
    app.require_subcommand(0, 1);
    try {
        app.parse(argc, argv);
        if (!*sample && !*eval && training.text.empty()) throw CLI::RequiredError("--text");
    } catch (const CLI::ParseError& e) {
        if (e.get_exit_code() == 0) return app.exit(e);
        std::fprintf(stderr, "trilobit-train: %s\n", e.what());
        return 2;
    }
    if (*sample) return run(sampling);
    if (*eval) return run(evaluation);
    find_graph(graph_name)->set(training.model);
    training.model.quantised = !fp32;
    return run(training);
}

}  // namespace

int main(int argc, char** argv) {
    tbx::support::keep_standard_streams();
    const tbx::support::truncation_watch watch("trilobit-train");
    try {
        const int status = parse_and_run(argc, argv);
        if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return status;
        if (status == 0)
            std::fprintf(stderr, "trilobit-train: standard output: it could not be written\n");
        return status == 0 ? 1 : status;
    } catch (const std::bad_alloc&) {
        std::fprintf(stderr, "trilobit-train: out of memory\n");
    } catch (const std::exception& e) {
        std::fprintf(stderr, "trilobit-train: %s\n", e.what());
    }
    return 1;
}
