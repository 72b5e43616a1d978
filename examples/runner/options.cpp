// SPDX-License-Identifier: MIT
// Room examples/runner. Enters: option texts. Leaves: values; see options.hpp.
#include "runner/options.hpp"

#include <algorithm>
#include <map>
#include <thread>

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
    static const names<trilobit::kernel_id> all = {
        {"automatic", trilobit::kernel_id::automatic},
        {"generic", trilobit::kernel_id::generic},
        {"dot", trilobit::kernel_id::dot},
        {"lookup", trilobit::kernel_id::lookup},
        {"popcount", trilobit::kernel_id::popcount},
        {"vector_lookup", trilobit::kernel_id::vector_lookup}};
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
    std::string list;
    for (const auto& [text, v] : all) list += (list.empty() ? "" : ", ") + text;
    command
        .add_option_function<std::string>(
            option,
            [&value, &all, option, list](const std::string& text) {
                const auto at = all.find(text);
                if (at == all.end())
                    throw CLI::ValidationError(option, "'" + text + "' is none of " + list);
                value = at->second;
            },
            what + ": " + list + " [" + text_of(all, value) + "]")
        ->type_name("NAME");
}

}  // namespace

void machine_options::add_to(CLI::App& command) {
    command.add_option("-t,--threads", threads, "Threads [one for each processor]")
        ->check(CLI::Range(1, 1024));
    add_named(command, "--layout", layout, layouts(), "Where the bits of ternary weights lie");
    add_named(command, "--kernel", kernel, kernels(), "Kernel family");
    command.add_option("-b,--batch", batch, "Most tokens of one prefill step [256]")
        ->check(CLI::Range(std::int64_t{1}, std::int64_t{65536}));
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
        ->check(CLI::Range(std::int64_t{1}, std::int64_t{1} << 26));
    machine.add_to(command);
}

void add_head(CLI::App& command, bool& two_stage) {
    static const names<bool> all = {{"full", false}, {"two-stage", true}};
    add_named(command, "--head", two_stage, all,
              "How logits are made; two stages make no more than --temp 0 or --top-k needs");
}

void add_sampling(CLI::App& command, model::sampling& values) {
    command
        .add_option("--temp", values.temperature, "Temperature; 0 takes the likeliest token [0]")
        ->check(CLI::Range(0.0f, 100.0f));
    command.add_option("--top-k", values.top_k, "Draw among the K likeliest tokens; 0: all [0]")
        ->check(CLI::Range(0, 1 << 30));
    command
        .add_option("--top-p", values.top_p, "Draw among the likeliest that together reach P [1]")
        ->check(CLI::Range(0.0f, 1.0f));
    command.add_option("--seed", values.seed, "Seed of the random numbers [0]");
}

}  // namespace tbx::runner
