// SPDX-License-Identifier: MIT
// Room examples/runner. Enters: what `bench` has measured. Leaves: lines for people.
#include "runner/bench_report.hpp"

#include <cstdio>
#include <string>

#include "support/human.hpp"

namespace tbx::runner {

void print_bench(const nlohmann::ordered_json& j) {
    const auto number = [&](const char* key) { return j.at(key).get<double>(); };
    (void)std::printf(
        "%s, %s, kernel %s on %s, %d threads, head %s\n", j.at("shape").get<std::string>().c_str(),
        j.at("layout").get<std::string>().c_str(), j.at("kernel").get<std::string>().c_str(),
        j.at("arch").get<std::string>().c_str(), j.at("threads").get<int>(),
        j.at("head").get<std::string>().c_str());
    (void)std::printf("prefill  %10.1f tokens/s  (%.0f tokens; %.1f GMAC/s, %.0f %% of the peak)\n",
                      number("prefill_tokens_per_s"), number("prefill_tokens"),
                      number("prefill_gmac_per_s"), 100.0 * number("prefill_fraction_of_peak"));
    (void)std::printf("decode   %10.1f tokens/s  (p50 %.2f ms, p90 %.2f ms a token)\n",
                      number("decode_tokens_per_s"), number("decode_ms_p50"),
                      number("decode_ms_p90"));
    if (j.contains("pass_costs")) {
        (void)std::printf("guessed  %10.1f tokens/s  (%.2f times; %.0f %% right, %.2f a pass)\n",
                          number("guessed_tokens_per_s"), number("guessed_gain"),
                          100.0 * number("guess_agreement"), number("guessed_tokens_per_pass"));
        (void)std::printf("passes            of 1, 2, ... tokens take");
        for (const auto& cost : j.at("pass_costs")) (void)std::printf(" %.2f", cost.get<double>());
        (void)std::printf("\n");
    }
    (void)std::printf(
        "memory   %10.1f GB/s can be read; decoding reads %s of weights a token, "
        "%.0f %% of that\n",
        number("read_gb_per_s"),
        support::human_bytes(static_cast<std::uint64_t>(number("bytes_per_token"))).c_str(),
        100.0 * number("decode_fraction_of_read"));
    if (j.contains("rows_rescored_per_token"))
        (void)std::printf("head     %10.1f rows a token scored exactly\n",
                          number("rows_rescored_per_token"));
    if (j.contains("ms_per_layer"))
        (void)std::printf(
            "layers   %10lld of %lld: a token takes %.2f ms and %.3f ms for each, so with all %.2f "
            "tokens/s\n",
            j.at("layers").get<long long>(), j.at("all_layers").get<long long>(),
            number("ms_beside_layers"), number("ms_per_layer"), number("all_layers_tokens_per_s"));
    const auto pruned = j.at("neurons_pruned").get<std::int64_t>();
    const std::string dead =
        pruned == 0 ? "" : ", " + std::to_string(pruned) + " dead neurons left out";
    (void)std::printf("loaded in %.1f s%s, at most %.0f MiB resident\n", number("load_seconds"),
                      dead.c_str(), number("peak_rss_mb"));
}

}  // namespace tbx::runner
