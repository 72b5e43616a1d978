// SPDX-License-Identifier: MIT
// Benchmarks. Enters: the list of regimes, each with its limit and its target. Leaves: the measured
// share of each limit beside the target, as a table and as JSON.
//
// A shared machine changes its clock and its memory from one tenth of a second to the next, so
// product and limit take turns of a few milliseconds in the same threads, a share is made within
// each turn, and the median of the shares is what counts.
#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <optional>
#include <stdexcept>
#include <string>

#include "rows.hpp"
#include "trilobit/dispatch/dispatch.hpp"

namespace trilobit_bench {
namespace {

using trilobit::activation_id;
using trilobit::layout_id;
using trilobit::scale_spec;

enum class bound {
    dot_peak,    // of the same back end
    read,        // weights come from DRAM
    row_scales,  // the same product without groups, whose scales span 128 columns here
};

struct regime {
    const char* line;
    layout_id layout;
    activation_id activation;
    bound limit;
    const char* arch;        // empty: the one that targets are set for, or the best there is
    double target;           // share of the limit; 0 where none is set
    std::int64_t tokens[3];  // up to the first 0
};

constexpr auto ternary = layout_id::ternary_2bit, base3 = layout_id::ternary_base3,
               planes = layout_id::ternary_planes, binary = layout_id::binary_1bit,
               fours = layout_id::ternary_3of4;
constexpr auto int8 = activation_id::int8, int4 = activation_id::int4, int2 = activation_id::int2,
               sign = activation_id::sign;
constexpr auto peak = bound::dot_peak, read = bound::read, rows = bound::row_scales;
constexpr const char* weaker = "weaker back ends, target of the technique's own bound";
constexpr const char* groups = "scales of 128 columns against scales of rows";

constexpr regime regimes[] = {
    {"ternary 2 bits x int8, prefill", ternary, int8, peak, "", 0.92, {32, 128}},
    {"ternary 2 bits x int8, few tokens", ternary, int8, peak, "", 0.85, {2, 4, 8}},
    {"ternary 2 bits x int8, one token in cache", ternary, int8, peak, "", 0.85, {1}},
    {"one token from DRAM", ternary, int8, read, "", 0.95, {1}},
    {"one token from DRAM", base3, int8, read, "", 0.92, {1}},
    {"one token from DRAM", binary, int8, read, "", 0.92, {1}},
    {"one token from DRAM", fours, int8, read, "", 0.92, {1}},
    {"ternary base 3 x int8, one token in cache", base3, int8, peak, "", 0.70, {1}},
    {"ternary base 3 x int8, few tokens", base3, int8, peak, "", 0.70, {2, 4, 8}},
    {"ternary base 3 x int8, prefill", base3, int8, peak, "", 0.88, {64, 128}},
    {"ternary 3 of 4 x int8, one token in cache", fours, int8, peak, "", 0.70, {1}},
    {"ternary 3 of 4 x int8, few tokens", fours, int8, peak, "", 0.70, {2, 4, 8}},
    {"ternary 3 of 4 x int8, prefill", fours, int8, peak, "", 0.88, {64, 128}},
    {"binary x int8, one token in cache", binary, int8, peak, "", 0.95, {1}},
    {"binary x int8, more tokens", binary, int8, peak, "", 0.92, {8, 32}},
    {"ternary base 3 x int4", base3, int4, peak, "", 1.25, {1, 8, 32}},
    {"binary x int4", binary, int4, peak, "", 2.00, {1, 8, 32}},
    {"ternary x int2", planes, int2, peak, "", 1.20, {8, 32}},
    {"ternary x sign", planes, sign, peak, "", 1.80, {8, 32}},
    {"binary x sign", binary, sign, peak, "", 5.00, {8, 32}},
    {groups, ternary, int8, rows, "", 0.92, {1, 32}},
    {groups, base3, int8, rows, "", 0.92, {1, 32}},
    {groups, binary, int8, rows, "", 0.92, {1, 32}},
    {groups, fours, int8, rows, "", 0.92, {1, 32}},
    {weaker, ternary, int8, peak, "avxvnni", 0.85, {32}},
    {weaker, binary, int8, peak, "avxvnni", 0.85, {32}},
    {weaker, ternary, int8, peak, "avx2", 0.85, {32}},
    {weaker, binary, int8, peak, "avx2", 0.85, {32}},
    {weaker, ternary, int8, peak, "ssse3", 0.85, {32}},
    {weaker, binary, int8, peak, "ssse3", 0.85, {32}},
    {weaker, ternary, int8, peak, "sse2", 0.85, {32}},
    {weaker, binary, int8, peak, "sse2", 0.85, {32}},
    {"ternary 2 bits x int8, tiles", ternary, int8, peak, "amx", 0, {32, 128}},
};

/// Null where this machine lacks it.
const trilobit::kernel_table* back_end(std::string_view arch) {
    const auto found = trilobit::dispatch::find(arch.empty() ? "avx512vnni" : arch);
    if (found.ok()) return found.value();
    return arch.empty() ? &trilobit::dispatch::best() : nullptr;
}

/// One matrix times some tokens, as a user calls it.
class product {
    bench& b;
    const trilobit::kernel_table& table;
    const trilobit::any_packed_matrix& w;
    const std::int64_t tokens;
    const bool dram;
    const trilobit::matmul_options options;
    std::vector<float> input, output;
    trilobit::context with;

