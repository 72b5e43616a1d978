// SPDX-License-Identifier: MIT
// Compares logits with those that llama.cpp and bitnet.cpp printed for the same files, and greedy
// text with the published one. Skipped where the files are not at hand.
#include <cmath>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "gguf/reader.hpp"
#include "model/forward.hpp"

using namespace tbx;

namespace {

std::string data(const std::string& name) {
    const std::string path = std::string(TRILOBIT_EXTERNAL_DATA) + "/golden/" + name;
    if (!std::filesystem::exists(path)) SKIP(path << " is not there");
    return path;
}

struct golden {
    std::vector<model::token_id> tokens;
    std::vector<std::vector<double>> logits;  // by position
};

golden read_golden(const std::string& path) {
    golden g;
    std::ifstream in(path);
    std::string line, word;
    std::getline(in, line);
    std::istringstream header(line.substr(line.find(" tokens ") + 8));
    for (model::token_id id; header >> id;) g.tokens.push_back(id);
    while (in >> word)
        if (word == "pos") {
            in >> word;
            g.logits.emplace_back();
        } else {
            g.logits.back().push_back(std::stod(word));
        }
    return g;
}

double cosine(const std::vector<double>& a, std::span<const float> b) {
    double dot = 0, aa = 0, bb = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        dot += a[i] * double{b[i]};
        aa += a[i] * a[i];
        bb += double{b[i]} * double{b[i]};
    }
    return dot / std::sqrt(aa * bb);
}

}  // namespace

TEST_CASE("logits agree with other engines at every position") {
    const auto [file, peer, least] = GENERATE(table<std::string, std::string, double>({
        {"tiny-llama-f16", "llamacpp.batch", 0.99999},
        {"tiny-llama-f16", "llamacpp.step", 0.99999},
        {"tiny-llama-Q8_0", "llamacpp.batch", 0.9999},
        {"tiny-bitnet-TQ2_0", "llamacpp.batch", 0.9995},
        {"tiny-bitnet-TQ2_0", "llamacpp.step", 0.9995},
        {"tiny-bitnet-b158-I2_S", "bitnetcpp.batch", 0.9995},
        {"tiny-bitnet-b158-I2_S", "bitnetcpp.step", 0.9995},
    }));
    const golden g = read_golden(data(file + "." + peer + ".txt"));
    const gguf::reader source(data(file + ".gguf"));
    model::compute cpu(2);
    const auto m = model::load_transformer(cpu, source, trilobit::layout_id::ternary_2bit, {});
    REQUIRE(g.tokens.size() == 16);
    REQUIRE(g.logits.size() == g.tokens.size());
    for (const std::size_t step : {g.tokens.size(), std::size_t{1}}) {
        model::state s(m.config, std::ssize(g.tokens), static_cast<std::int64_t>(step));
        for (std::size_t at = 0; at < g.tokens.size(); at += step) {
            const auto logits =
                model::forward(cpu, m, s, {g.tokens.data() + at, step}, model::logits_of::all);
            for (std::size_t t = 0; t < step; ++t) {
                INFO(file << " against " << peer << ", position " << at + t << ", step " << step);
                REQUIRE(g.logits[at + t].size() == static_cast<std::size_t>(logits.cols));
                CHECK(cosine(g.logits[at + t], {logits.row(static_cast<std::int64_t>(t)),
                                                static_cast<std::size_t>(logits.cols)}) > least);
            }
        }
    }
}
