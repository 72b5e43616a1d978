// SPDX-License-Identifier: MIT
// The model in the box in Debian's llama.cpp: with the plug-in, either way of rounding activations,
// and without it, it says what our own runner says, and predicts a text as well.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>
#include <vector>

#include "../../support/scratch_folder.hpp"
#include "llama_programs.hpp"

namespace {

using namespace tbx::testing;

const std::string model = quoted(root + "/examples/models/stories-ternary.gguf");

std::string with_plugin(const std::string& activations) {
    return "TRILOBIT_ACTIVATIONS=" + activations + " GGML_BACKEND_PATH=" + quoted(plugin) + " ";
}

/// Without spaces before and behind it.
std::string stripped(const std::string& text) {
    const auto first = text.find_first_not_of(" \n"), last = text.find_last_not_of(" \n");
    return first == text.npos ? std::string() : text.substr(first, last + 1 - first);
}

std::string ours(const std::string& verb, const std::string& options) {
    const outcome o = run("{ " + quoted(TRILOBIT_PROGRAM) + " " + verb + " -m " + model + " " +
                          options + " 2>/dev/null; }");
    CAPTURE(verb, options, o.text);
    REQUIRE(o.status == 0);
    return stripped(o.text);
}

/// What llama-completion writes; its log comes apart, and ends behind the text.
std::string theirs(const scratch_folder& folder, const std::string& environment,
                   const std::string& options) {
    const std::string text = folder.path("theirs");
    const outcome o =
        run_to_the_end("{ " + environment + quoted(llama + "llama-completion") + " -m " + model +
                           " " + options + " 2>&1 >" + quoted(text) + " </dev/null; }",
                       "graph reallocs");
    CAPTURE(environment, options, o.text);
    REQUIRE(o.status == 0);
    std::ifstream file(text);
    return stripped({std::istreambuf_iterator<char>(file), {}});
}

template <class T>
std::vector<T> numbers(std::string text) {
    std::replace(text.begin(), text.end(), ',', ' ');
    std::istringstream in(text);
    return {std::istream_iterator<T>(in), {}};
}

/// How much likelier our runner finds its own text than another, where the two part.
double gap(const scratch_folder& folder, const std::string& own, const std::string& other) {
    const auto tokens = [&](const std::string& text) {
        return numbers<int>(ours("tokenize", "-f " + quoted(folder.file("text", text))));
    };
    const std::vector<int> a = tokens(own), b = tokens(other);
    const auto [at, bt] = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
    REQUIRE((at != a.end() && bt != b.end()));
    std::string before;
    for (auto t = a.begin(); t != at; ++t)
        before += (t == a.begin() ? "" : ",") + std::to_string(*t);
    const std::string all = ours("logits", "--tokens " + before);
    const auto last = all.find('\n', all.rfind("pos "));
    REQUIRE(last != all.npos);
    const auto logits = numbers<double>(all.substr(last));
    return logits.at(static_cast<std::size_t>(*at)) - logits.at(static_cast<std::size_t>(*bt));
}

/// The number behind a name, the last time that llama-perplexity prints it.
double figure(const outcome& o, const std::string& name) {
    CAPTURE(name, o.text);
    REQUIRE(o.status == 0);
    const auto at = o.text.rfind(name);
    REQUIRE(at != o.text.npos);
    const auto digits = o.text.find_first_of("-0123456789", at + name.size());
    REQUIRE(digits != o.text.npos);
    return std::strtod(o.text.c_str() + digits, nullptr);
}

std::string eight_stories(const scratch_folder& folder) {
    std::ofstream file(folder.path("stories"));
    for (int seed = 1; seed <= 8; ++seed)
        file << ours("run",
                     "-p 'Once upon a time' --temp 0.8 -n 250 --seed " + std::to_string(seed))
             << '\n';
    return folder.path("stories");
}

// What llama.cpp continues with, by its own kernels and by ours, is handed to `see`.
template <class F>
void each_story(const std::string& start, F see) {
    const scratch_folder folder;
    const std::string prompt = " -p " + quoted(start) + " --temp 0 -n 150 ";
    const std::string own = ours("run", prompt);
    CHECK(own.size() > 300);
    for (const std::string& environment :
         {std::string(), with_plugin("token"), with_plugin("32")}) {
        const std::string other =
            theirs(folder, environment, prompt + "-no-cnv -fa off -t 1 --offline");
        CAPTURE(environment, own, other);
        see(folder, own, other);
    }
}

}  // namespace

