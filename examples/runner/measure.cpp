// SPDX-License-Identifier: MIT
// Room examples/runner. Enters: a model and a plan. Leaves: times; see bench.hpp.
#include <algorithm>
#include <array>
#include <cmath>
#include <memory>

#include "model/sampler.hpp"
#include "runner/bench.hpp"
#include "runner/simulated_drafts.hpp"
#include "runner/speculation.hpp"
#include "runner/stopwatch.hpp"
#include "support/interrupt.hpp"

namespace tbx::runner {
namespace {

/// The same text with guesses, and passes of more tokens than one by themselves.
class with_guesses {
    model::compute& cpu;
    const model::transformer& m;
    model::state& s;
    const bench_plan& plan;
    std::span<const model::token_id> text;
    speculation ahead;
    std::vector<double> seconds;  // of all tokens
    std::array<std::vector<double>, pace::most> passes;

public:
    with_guesses(model::compute& computer, const model::transformer& of, model::state& its,
                 const bench_plan& p, std::span<const model::token_id> tokens)
        : cpu(computer),
          m(of),
          s(its),
          plan(p),
          text(tokens),
          ahead(std::make_unique<simulated_drafts>(computer, *p.guesses, tokens, p.prefill,
                                                   of.weights.embedding.rows()),
                p.guesses->together) {}

    void round() {
        const model::sampler any(cpu.dense, {});
        s.cache.length = plan.prefill;
        ahead.forget();
        stopwatch watch;
        for (std::int64_t i = 1; i <= plan.decode && !support::interrupted(); ++i)
            (void)ahead.step(cpu, m, s, plan.head,
                             text.first(static_cast<std::size_t>(plan.prefill + i)), any);
        seconds.push_back(watch.lap());
        for (std::size_t n = 1; n <= passes.size() && !support::interrupted(); ++n) {
            if (plan.prefill + static_cast<std::int64_t>(n) > std::ssize(text)) break;
            s.cache.length = plan.prefill;
            (void)watch.lap();
            (void)model::forward(cpu, m, s, text.subspan(static_cast<std::size_t>(plan.prefill), n),
                                 model::logits_of::all);
            passes[n - 1].push_back(watch.lap());
        }
    }

    void tell(bench_result& r) const {
        if (const double time = quantile(seconds, 0.5); time > 0)
            r.guessed_tokens_per_s = static_cast<double>(plan.decode) / time;
        if (ahead.passes > 0)
            r.tokens_per_pass =
                static_cast<double>(ahead.tokens) / static_cast<double>(ahead.passes);
        const double one = quantile(passes.front(), 0.5);
        for (const auto& some : passes)
            if (!some.empty() && one > 0) r.costs.push_back(quantile(some, 0.5) / one);
    }
};

}  // namespace

double quantile(std::vector<double> samples, double part) {
    if (samples.empty()) return 0;
    std::sort(samples.begin(), samples.end());
    const double at = part * static_cast<double>(samples.size() - 1);
    return samples[static_cast<std::size_t>(std::lround(at))];
}

bench_result measure(model::compute& cpu, const model::transformer& m, model::state& s,
                     const bench_plan& plan, const model::progress& report,
                     const std::function<void()>& between) {
    model::random_numbers random(1);
    const auto vocab = static_cast<std::uint64_t>(m.weights.embedding.rows());
    std::vector<model::token_id> text(static_cast<std::size_t>(plan.prefill + plan.decode));
    for (model::token_id& id : text) id = static_cast<model::token_id>(random.bits() % vocab);
    const std::span<const model::token_id> prompt(text.data(),
                                                  static_cast<std::size_t>(plan.prefill));
    std::optional<with_guesses> guessed;
    if (plan.guesses) guessed.emplace(cpu, m, s, plan, text);
    std::vector<double> prefills, decodes, steps;  // seconds
    const double total = static_cast<double>(plan.rounds) *
                         static_cast<double>(plan.prefill + 8 * plan.decode);  // steps are slower
    double done = 0;
    const auto advance = [&](double units) {
        done += units;
        if (report) report(done / total);
    };
    for (int round = 0; round < plan.rounds && !support::interrupted(); ++round) {
        s.cache.length = 0;
        stopwatch watch;
        double seconds = 0;
        for (auto left = prompt; !left.empty() && !support::interrupted();) {
            const auto n = std::min(left.size(), static_cast<std::size_t>(s.batch));
            (void)watch.lap();
            if (n == left.size())
                (void)model::predict(cpu, m, s, left, plan.head);
            else
                (void)model::forward(cpu, m, s, left.first(n), model::logits_of::none);
            seconds += watch.lap();
            left = left.subspan(n);
            advance(static_cast<double>(n));
        }
        if (support::interrupted()) break;
        if (plan.prefill > 0) prefills.push_back(seconds);
        double all_steps = 0;
        for (std::int64_t i = 0; i < plan.decode && !support::interrupted(); ++i) {
            const model::token_id id = text[static_cast<std::size_t>(plan.prefill + i)];
            (void)watch.lap();
            (void)model::predict(cpu, m, s, {&id, 1}, plan.head);
            steps.push_back(watch.lap());
            all_steps += steps.back();
            advance(8);
        }
        if (plan.decode > 0 && !support::interrupted()) decodes.push_back(all_steps);
        if (guessed && !support::interrupted()) guessed->round();
        between();
    }
    const auto rate = [](std::int64_t tokens, double seconds) {
        return seconds > 0 ? static_cast<double>(tokens) / seconds : 0.0;
    };
    bench_result r{.prefill_tokens_per_s = rate(plan.prefill, quantile(prefills, 0.5)),
                   .decode_tokens_per_s = rate(plan.decode, quantile(decodes, 0.5)),
                   .decode_ms_p50 = 1e3 * quantile(steps, 0.5),
                   .decode_ms_p90 = 1e3 * quantile(steps, 0.9),
                   .prefill_ms_p50 = 1e3 * quantile(prefills, 0.5),
                   .prefill_ms_p90 = 1e3 * quantile(prefills, 0.9)};
    if (guessed) guessed->tell(r);
    return r;
}

}  // namespace tbx::runner
