// SPDX-License-Identifier: MIT
// Benchmarks. Enters: the command line. Leaves: the limits of this machine, then rows measured
// against them, in the formats of Google Benchmark.
#include <cstdio>
#include <exception>
#include <fstream>
#include <string>

#include "rows.hpp"
#include "trilobit/dispatch/dispatch.hpp"

namespace {

using namespace trilobit_bench;

void list_kernels() {
    std::printf("%-16s %-8s %-10s %s\n", "layout", "x", "kernel", "arch");
    for (const trilobit::kernel_table* table : trilobit::dispatch::available())
        for (const trilobit::kernel_entry& e : *table)
            std::printf("%-16s %-8s %-10s %s\n", std::string(layout_name(e.layout)).c_str(),
                        std::string(activation_name(e.activation)).c_str(),
                        std::string(kernel_name(e.kernel)).c_str(),
                        std::string(table->name).c_str());
}

std::string figure(const char* format, double value) {
    char text[64];
    std::snprintf(text, sizeof text, format, value);
    return text;
}

/// As the system calls it; empty where it does not say.
std::string processor_name() {
    std::ifstream info("/proc/cpuinfo");
    for (std::string line; std::getline(info, line);)
        if (line.starts_with("model name") && line.find(": ") != std::string::npos)
            return line.substr(line.find(": ") + 2);
    return {};
}

/// The limits, at the top of every report and in its JSON.
void add_context(bench& b) {
    if (const auto name = processor_name(); !name.empty()) benchmark::AddCustomContext("cpu", name);
    benchmark::AddCustomContext("threads", std::to_string(b.chosen.threads));
    benchmark::AddCustomContext("core_ghz", figure("%.3f", yardstick::hertz() * 1e-9));
    const auto read = b.limits.best_read();
    benchmark::AddCustomContext("read_gb_per_s", figure("%.2f", read.gb_per_s));
    benchmark::AddCustomContext("read_page_bytes", std::to_string(read.page_bytes));
    for (const trilobit::kernel_table* table : trilobit::dispatch::available()) {
        const std::string name(table->name);
        benchmark::AddCustomContext("peak_gmac_per_s_" + name,
                                    figure("%.1f", b.limits.peak(name) * 1e-9) + " (" +
                                        std::string(trilobit_limits::dot_peak_instruction(name)) +
                                        ")");
    }
}

int run(int argc, char** argv) {
    options chosen = read_options(argc, argv);
    if (!chosen.problem.empty()) {
        std::fprintf(stderr, "trilobit: %s\n", chosen.problem.c_str());
        return 2;
    }
    if (chosen.help) std::fputs(help_text(), stdout);
    if (chosen.list_kernels) list_kernels();
    if (chosen.help || chosen.list_kernels) return 0;

    if (chosen.regimes) {
        bench b(chosen);
        run_regimes(b);
        return 0;
    }

    std::vector<char*> rest;
    bool only_names = false;
    for (std::string& a : chosen.rest) {
        rest.push_back(a.data());
        only_names |= a.starts_with("--benchmark_list_tests");
    }
    int count = static_cast<int>(rest.size());
    rest.push_back(nullptr);
    benchmark::Initialize(&count, rest.data());
    if (count > 1) {
        std::fprintf(stderr, "trilobit: %s: unknown option, see --help\n", rest[1]);
        return 2;
    }
    bench b(chosen);
    if (!only_names) add_context(b);
    register_gemm(b);
    register_parts(b);
    register_repack(b);
    register_primitives(b);
    register_openblas(b);
    register_onednn(b);
    benchmark::RunSpecifiedBenchmarks();
    benchmark::Shutdown();
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return run(argc, argv);
    } catch (const std::exception& problem) {
        std::fprintf(stderr, "trilobit: %s\n", problem.what());
        return 1;
    }
}
