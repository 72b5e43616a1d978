// SPDX-License-Identifier: MIT
// Room fashion: the program trilobit-fashion.
// Enters: a command line. Leaves: what the command makes, exit status 0; or one line on stderr and
// status 1, 2 for wrong usage.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>

#include "fashion/commands.hpp"
#include "support/number_options.hpp"
#include "support/standard_streams.hpp"
#include "support/truncation.hpp"

namespace {

using namespace tbx::fashion;
using tbx::support::number_between, tbx::support::seed_number, tbx::support::whole_number;

void add_train(CLI::App& app, train_command& c) {
    app.add_option("--data", c.data, "folder of the data set")->capture_default_str();
    app.add_option("-o,--out", c.out, "network to write")->capture_default_str();
    app.add_option("--hidden", c.options.hidden, "neurons of each hidden layer")
        ->transform(whole_number(1, 8192))
        ->expected(1, 8)
        ->capture_default_str();
    app.add_option("--epochs", c.options.epochs)
        ->transform(whole_number(1, 10000))
        ->capture_default_str();
    app.add_option("--batch", c.options.batch)
        ->transform(whole_number(2, 10000))
        ->capture_default_str();
    app.add_option("--lr", c.options.lr, "learning rate")
        ->check(number_between(1e-9, 1.0))
        ->capture_default_str();
    app.add_option("--seed", c.options.seed)->transform(seed_number())->capture_default_str();
    app.add_option("--threads", c.threads)->transform(whole_number(1, 1024))->capture_default_str();
}

void add_test(CLI::App& app, test_command& c) {
    app.add_option("--data", c.data, "folder of the data set")->capture_default_str();
    app.add_option("-m,--model", c.model, "network")->capture_default_str();
    app.add_option("--seconds", c.seconds, "that are timed")
        ->check(number_between(0.0, 3600.0))
        ->capture_default_str();
}

int parse_and_run(int argc, char** argv) {
    CLI::App app("Knows pieces of clothing (Fashion-MNIST) by networks of one bit.",
                 "trilobit-fashion");
    train_command training;
    test_command testing;
    CLI::App* train = app.add_subcommand("train", "make a network from the training pictures");
    CLI::App* test = app.add_subcommand("test", "accuracy and speed on the test pictures");
    add_train(*train, training);
    add_test(*test, testing);
    app.require_subcommand(1);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& e) {
        if (e.get_exit_code() == 0) return app.exit(e);
        std::fprintf(stderr, "trilobit-fashion: %s\n", e.what());
        return 2;
    }
    return *train ? run(training) : run(testing);
}

}  // namespace

int main(int argc, char** argv) {
    tbx::support::keep_standard_streams();
    const tbx::support::truncation_watch watch("trilobit-fashion");
    try {
        const int status = parse_and_run(argc, argv);
        if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return status;
        if (status == 0)
            std::fprintf(stderr, "trilobit-fashion: standard output: it could not be written\n");
        return status == 0 ? 1 : status;
    } catch (const std::bad_alloc&) {
        std::fprintf(stderr, "trilobit-fashion: out of memory\n");
    } catch (const std::exception& e) {
        std::fprintf(stderr, "trilobit-fashion: %s\n", e.what());
    }
    return 1;
}
