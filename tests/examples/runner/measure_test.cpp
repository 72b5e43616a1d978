// SPDX-License-Identifier: MIT
// Tests of examples/runner/bench.hpp.
#include <catch2/catch_approx.hpp>
#include <catch2/catch_test_macros.hpp>

#include "program.hpp"
#include "runner/bench.hpp"

using namespace tbx;

TEST_CASE("quantiles") {
    CHECK(runner::quantile({}, 0.5) == 0.0);
    CHECK(runner::quantile({3.0}, 0.9) == 3.0);
    CHECK(runner::quantile({5, 1, 4, 2, 3}, 0.5) == 3.0);
    CHECK(runner::quantile({5, 1, 4, 2, 3}, 0.0) == 1.0);
    CHECK(runner::quantile({5, 1, 4, 2, 3}, 1.0) == 5.0);
}

TEST_CASE("a plan is run as often as it says") {
    model::compute cpu(2);
    const auto m =
        model::random_transformer(cpu, model::config_of_shape("tiny"),
                                  trilobit::layout_id::ternary_2bit, std::nullopt, 1, {});
    model::state s(m.config, 30, 8);
    int rounds = 0;
    double last = 0;
    const auto r = runner::measure(
        cpu, m, s, {.prefill = 20, .decode = 10, .rounds = 4}, [&](double done) { last = done; },
        [&] { ++rounds; });
    CHECK(rounds == 4);
    CHECK(s.cache.length == 30);
    CHECK(last == Catch::Approx(1.0));
    CHECK(r.prefill_tokens_per_s > 0);
    CHECK(r.decode_tokens_per_s > 0);
    CHECK(r.decode_ms_p90 >= r.decode_ms_p50);
    CHECK(r.decode_ms_p50 > 0);
}

TEST_CASE("bench prints one JSON object with what the contract names") {
    const auto o = testing::run_program({"bench", "--shape", "tiny", "--head", "none", "-p", "8",
                                         "-n", "4", "-r", "1", "-t", "1", "--json"});
    INFO(o.err);
    REQUIRE(o.status == 0);
    CHECK(o.out.starts_with("{"));
    CHECK(o.out.ends_with("}\n"));
    for (const char* key :
         {"shape", "layout", "kernel", "arch", "threads", "prefill_tokens_per_s",
          "decode_tokens_per_s", "bytes_per_token", "read_gb_per_s", "decode_fraction_of_read",
          "neurons_pruned", "peak_rss_mb", "decode_ms_p50", "decode_ms_p90"}) {
        INFO(key);
        CHECK(o.out.find("\"" + std::string(key) + "\":") != o.out.npos);
    }
    CHECK(o.out.find("\"head\": \"none\"") != o.out.npos);
}

TEST_CASE("bench counts what a head of two stages reads") {
    const auto bytes = [](const std::string& head) {
        const auto o = testing::run_program({"bench", "--shape", "tiny", "--head", head, "-p", "4",
                                             "-n", "8", "-r", "1", "-t", "1", "--json"});
        INFO(o.err);
        REQUIRE(o.status == 0);
        const auto number = [&](const std::string& key) {
            const auto at = o.out.find("\"" + key + "\": ");
            return at == o.out.npos ? -1.0 : std::stod(o.out.substr(at + key.size() + 4));
        };
        const double rescored = number("rows_rescored_per_token");
        CHECK((rescored >= 1.0) == (head == "two-stage"));
        return std::pair(number("bytes_per_token"), rescored);
    };
    // 512 rows of 256: two bytes a weight, or one and 12 for each row, and the rows scored again.
    const double none = bytes("none").first, full = bytes("f16").first;
    CHECK(full - none == 512 * 256 * 2);
    const auto [two_stage, rescored] = bytes("two-stage");
    CHECK(two_stage - none == Catch::Approx(512 * (256 + 12) + rescored * 512).margin(1.0));

    const auto file = testing::run_program({"bench", "-m", testing::tiny_model(), "--head",
                                            "two-stage", "-p", "2", "-n", "2", "-r", "1"});
    CHECK(file.status == 0);
    CHECK(file.out.find("in two stages") != file.out.npos);
}

TEST_CASE("bench decodes with guesses that are right as often as it is told") {
    const auto bench = [](const std::vector<std::string>& more) {
        std::vector<std::string> all = {"bench", "--shape", "tiny", "-p", "4", "-n",
                                        "40",    "-r",      "1",    "-t", "1", "--json"};
        all.insert(all.end(), more.begin(), more.end());
        return testing::run_program(all);
    };
    const auto a_pass = [&](const std::vector<std::string>& more) {
        const auto o = bench(more);
        INFO(o.err);
        REQUIRE(o.status == 0);
        CHECK(o.out.find("\"pass_costs\": [") != o.out.npos);
        const std::string key = "\"guessed_tokens_per_pass\": ";
        const auto at = o.out.find(key);
        return at == o.out.npos ? 0.0 : std::stod(o.out.substr(at + key.size()));
    };
    CHECK(a_pass({"--speculate", "1", "--together", "4", "--head", "none"}) == 4);
    CHECK(a_pass({"--speculate", "0", "--together", "4"}) == 1);
    const double half = a_pass({"--speculate", "0.5", "--together", "8", "--draft", "tiny-llama"});
    CHECK((half > 1.3 && half < 3));
    CHECK(bench({"--together", "4"}).status == 2);
    CHECK(bench({"--speculate", "1.5"}).status == 2);
    CHECK(bench({"--speculate", "1", "--draft", "no-shape"}).status == 1);
}

TEST_CASE("bench with fewer layers says what all would take, and experts decode") {
    const auto bench = [](const std::vector<std::string>& more) {
        std::vector<std::string> all = {"bench", "-p", "0",  "-n", "8",
                                        "-r",    "1",  "-t", "2",  "--json"};
        all.insert(all.end(), more.begin(), more.end());
        return testing::run_program(all);
    };
    const auto some = bench({"--shape", "small", "--layers", "2", "--head", "none"});
    INFO(some.err);
    REQUIRE(some.status == 0);
    CHECK(some.out.find("\"layers\": 2") != some.out.npos);
    CHECK(some.out.find("\"all_layers\": 6") != some.out.npos);
    CHECK(some.out.find("\"all_layers_tokens_per_s\": ") != some.out.npos);
    CHECK(bench({"--shape", "small"}).out.find("ms_per_layer") == some.out.npos);
    CHECK(bench({"--shape", "small", "--layers", "7"}).status == 1);
    CHECK(bench({"--model", testing::tiny_model(), "--layers", "1"}).status == 2);
    for (const char* layout : {"ternary_2bit", "ternary_base3", "binary_1bit", "ternary_3of4"}) {
        const auto o = bench({"--shape", "tiny-maple", "--layout", layout});
        INFO(layout << ": " << o.err);
        CHECK(o.status == 0);
    }
}
