// SPDX-License-Identifier: MIT
// The model in the box in Debian's llama.cpp: with the plug-in, either way of rounding activations,
// and without it, it says what our own runner says, and predicts a text as well.
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <cstdlib>
#include <fstream>

#include "../../support/scratch_folder.hpp"
#include "llama_programs.hpp"

namespace {

using namespace tbx::testing;

const std::string model = quoted(root + "/examples/models/stories-ternary.gguf");
const std::string once = " -p 'Once upon a time' ";

std::string with_plugin(const std::string& activations) {
    return "TRILOBIT_ACTIVATIONS=" + activations + " GGML_BACKEND_PATH=" + quoted(plugin) + " ";
}

/// Standard output of a command that succeeds, without spaces before and behind it.
std::string text_of(const std::string& command) {
    const outcome o = run("{ " + command + " 2>/dev/null </dev/null; }");
    CAPTURE(command, o.text);
    REQUIRE(o.status == 0);
    const auto first = o.text.find_first_not_of(" \n"), last = o.text.find_last_not_of(" \n");
    REQUIRE(first != o.text.npos);
    return o.text.substr(first, last + 1 - first);
}

std::string run_ours(const std::string& options) {
    return text_of(quoted(TRILOBIT_PROGRAM) + " run -m " + model + once + options);
}

/// The number behind a name and a colon, the last time that llama-perplexity prints it.
double figure(const outcome& o, const std::string& name) {
    CAPTURE(name, o.text);
    REQUIRE(o.status == 0);
    const auto line = o.text.rfind(name);
    REQUIRE(line != o.text.npos);
    const auto colon = o.text.find(':', line);
    REQUIRE(colon != o.text.npos);
    return std::strtod(o.text.c_str() + colon + 1, nullptr);
}

}  // namespace

TEST_CASE("llama.cpp says what our runner says, with the plug-in and without") {
    need_llama();
    const std::string ours = run_ours("--temp 0 -n 150");
    CHECK(ours.size() > 300);
    for (const std::string& environment :
         {std::string(), with_plugin("token"), with_plugin("32")}) {
        // ggml's flash attention adds up values in halves, which moves a word now and then.
        CAPTURE(environment);
        CHECK(text_of(environment + quoted(llama + "llama-completion") + " -m " + model + once +
                      "--temp 0 -n 150 -no-cnv -fa off -t 2 --offline") == ours);
    }
}

TEST_CASE("llama.cpp predicts a text as well with the plug-in as without") {
    need_llama();
    const tbx::testing::scratch_folder folder;
    const std::string text = folder.path("text"), logits = folder.path("logits");
    {
        std::ofstream file(text);
        for (int seed = 1; seed <= 8; ++seed)
            file << run_ours("--temp 0.8 -n 250 --seed " + std::to_string(seed)) << '\n';
    }
    const std::string perplexity = quoted(llama + "llama-perplexity") + " -m " + model + " -f " +
                                   quoted(text) + " -c 128 -t 2 -lv 4 --offline" +
                                   " --kl-divergence-base " + quoted(logits);
    const outcome base = run(perplexity);
    CAPTURE(base.text);
    REQUIRE(base.status == 0);
    CHECK(base.text.find("TRILOBIT") == base.text.npos);

    for (const char* activations : {"token", "32"}) {
        const outcome o = run(with_plugin(activations) + perplexity + " --kl-divergence");
        CAPTURE(activations, o.text);
        CHECK(o.text.find("TRILOBIT model buffer size") != o.text.npos);
        CHECK(o.text.find("trilobit:") == o.text.npos);  // no complaint
        CHECK(std::abs(figure(o, "Mean ln(PPL(Q)/PPL(base))")) < 0.01);
        // Other roundings, hence not 0; a wrong scale of one layer costs hundreds of times as much.
        CHECK(figure(o, "Mean    KLD") > 0);
        CHECK(figure(o, "Mean    KLD") < 0.002);
        CHECK(figure(o, "Same top p") > 97);
    }
}