TEST_CASE("llama.cpp says what our runner says, with the plug-in and without") {
    need_llama();
    for (const char* start : {"One sunny day", "Tom had a big", "Ben and his mom"})
        each_story(start, [](const scratch_folder&, const std::string& own,
                             const std::string& other) { CHECK(own == other); });
}

// Rounding to int8 makes much of the last bit of a float: right programs differ by 0.03 to 0.05 in
// the logarithm of a likely token's probability. Of two words that are as near as that either may
// come, and the stories go on apart. Nothing else may part them.
TEST_CASE("stories part where two words are equally likely, nowhere else") {
    need_llama();
    for (const char* start : {"Once upon a time", "Tim had a red ball"})
        each_story(start, [](const scratch_folder& folder, const std::string& own,
                             const std::string& other) {
            if (other != own) CHECK(std::abs(gap(folder, own, other)) < 0.15);
        });
}

TEST_CASE("llama.cpp predicts a text as well with the plug-in as without") {
    need_llama();
    const scratch_folder folder;
    const std::string text = eight_stories(folder), logits = folder.path("logits");
    const std::string perplexity = quoted(llama + "llama-perplexity") + " -m " + model + " -f " +
                                   quoted(text) + " -c 128 -t 2 -lv 4 --offline" +
                                   " --kl-divergence-base " + quoted(logits);
    const outcome base = run_to_the_end(perplexity, "Final estimate: PPL");
    CAPTURE(base.text);
    const double own = figure(base, "Final estimate: PPL");
    CHECK(base.text.find("TRILOBIT") == base.text.npos);

    for (const char* activations : {"token", "32"}) {
        const outcome o = run_to_the_end(with_plugin(activations) + perplexity + " --kl-divergence",
                                         "Same top p:");
        CAPTURE(activations, o.text);
        CHECK(o.text.find("TRILOBIT model buffer size") != o.text.npos);
        CHECK(o.text.find("trilobit:") == o.text.npos);  // no complaint
        CHECK(std::abs(figure(o, "Mean PPL(Q) ") / own - 1) < 0.01);
        // Other roundings cost 0.0003, hence not 0; twice the scale of one matrix of queries 0.002,
        // one matrix that is lost 0.25. Errors of 10 % drown here: test-backend-ops sees them.
        CHECK(figure(o, "Mean    KLD") > 0);
        CHECK(figure(o, "Mean    KLD") < 0.001);
        CHECK(figure(o, "Same top p") > 97);
    }
}

TEST_CASE("perplexity is llama-perplexity's, and so is its error bar") {
    need_llama();
    const scratch_folder folder;
    const std::string text = quoted(eight_stories(folder));
    const outcome o = run_to_the_end(quoted(llama + "llama-perplexity") + " -m " + model + " -f " +
                                         text + " -c 128 -t 2 -lv 4 --offline" +
                                         " --kl-divergence-base " + quoted(folder.path("logits")),
                                     "Final estimate: PPL");
    const double theirs = figure(o, "Final estimate: PPL");
    const double their_error = figure(o, "+/-");
    const outcome own{0, ours("perplexity", "-f " + text + " -c 128 --as-llama-perplexity")};
    const double value = figure(own, "perplexity"), error = figure(own, "+/-");
    CAPTURE(o.text, own.text);
    // The same tokens count, so what is left is how activations are rounded: less than a fifth of
    // the error bar, which says how much other texts of this kind differ.
    CHECK(their_error / theirs > 0.01);
    CHECK(std::abs(value - theirs) < their_error / 5);
    CHECK(std::abs(error / their_error - 1) < 0.02);
    // Windows that move by half count the same tokens and those between: so it is nearly the same.
    const outcome strided{0, ours("perplexity", "-f " + text + " -c 128 --stride 64")};
    CAPTURE(strided.text);
    CHECK(std::abs(figure(strided, "perplexity") - theirs) < 2 * their_error);
}