    void call() {
        const trilobit::packed_view view = dram ? at_image(w, b.copies.take()) : w.view();
        const trilobit::status s = trilobit::matmul(
            with, view, trilobit::matrix_view<const float>(input.data(), tokens, view.cols),
            trilobit::matrix_view<float>(output.data(), tokens, view.rows));
        if (!s.ok()) throw std::runtime_error(s.text);
        benchmark::ClobberMemory();
    }

public:
    product(bench& shared, const trilobit::kernel_table& kernels, const regime& r, const shape& n_k,
            std::int64_t m, const scale_spec& scale)
        : b(shared),
          table(kernels),
          w(b.weights.get(r.layout, n_k, scale)),
          tokens(m),
          dram(r.limit == bound::read),
          options{r.activation},
          input(random_floats(m * n_k.cols, 7)),
          output(static_cast<std::size_t>(m * n_k.rows)),
          with{kernels, shared.pool, options} {
        if (!w.status().ok()) throw std::runtime_error(w.status().text);
        if (dram) b.copies.hold(w.bytes().data(), w.bytes().size());
    }

    /// The first call, which finds what the limit left in the caches, does not count.
    double calls_per_second(double seconds) {
        call();
        const double start = trilobit_limits::now();
        double calls = 0, passed = 0;
        for (; passed < seconds; passed = trilobit_limits::now() - start, ++calls) call();
        return calls / passed;
    }
    [[nodiscard]] double gmacs() const {
        return 1e-9 * static_cast<double>(tokens * w.view().rows * w.view().cols);
    }
    [[nodiscard]] double gigabytes() const {
        return 1e-9 * static_cast<double>(w.view().tiles_bytes() + w.view().scale_bytes());
    }
    [[nodiscard]] std::string kernel() const {
        const trilobit::activation_shape x{options.activation, tokens, w.view().cols, 0};
        const trilobit::kernel_entry* chosen = trilobit::choose_kernel(table, w.view(), x);
        return std::string(chosen == nullptr ? "none" : kernel_name(chosen->kernel));
    }
};

struct quartiles {
    double low, median, high;

