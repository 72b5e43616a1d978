// SPDX-License-Identifier: MIT
// Room examples/runner. Enters: a model file, or the name of a shape whose weights are then made up
// in memory. Leaves: speed, beside what the memory of this machine allows, for people or as JSON.
#include "runner/bench.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <memory>
#include <optional>

#include <limits/limits.hpp>
#include <nlohmann/json.hpp>

#include "model/shapes.hpp"
#include "runner/bench_report.hpp"
#include "runner/bench_subject.hpp"
#include "runner/commands.hpp"
#include "runner/memory.hpp"
#include "runner/options.hpp"
#include "runner/pace.hpp"
#include "runner/stopwatch.hpp"
#include "support/interrupt.hpp"
#include "support/names.hpp"
#include "support/progress.hpp"

namespace tbx::runner {
namespace {

/// The family that `automatic` means for the widest matrix, with so many tokens.
std::string chosen_kernel(const model::compute& cpu, const model::transformer& m,
                          std::int64_t tokens) {
    const model::layer_weights& l = m.weights.layers.front();
    const trilobit::packed_view* w =
        (l.gate_experts.empty() ? l.gate : l.gate_experts.front()).packed();
    if (w == nullptr) return "dense";
    const trilobit::matmul_options& options = cpu.context.options;
    const trilobit::activation_shape x{options.activation, tokens, w->cols,
                                       options.activation_group};
    const trilobit::kernel_entry* entry =
        trilobit::choose_kernel(cpu.context.kernels, *w, x, options.kernel);
    machine_options named;
    if (entry != nullptr) named.kernel = entry->kernel;
    return named.kernel_text();
}

std::string head_text(const model::linear& head) {
    if (head.rows() == 0) return "none";
    if (head.packed() != nullptr) return "packed";
    return std::string(model::name_of(std::get<model::dense_matrix>(head.weights).type));
}

/// What a token takes beside its layers, and for each of them.
struct law {
    double beside_ms, layer_ms;
};

/// By a second measurement with half of the layers. No token of one model has to do with another.
law measure_law(model::compute& cpu, model::transformer& m, model::state& s, bench_plan plan,
                double whole_ms) {
    const std::int64_t all = m.config.layers, half = all / 2;
    plan.rounds = 1;
    plan.guesses.reset();
    m.config.layers = half;
    const double half_ms = measure(cpu, m, s, plan, {}, [] {}).decode_ms_p50;
    m.config.layers = all;
    const double layer_ms = (whole_ms - half_ms) / static_cast<double>(all - half);
    return {whole_ms - static_cast<double>(all) * layer_ms, layer_ms};
}

nlohmann::ordered_json run(const bench_options& o) {
    const support::interrupt_watch watch;
    model::compute cpu(o.machine.thread_count(), {.kernel = o.machine.kernel}, model::chosen_arch(),
                       o.machine.activations);
    stopwatch time;
    bench_subject loaded = load_subject(o, cpu);
    const model::config& c = loaded.model.config;
    const model::weights& w = loaded.model.weights;
    const std::int64_t positions = o.plan.prefill + o.plan.decode;
    if (!o.file.empty() && positions > c.context)
        throw error("-p and -n", std::to_string(positions) + " tokens do not fit the context of " +
                                     std::to_string(c.context));
    bench_plan plan = o.plan;
    std::optional<model::two_stage_head> two_stage;
    if (o.head == two_stage_name) {
        two_stage.emplace(cpu, w.head);
        if (!two_stage->usable())
            throw error("--head", "this model's is not dense, so there is nothing to round");
        plan.head = {&*two_stage, 1};
    }
    std::optional<model::transformer> draft;
    if (plan.guesses && !o.draft.empty()) {
        draft = draft_for(c, w, o, cpu);
        plan.guesses->draft = &*draft;
    }
    const double load_seconds = time.lap();
    const std::int64_t batch =
        std::clamp<std::int64_t>(o.plan.prefill, plan.guesses ? pace::most : 1, o.machine.batch);
    model::state state(c, positions, batch);

    // The probe comes after the first round, so that its buffers are not taken for the model's.
    std::int64_t resident = 0;
    std::optional<trilobit_limits::memory_probe> probe;
    support::progress_bar bar("measuring");
    double measured = 0;
    const bench_result r = measure(
        cpu, loaded.model, state, plan, [&](double done) { bar.update(measured = done); },
        [&] {
            bar.update(measured, "reading memory");
            if (!probe) resident = peak_resident_bytes();
            if (!probe) probe.emplace(cpu.pool.concurrency());
            (void)probe->round();
        });
    bar.clear();
    for (int round = o.plan.rounds; round < 3 && probe && !support::interrupted(); ++round)
        (void)probe->round();
    const std::int64_t whole_layers =
        o.layers > 0 ? model::config_of_shape(o.shape).layers : c.layers;
    std::optional<law> grows;
    if (c.layers > 1 && c.layers < whole_layers && plan.decode > 0)
        grows = measure_law(cpu, loaded.model, state, plan, r.decode_ms_p50);
    if (support::interrupted() || !probe) throw early_exit{130};
    const double read = probe->best().gb_per_s;
    const double peak = trilobit_limits::dot_peak_macs_per_second(cpu.context.kernels.name,
                                                                  cpu.pool.concurrency()) *
                        1e-9;

    const double layer_gmacs = static_cast<double>(c.linear_weights()) * 1e-9;
    const double prefill_gmacs = r.prefill_tokens_per_s * layer_gmacs;
    const double decode_gmacs = r.decode_tokens_per_s * layer_gmacs;
    std::int64_t weight_bytes = loaded.model.bytes_per_token();
    if (two_stage) weight_bytes += std::llround(two_stage->mean_bytes()) - w.head.bytes();
    const double decode_gb = r.decode_tokens_per_s * static_cast<double>(weight_bytes) * 1e-9;
    const auto part = [](double value, double of) { return of > 0 ? value / of : 0.0; };
    nlohmann::ordered_json out;
    out["shape"] = o.file.empty() ? o.shape : (c.name.empty() ? o.file : c.name);
    // A file of images has layouts of its own.
    const trilobit::packed_view* first = w.layers.empty() ? nullptr : w.layers.front().q.packed();
    out["layout"] = first != nullptr ? std::string(trilobit::layout_name(first->layout))
                                     : o.machine.layout_text();
    out["kernel"] = chosen_kernel(cpu, loaded.model, 1);
    out["prefill_kernel"] = chosen_kernel(cpu, loaded.model, batch);
    out["arch"] = cpu.context.kernels.name;
    out["threads"] = cpu.pool.concurrency();
    out["head"] = head_text(w.head) + (two_stage ? " in two stages" : "");
    out["prefill_tokens"] = o.plan.prefill;
    out["decode_tokens"] = o.plan.decode;
    out["rounds"] = o.plan.rounds;
    out["prefill_tokens_per_s"] = r.prefill_tokens_per_s;
    out["decode_tokens_per_s"] = r.decode_tokens_per_s;
    out["prefill_ms_p50"] = r.prefill_ms_p50;
    out["prefill_ms_p90"] = r.prefill_ms_p90;
    out["decode_ms_p50"] = r.decode_ms_p50;
    out["decode_ms_p90"] = r.decode_ms_p90;
    if (plan.guesses) {
        out["guess_agreement"] = plan.guesses->agreement;
        out["guessed_tokens_per_s"] = r.guessed_tokens_per_s;
        out["guessed_tokens_per_pass"] = r.tokens_per_pass;
        out["guessed_gain"] = part(r.guessed_tokens_per_s, r.decode_tokens_per_s);
        out["pass_costs"] = r.costs;
    }
    out["bytes_per_token"] = weight_bytes;
    if (two_stage)
        out["rows_rescored_per_token"] = part(static_cast<double>(two_stage->rows_rescored()),
                                              static_cast<double>(two_stage->calls()));
    out["kv_bytes_per_token"] =
        state.cache.bytes_per_position(c.layers) * (o.plan.prefill + o.plan.decode / 2);
    out["read_gb_per_s"] = read;
    out["decode_fraction_of_read"] = part(decode_gb, read);
    out["dot_peak_gmac_per_s"] = peak;
    out["prefill_gmac_per_s"] = prefill_gmacs;
    out["prefill_fraction_of_peak"] = part(prefill_gmacs, peak);
    out["decode_fraction_of_peak"] = part(decode_gmacs, peak);
    if (c.layers < whole_layers) out["layers"] = c.layers;
    if (grows) {
        out["ms_beside_layers"] = grows->beside_ms;
        out["ms_per_layer"] = grows->layer_ms;
        out["all_layers"] = whole_layers;
        out["all_layers_tokens_per_s"] =
            part(1e3, grows->beside_ms + grows->layer_ms * static_cast<double>(whole_layers));
    }
    out["load_seconds"] = load_seconds;
    out["neurons_pruned"] = loaded.model.pruned_neurons();
    out["peak_rss_mb"] = static_cast<double>(resident) / (1024.0 * 1024.0);
    return out;
}

}  // namespace

void add_bench(CLI::App& app) {
    const auto o = std::make_shared<bench_options>();
    CLI::App* command =
        app.add_subcommand("bench", "Measure speed and compare it with the machine's");
    auto* file = command->add_option("-m,--model", o->file, "GGUF file")->type_name("FILE");
    std::vector<std::string> names, head_names;
    for (const std::string_view name : model::shape_names()) names.emplace_back(name);
    for (const auto& [name, type] : bench_heads()) head_names.push_back(name);
    add_read_as(*command, o->read_as);
    auto* shape = command
                      ->add_option("--shape", o->shape,
                                   "Random weights of a shape: " + support::listed(names))
                      ->type_name("NAME");
    file->excludes(shape);
    command->add_option("--layers", o->layers, "Only the first N layers of the shape [all]")
        ->transform(whole_number(1, 1 << 20))
        ->needs(shape)
        ->type_name("N");
    o->machine.add_to(*command);
    auto* head =
        command
            ->add_option("--head", o->head,
                         "With --shape, embedding and head: " + support::listed(head_names) +
                             " [f16]. With --model only two-stage, over the head of the file")
            ->type_name("NAME")
            ->check(one_of(head_names));
    const auto tokens = whole_number(0, 1 << 20);
    command->add_option("-p,--prefill", o->plan.prefill, "Tokens of the prompt [512]")
        ->transform(tokens);
    command->add_option("-n,--decode", o->plan.decode, "Tokens made after it [128]")
        ->transform(tokens);
    command->add_option("-r,--rounds", o->plan.rounds, "Rounds; medians are reported [3]")
        ->transform(whole_number(1, 10000));
    auto* guesses =
        command
            ->add_option_function<double>(
                "--speculate",
                [o](double agreement) {
                    if (!o->plan.guesses) o->plan.guesses.emplace();
                    o->plan.guesses->agreement = agreement;
                },
                "Decode with guesses as well, each of which is right with this probability")
            ->check(number_between(0, 1))
            ->type_name("P");
    command
        ->add_option_function<int>(
            "--together",
            [o](int together) {
                if (!o->plan.guesses) o->plan.guesses.emplace();
                o->plan.guesses->together = together;
            },
            "Tokens checked at once [as many as pay, up to 8]")
        ->transform(whole_number(2, pace::most))
        ->needs(guesses)
        ->type_name("N");
    command
        ->add_option("--draft", o->draft,
                     "A shape that guesses, for its time; without it guesses cost nothing")
        ->needs(guesses)
        ->type_name("NAME");
    command->add_option("--seed", o->seed, "Seed of the random weights [1]")
        ->transform(seed_number());
    command->add_flag("--json", o->json, "One JSON object instead of text");
    command->callback([o, file, shape, head] {
        if (file->count() + shape->count() == 0) throw CLI::RequiredError("--model or --shape");
        if (file->count() > 0 && head->count() > 0 && o->head != two_stage_name)
            throw CLI::ValidationError("--head",
                                       "the file's own is measured, in full or two-stage");
        if (o->plan.prefill + o->plan.decode == 0)
            throw CLI::ValidationError(
                "--prefill", "it and --decode are both 0, so there is nothing to measure");
        const auto result = run(*o);
        if (o->json)
            (void)std::printf("%s\n", result.dump(2).c_str());
        else
            print_bench(result);
    });
}

}  // namespace tbx::runner
