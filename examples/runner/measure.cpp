// SPDX-License-Identifier: MIT
// Room examples/runner. Enters: a model and a plan. Leaves: times; see bench.hpp.
#include <algorithm>
#include <cmath>

#include "model/sampler.hpp"
#include "runner/bench.hpp"
#include "runner/session.hpp"
#include "support/interrupt.hpp"

namespace tbx::runner {

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
    const auto token = [&] { return static_cast<model::token_id>(random.bits() % vocab); };
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
        std::vector<model::token_id> prompt(static_cast<std::size_t>(plan.prefill));
        std::generate(prompt.begin(), prompt.end(), token);
        stopwatch watch;
        double seconds = 0;
        for (std::span<const model::token_id> left(prompt);
             !left.empty() && !support::interrupted();) {
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
            const model::token_id id = token();
            (void)watch.lap();
            (void)model::predict(cpu, m, s, {&id, 1}, plan.head);
            steps.push_back(watch.lap());
            all_steps += steps.back();
            advance(8);
        }
        if (plan.decode > 0 && !support::interrupted()) decodes.push_back(all_steps);
        between();
    }
    const auto rate = [](std::int64_t tokens, double seconds) {
        return seconds > 0 ? static_cast<double>(tokens) / seconds : 0.0;
    };
    return {.prefill_tokens_per_s = rate(plan.prefill, quantile(prefills, 0.5)),
            .decode_tokens_per_s = rate(plan.decode, quantile(decodes, 0.5)),
            .decode_ms_p50 = 1e3 * quantile(steps, 0.5),
            .decode_ms_p90 = 1e3 * quantile(steps, 0.9),
            .prefill_ms_p50 = 1e3 * quantile(prefills, 0.5),
            .prefill_ms_p90 = 1e3 * quantile(prefills, 0.9)};
}

}  // namespace tbx::runner
