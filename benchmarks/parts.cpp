// SPDX-License-Identifier: MIT
// Benchmarks. Enters: layouts and activations. Leaves: rows for what surrounds a multiplication:
// packing float weights, quantising a token.
#include <string>

#include "rows.hpp"
#include "trilobit/dispatch/dispatch.hpp"

namespace trilobit_bench {
namespace {

constexpr shape size{2560, 2560};

template <class Layout>
void pack(benchmark::State& state, bench& b) {
    const auto floats = random_floats(size.rows * size.cols, 11);
    stopwatch watch;
    trilobit::status problem;
    for (auto _ : state)
        watch.time([&] {
            const auto w = trilobit::pack<Layout>({floats.data(), size.rows, size.cols},
                                                  {b.chosen.scale}, b.pool);
            problem = w.status();
            const std::byte* tiles = w.view().tiles;
            benchmark::DoNotOptimize(tiles);
        });
    if (!problem.ok()) return state.SkipWithError(problem.text);
    state.counters["weights_per_s"] = static_cast<double>(size.rows * size.cols) / watch.median();
}

void quantize(benchmark::State& state, trilobit::quantize_function f, trilobit::activation_id id) {
    constexpr std::int64_t tokens = 32;
    const auto floats = random_floats(tokens * size.cols, 13);
    const trilobit::activation_shape shape{id, tokens, size.cols, 0};
    trilobit::aligned_buffer values(static_cast<std::size_t>(shape.value_bytes()));
    std::vector<float> scales(static_cast<std::size_t>(tokens));
    const double hertz = yardstick::hertz();
    stopwatch watch;
    for (auto _ : state)
        watch.time([&] {
            for (std::int64_t m = 0; m < tokens; ++m) {
                auto s = f(shape, m, floats.data() + m * size.cols,
                           reinterpret_cast<std::int8_t*>(values.data()), scales.data());
                benchmark::DoNotOptimize(s.code);
            }
        });
    if (hertz > 0)
        state.counters["values_per_cycle"] =
            static_cast<double>(tokens * size.cols) / watch.median() / hertz;
}

}  // namespace

void register_parts(bench& b) {
    const auto one_layout = [&]<class L>() {
        benchmark::RegisterBenchmark(("Pack/" + std::string(L::name)).c_str(),
                                     [&b](benchmark::State& state) { pack<L>(state, b); });
        return false;
    };
    trilobit::any_type(trilobit::layouts{}, one_layout);
    for (const trilobit::kernel_table* table : trilobit::dispatch::available()) {
        const auto one_activation = [&]<class Act>() {
            const auto f = table->quantize[static_cast<int>(Act::id)];
            const auto name = "Quantize/" + std::string(Act::name) + "/" + std::string(table->name);
            benchmark::RegisterBenchmark(
                name.c_str(), [f](benchmark::State& state) { quantize(state, f, Act::id); });
            return false;
        };
        trilobit::any_type(trilobit::activations{}, one_activation);
    }
}

}  // namespace trilobit_bench
