// SPDX-License-Identifier: MIT
// Room examples/runner. Enters: option texts. Leaves: values; see options.hpp.
#include "runner/options.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <map>
#include <thread>

#include "runner/logit_bias.hpp"
#include "runner/pace.hpp"
#include "support/names.hpp"
#include "tokenizer/pretokenize.hpp"

namespace tbx::runner {
namespace {

template <class Value>
using names = std::map<std::string, Value>;

const names<trilobit::layout_id>& layouts() {
    static const names<trilobit::layout_id> all = [] {
        names<trilobit::layout_id> list;
        trilobit::any_type(trilobit::layouts{}, [&]<class L>() {
            list.emplace(L::name, L::id);
            return false;
        });
        return list;
    }();
    return all;
}

const names<trilobit::kernel_id>& kernels() {
    static const names<trilobit::kernel_id> all = [] {
        names<trilobit::kernel_id> list;
        for (std::size_t i = 0; i < std::size(trilobit::kernel_names); ++i)
            list.emplace(trilobit::kernel_names[i], static_cast<trilobit::kernel_id>(i));
        return list;
    }();
    return all;
}

const names<model::activation_rule>& activation_rules() {
    using model::activation_rule;
    static const names<activation_rule> all = {{"token", activation_rule::token},
                                               {"q8_0", activation_rule::q8_0},
                                               {"q8_k", activation_rule::q8_k},
                                               {"float", activation_rule::none}};
    return all;
}

const names<model::kept_as>& kinds_of_cache() {
    static const names<model::kept_as> all = {
        {"f16", model::kept_as::f16}, {"q8", model::kept_as::q8}, {"f32", model::kept_as::f32}};
    return all;
}

template <class Value>
std::string text_of(const names<Value>& all, Value value) {
    for (const auto& [text, v] : all)
        if (v == value) return text;
    return "?";
}

// An option whose value is one of a few names.
template <class Value>
void add_named(CLI::App& command, const std::string& option, Value& value, const names<Value>& all,
               const std::string& what) {
    std::vector<std::string> list;
    for (const auto& [text, v] : all) list.push_back(text);
    command
        .add_option_function<std::string>(
            option, [&value, &all](const std::string& text) { value = all.at(text); },
            what + ": " + support::listed(list) + " [" + text_of(all, value) + "]")
        ->type_name("NAME")
        ->check(one_of(list));
}

}  // namespace

void machine_options::add_to(CLI::App& command) {
    command.add_option("-t,--threads", threads, "Threads [one for each processor]")
        ->transform(whole_number(1, 1024));
    add_named(command, "--layout", layout, layouts(), "Where the bits of ternary weights lie");
    add_named(command, "--kernel", kernel, kernels(), "Kernel family");
    add_named(command, "--activations", activations, activation_rules(),
              "How activations are rounded beside weights of few levels");
    command.add_option("-b,--batch", batch, "Most tokens of one prefill step [256]")
        ->transform(whole_number(1, 65536));
}

int machine_options::thread_count() const {
    if (threads > 0) return threads;
    return std::clamp(static_cast<int>(std::thread::hardware_concurrency()), 1, 1024);
}

std::string machine_options::layout_text() const { return text_of(layouts(), layout); }
std::string machine_options::kernel_text() const { return text_of(kernels(), kernel); }

void model_options::add_to(CLI::App& command) {
    command.add_option("-m,--model", path, "GGUF file")->required()->type_name("FILE");
    command
        .add_option("-c,--context", context, "Positions to make room for [the model's, up to 4096]")
        ->transform(whole_number(1, 1 << 26));
    add_cache(command, cache);
    add_read_as(command, read_as);
    machine.add_to(command);
}

void add_cache(CLI::App& command, model::kept_as& cache) {
    add_named(command, "--cache", cache, kinds_of_cache(), "How keys and values are kept");
}

std::string cache_text(model::kept_as cache) { return text_of(kinds_of_cache(), cache); }

void add_read_as(CLI::App& command, std::vector<gguf::read_as>& told) {
    command
        .add_option_function<std::vector<std::string>>(
            "--read-as",
            [&told](const std::vector<std::string>& texts) {
                told.clear();
                for (const std::string& text : texts) told.push_back(gguf::parse_read_as(text));
            },
            "What a type's number means in this file, where it may mean several; may be given "
            "again. TL1 and TL2 may be followed by :BM,BK,bm")
        ->type_name("NUMBER=NAME")
        ->allow_extra_args(false);
}

void add_pre(CLI::App& command, std::string& pre) {
    const std::string names(tokenizer::split_rule_names());
    command.add_option("--pre", pre, "Rule that splits texts, instead of the file's: " + names)
        ->type_name("NAME")
        ->check([names](const std::string& text) {
            if (tokenizer::find_split_rule(text)) return std::string();
            return "'" + text + "' is none of " + names;
        });
}

CLI::Validator one_of(std::vector<std::string> names) {
    return {[names = std::move(names)](std::string& text) {
                if (std::find(names.begin(), names.end(), text) != names.end())
                    return std::string();
                return support::none_of(text, names);
            },
            ""};
}

void writing_options::add_to(CLI::App& command) {
    const auto number = [&](const char* name, float& value, double low, double high,
                            const char* what) {
        command.add_option(name, value, what)->check(number_between(low, high));
    };
    number("--temp", sampling.temperature, 0, 100,
           sampling.temperature > 0 ? "Temperature; 0 takes the likeliest token [0.7]"
                                    : "Temperature; 0 takes the likeliest token [0]");
    command.add_option("--top-k", sampling.top_k, "Draw among the K likeliest tokens; 0: all [0]")
        ->transform(whole_number(0, 1 << 30));
    number("--top-p", sampling.top_p, 0, 1,
           sampling.top_p < 1 ? "Draw among the likeliest that together reach P [0.9]"
                              : "Draw among the likeliest that together reach P [1]");
    number("--min-p", sampling.min_p, 0, 1,
           "Draw among those P times as likely as the likeliest [0]");
    number("--repeat-penalty", sampling.repeat_penalty, 1e-3, 1e3,
           "Above 1, tokens that were there are less likely [1]");
    command
        .add_option("--repeat-last-n", sampling.repeat_window,
                    "Latest tokens that the penalty looks at; -1: all [64]")
        ->transform(whole_number(-1, 1 << 30));
    command.add_option("--seed", sampling.seed, "Seed of the random numbers [0]")
        ->transform(seed_number());
    command
        .add_option_function<std::vector<std::string>>(
            "--stop",
            [this](const std::vector<std::string>& texts) {
                for (const std::string& text : texts)
                    if (text.empty()) throw CLI::ValidationError("--stop", "it is empty");
                stops = texts;
            },
            "End before this text; may be given again")
        ->type_name("TEXT")
        ->allow_extra_args(false);
    command
        .add_option("--logit-bias", biases,
                    "Add BIAS to the logit of a token, an id or its text; -inf forbids it; may be "
                    "given again")
        ->type_name("TOKEN=BIAS")
        ->check(CLI::Validator([](std::string& text) { return check_logit_bias(text); }, ""))
        ->allow_extra_args(false);
    static const names<bool> heads = {{"full", false}, {"two-stage", true}};
    add_named(command, "--head", two_stage, heads,
              "How logits are made; two stages make no more than --temp 0 or --top-k needs");
    add_pre(command, pre);
    command.add_flag("--no-bos", no_bos, "Do not begin with the begin token");
    command.add_flag("--show-tokens", show_tokens, "Print the tokens sent, on stderr");
}

model::sampling writing_options::sampling_with(const tokenizer::tokenizer& words) const {
    model::sampling all = sampling;
    all.biases = find_logit_biases(words, biases);
    return all;
}

void speculation_options::add_to(CLI::App& command) {
    CLI::Option* look =
        command.add_flag("--speculate", lookup,
                         "Guess the next tokens from what followed the same ones earlier; the text "
                         "stays the same, to the byte");
    CLI::Option* model =
        command.add_option("--draft", draft, "Let a small model of the same vocabulary guess them");
    model->type_name("FILE")->excludes(look);
    command
        .add_option_function<int>(
            "--together",
            [this, look, model](int tokens) {
                if (look->count() + model->count() == 0)
                    throw CLI::ValidationError("--together", "it needs --speculate or --draft");
                together = tokens;
            },
            "Tokens checked at once, where there is a guess [as many as pay, up to 8]")
        ->transform(whole_number(2, pace::most))
        ->type_name("N");
}

}  // namespace tbx::runner