    static quartiles of(std::vector<double> v) {
        std::sort(v.begin(), v.end());
        return {v[v.size() / 4], v[v.size() / 2], v[v.size() - 1 - v.size() / 4]};
    }
};

struct outcome {
    shape size;
    std::string kernel;
    quartiles ratio, value, limit;
};

outcome measure(bench& b, const regime& r, const trilobit::kernel_table& table, std::int64_t m) {
    const bool dram = r.limit == bound::read, grouped = r.limit == bound::row_scales;
    // Weights for one token lie in an L2 cache of half a MiB, as they are read once each time.
    const bool one = m == 1 && r.limit == bound::dot_peak && b.chosen.threads == 1;
    const shape extent = dram ? shape{6912, 2560} : one ? shape{640, 2560} : shape{2560, 2560};
    product subject(b, table, r, extent, m, grouped ? scale_spec::group(128) : b.chosen.scale);
    std::optional<product> plain;
    if (grouped) plain.emplace(b, table, r, extent, m, scale_spec::row());
    // From DRAM as long as a look at the memory takes.
    const double work = dram ? subject.gigabytes() : subject.gmacs(), spell = dram ? 4e-2 : 4e-3;

    std::vector<double> ratios, values, limits;
    for (int left = dram ? (b.chosen.rounds + 2) / 3 : b.chosen.rounds; left > 0; --left) {
        limits.push_back(dram      ? b.limits.read_gb_per_s()
                         : grouped ? work * plain->calls_per_second(spell)
                                   : b.limits.peak(table.name) * 1e-9);
        values.push_back(work * subject.calls_per_second(spell));
        if (limits.back() <= 0)
            throw std::runtime_error("--regimes: a limit could not be measured on this machine");
        ratios.push_back(values.back() / limits.back());
    }
    return {extent, subject.kernel(), quartiles::of(std::move(ratios)),
            quartiles::of(std::move(values)), quartiles::of(std::move(limits))};
}

void print(const regime& r, std::string_view arch, std::int64_t m, const outcome& o) {
    char target[16] = "-";
    if (r.target > 0) std::snprintf(target, sizeof target, "%.0f %%", 100 * r.target);
    std::printf("  %-15s %-4s %4d  %-11s %-14s %7s %8.1f %%  %6.1f .. %-6.1f %9.1f %9.1f %s\n",
                std::string(layout_name(r.layout)).c_str(),
                std::string(activation_name(r.activation)).c_str(), static_cast<int>(m),
                std::string(arch).c_str(), o.kernel.c_str(), target, 100 * o.ratio.median,
                100 * o.ratio.low, 100 * o.ratio.high, o.value.median, o.limit.median,
                r.limit == bound::read ? "GB/s" : "GMAC/s");
}

std::string json(const regime& r, std::string_view arch, std::int64_t m, int threads,
                 const outcome& o) {
    const auto text = [](const char* key, std::string_view value) {
        return '"' + std::string(key) + "\": \"" + std::string(value) + "\", ";
    };
    const auto number = [](const char* key, double value) {
        char digits[32];
        std::snprintf(digits, sizeof digits, "%.6g", value);
        return '"' + std::string(key) + "\": " + digits + ", ";
    };
    const bool dram = r.limit == bound::read;
    return '{' + text("line", r.line) + text("layout", layout_name(r.layout)) +
           text("activation", activation_name(r.activation)) + text("arch", arch) +
           text("kernel", o.kernel) + number("n", static_cast<double>(o.size.rows)) +
           number("k", static_cast<double>(o.size.cols)) + number("m", static_cast<double>(m)) +
           "\"dram\": " + (dram ? "true, " : "false, ") + number("threads", threads) +
           number("ratio_median", o.ratio.median) + number("ratio_low", o.ratio.low) +
           number("ratio_high", o.ratio.high) + number("value", o.value.median) +
           number("limit", o.limit.median) + text("unit", dram ? "GB/s" : "GMAC/s") +
           "\"target\": " + (r.target > 0 ? std::to_string(r.target) : "null") + '}';
}

}  // namespace

void run_regimes(bench& b) {
    const std::string& file = b.chosen.regimes_file;
    std::ofstream out;
    const auto check_file = [&] {
        if (!file.empty() && !out) throw std::runtime_error(file + ": cannot be written");
    };
    if (!file.empty()) out.open(file);
    check_file();
    std::printf(
        "%d %s, %d rounds; measured and limit are medians, the share is that of the rounds\n",
        b.chosen.threads, b.chosen.threads == 1 ? "thread" : "threads", b.chosen.rounds);
    std::printf("  %-15s %-4s %4s  %-11s %-14s %7s %10s  %16s %9s %9s\n", "weights", "x", "M",
                "back end", "kernel", "target", "share", "quartiles    ", "measured", "limit");
    std::string_view line;
    const char* before = "[\n  ";
    for (const regime& r : regimes) {
        if (line != r.line) std::printf("%s\n", r.line);
        line = r.line;
        const trilobit::kernel_table* table = back_end(r.arch);
        if (table == nullptr)
            std::printf("  %-15s skipped, this machine has no %s\n",
                        std::string(layout_name(r.layout)).c_str(), r.arch);
        for (const std::int64_t m : r.tokens) {
            if (table == nullptr || m == 0) break;
            const outcome o = measure(b, r, *table, m);
            print(r, table->name, m, o);
            std::fflush(stdout);
            out << before << json(r, table->name, m, b.chosen.threads, o);
            before = ",\n  ";
        }
    }
    out << "\n]\n";
    out.flush();
    check_file();
}

}  // namespace trilobit_bench
