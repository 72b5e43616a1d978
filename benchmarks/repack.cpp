// SPDX-License-Identifier: MIT
// Benchmarks. Enters: matrices as files hold them, in each format. Leaves: rows "Repack/FORMAT/
// LAYOUT/threads:N": how fast loading a model makes packed images of them.
#include <algorithm>
#include <string>
#include <vector>

#include "formats/all.hpp"
#include "formats/layout.hpp"
#include "formats/rows.hpp"
#include "rows.hpp"
#include "trilobit/pack/pack.hpp"

namespace trilobit_bench {
namespace {

namespace formats = tbx::formats;
using formats::kind;

/// Of BitNet 2B, whose tensors of one format are of this size and larger.
constexpr formats::shape matrix_of_2b{2560, 6912};

/// Random values of the format. Scales are those of the models that come in it: one for all in
/// TQ1_0 and TQ2_0, others that differ.
std::vector<std::byte> tensor_of(const formats::format& f) {
    std::vector<std::byte> bytes(static_cast<std::size_t>(f.bytes(matrix_of_2b).value_or(0)));
    std::vector<std::int8_t> values(static_cast<std::size_t>(matrix_of_2b.cols));
    std::vector<float> scales(static_cast<std::size_t>(f.scales_per_row(matrix_of_2b.cols)));
    const bool alike = f.name.starts_with("TQ");
    std::uint32_t x = 1;
    for (std::int64_t r = 0; r < matrix_of_2b.rows; ++r) {
        for (std::int64_t c = 0; c < matrix_of_2b.cols; ++c) {
            x = x * 1664525u + 1013904223u;
            const auto level = static_cast<int>(x >> 16) % formats::levels_of(f.values);
            auto& v = values[static_cast<std::size_t>(c)];
            v = static_cast<std::int8_t>(formats::lowest_of(f.values) +
                                         formats::step_of(f.values) * level);
            // One zero of each four that are stored together.
            if (f.name == "STQ1_0") v = c % 64 < 16 ? 0 : v < 0 ? -1 : 1;
        }
        for (std::size_t g = 0; g < scales.size(); ++g)
            scales[g] = alike ? 0.5f : 0.5f + static_cast<float>(g % 16) / 64;
        (void)f.write(bytes, matrix_of_2b, r, values.data(), scales.data());
    }
    return bytes;
}

trilobit::scale_spec spec_of(const formats::format& f) {
    if (f.name.starts_with("TQ") || f.scales == formats::scale_per::tensor ||
        f.scales == formats::scale_per::apart)
        return trilobit::scale_spec::tensor();
    return f.scales == formats::scale_per::row ? trilobit::scale_spec::row()
                                               : trilobit::scale_spec::group(f.group);
}

template <class L, class Executor>
void repack(benchmark::State& state, const formats::format& f, Executor& run) {
    const auto tensor = tensor_of(f);
    const formats::matrix_rows source(f, tensor, matrix_of_2b);
    const trilobit::scale_spec spec = spec_of(f);
    const auto shape = trilobit::packed_shape::of<L>(matrix_of_2b.rows, matrix_of_2b.cols, spec);
    trilobit::aligned_buffer memory(
        static_cast<std::size_t>(trilobit::packed_bytes(shape).value()));
    std::memset(memory.data(), 1, memory.size());  // its pages are there
    const auto row = [&](std::int64_t r, std::int8_t* values, float* scales) {
        float stored[128] = {1.0f};  // 108 groups of 64
        const formats::fault found = source.read(r, values, stored);
        std::copy_n(stored, spec.segments(matrix_of_2b.cols), scales);
        return found == formats::fault::none
                   ? trilobit::status{}
                   : trilobit::status{trilobit::errc::bad_value, "a row could not be read"};
    };
    stopwatch watch;
    trilobit::status problem;
    for (auto _ : state)
        watch.time([&] {
            const auto view =
                trilobit::pack_rows_into<L>({memory.data(), memory.size()}, matrix_of_2b.rows,
                                            matrix_of_2b.cols, row, {spec}, run);
            problem = view.error();
        });
    if (!problem.ok()) return state.SkipWithError(problem.text);
    state.counters["packed_gb_per_s"] = static_cast<double>(memory.size()) / watch.median() * 1e-9;
    state.counters["weights_per_s"] =
        static_cast<double>(matrix_of_2b.rows * matrix_of_2b.cols) / watch.median();
}

void register_layout(bench& b, const formats::format& f, trilobit::layout_id layout) {
    trilobit::visit_layout(layout, [&]<class L>() {
        const std::string name =
            "Repack/" + std::string(f.name) + "/" + std::string(L::name) + "/threads:";
        benchmark::RegisterBenchmark((name + "1").c_str(), [&f](benchmark::State& state) {
            repack<L>(state, f, trilobit::detail::calling_thread);
        });
        if (b.pool.concurrency() > 1)
            benchmark::RegisterBenchmark(
                (name + std::to_string(b.pool.concurrency())).c_str(),
                [&f, &b](benchmark::State& state) { repack<L>(state, f, b.pool); });
    });
}

}  // namespace

void register_repack(bench& b) {
    for (const formats::format* f : formats::all_formats) {
        if (!f->bytes(matrix_of_2b)) continue;
        register_layout(b, *f, formats::layout_of(f->values, trilobit::layout_id::ternary_2bit));
        // The plug-in packs these to the denser layout.
        if (f->values == kind::ternary) register_layout(b, *f, trilobit::layout_id::ternary_base3);
    }
}

}  // namespace trilobit_bench
