// SPDX-License-Identifier: MIT
// Benchmarks. Enters: every kernel of every back end this machine has. Leaves: a row for each,
// shape and number of tokens, from cache and from DRAM, through matmul() as a user calls it.
#include <string>

#include "rows.hpp"
#include "trilobit/dispatch/dispatch.hpp"

namespace trilobit_bench {
namespace {

struct row {
    const trilobit::kernel_table* table;
    const trilobit::kernel_entry* entry;
    shape size;
    std::int64_t tokens;
    int zeros;  // percent of the activations
    bool dram;

    [[nodiscard]] std::string name() const {
        return "Gemm/" + std::string(layout_name(entry->layout)) + "/" +
               std::string(activation_name(entry->activation)) + "/" +
               std::string(kernel_name(entry->kernel)) + "/" + std::string(table->name) +
               "/N:" + std::to_string(size.rows) + "/K:" + std::to_string(size.cols) +
               "/M:" + std::to_string(tokens) +
               (zeros != 0 ? "/zeros:" + std::to_string(zeros) : "") + (dram ? "/dram" : "");
    }
};

/// Rows where zeros may change the time, on the shape of the layer that meets them.
bool skips_zeros(const row& r) {
    return r.tokens == 1 && r.entry->kernel == trilobit::kernel_id::dot &&
           r.entry->activation == trilobit::activation_id::int8 &&
           r.entry->layout != trilobit::layout_id::ternary_base3 &&
           r.entry->layout != trilobit::layout_id::ternary_3of4 && r.size.cols > r.size.rows;
}

void run(benchmark::State& state, bench& b, const row& r) {
    const trilobit::any_packed_matrix& w = b.weights.get(r.entry->layout, r.size);
    if (!w.status().ok()) return state.SkipWithError(w.status().text);
    auto input = random_floats(r.tokens * r.size.cols, 7);
    set_zeros(input, r.zeros, 8);
    std::vector<float> output(static_cast<std::size_t>(r.tokens * r.size.rows));
    const trilobit::matrix_view<const float> x(input.data(), r.tokens, r.size.cols);
    const trilobit::matrix_view<float> y(output.data(), r.tokens, r.size.rows);
    trilobit::context c{*r.table, b.pool, {r.entry->activation, 0, r.entry->kernel}};
    const auto multiply = [&](const trilobit::packed_view& v) {
        return trilobit::matmul(c, v, x, y);
    };

    if (const auto s = multiply(w); !s.ok()) return state.SkipWithError(s.text);
    if (r.dram) b.copies.hold(w.bytes().data(), w.bytes().size());
    measured m;
    m.peak = b.limits.peak(r.table->name);
    m.hertz = yardstick::hertz();
    m.read_gb_per_s = r.dram ? b.limits.read_gb_per_s() : b.limits.best_read().gb_per_s;
    stopwatch watch;
    for (auto _ : state)
        watch.time([&] {
            auto s = r.dram ? multiply(at_image(w, b.copies.take())) : multiply(w);
            benchmark::DoNotOptimize(s.code);
            benchmark::ClobberMemory();
        });
    m.peak = (m.peak + b.limits.peak(r.table->name)) / 2;
    if (r.dram) m.read_gb_per_s = (m.read_gb_per_s + b.limits.read_gb_per_s()) / 2;
    m.seconds = watch.median();
    m.macs = static_cast<double>(r.tokens * r.size.rows * r.size.cols);
    m.bytes = static_cast<double>(w.view().tiles_bytes() + w.view().scale_bytes());
    set_counters(state, b.limits, m);
}

}  // namespace

void register_gemm(bench& b) {
    for (const trilobit::kernel_table* table : trilobit::dispatch::available())
        for (const trilobit::kernel_entry& entry : *table)
            for (const shape& s : shapes)
                for (const std::int64_t tokens : batches)
                    for (const int zeros : zero_percents)
                        for (const bool dram : {false, true}) {
                            const row r{table, &entry, s, tokens, zeros, dram};
                            if (zeros != 0 && !skips_zeros(r)) continue;
                            benchmark::RegisterBenchmark(
                                r.name().c_str(),
                                [&b, r](benchmark::State& state) { run(state, b, r); });
                        }
}

}  // namespace trilobit_bench
