// SPDX-License-Identifier: MIT
// Tests of `trilobit perplexity`: the windows, and the number against one made of `logits`.
#include <cmath>
#include <sstream>

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include "program.hpp"
#include "runner/text_windows.hpp"

using namespace tbx::testing;
using namespace tbx::runner;
using Catch::Matchers::ContainsSubstring;

namespace {

using window_list = std::vector<text_window>;

/// Every token counts once, in its order, and behind as many as the stride leaves.
void check_windows(std::size_t tokens, std::size_t length, std::size_t stride, bool after_begin) {
    CAPTURE(tokens, length, stride, after_begin);
    std::size_t next = after_begin ? 0 : 1;
    const auto all = strided_windows(tokens, length, stride, after_begin);
    bool sound = true;
    for (const text_window& w : all) {
        sound = sound && w.scored == next && w.begin <= w.scored && w.scored < w.end &&
                w.end - w.begin <= length &&
                (w.begin == 0 || w.scored - w.begin >= length - stride);
        next = w.end;
    }
    CHECK(sound);
    CHECK(next == std::max<std::size_t>(tokens, after_begin ? 0 : 1));
}

const std::string some_text = "kalo mine rusa tivo beda fugo hiju pezo rusa kalo";

struct figures {
    double perplexity, error;
    long tokens;
};

figures perplexity_of(const std::vector<std::string>& more) {
    const scratch_folder folder;
    std::vector<std::string> all = {"perplexity", "-m", tiny_model(), "-f",
                                    folder.file("text", some_text)};
    all.insert(all.end(), more.begin(), more.end());
    const outcome o = run_program(all);
    INFO(o.err);
    REQUIRE(o.status == 0);
    figures f{};
    REQUIRE(std::sscanf(o.out.c_str(), "perplexity %lf +/- %lf, %*f nats a token, %ld tokens",
                        &f.perplexity, &f.error, &f.tokens) == 3);
    return f;
}

/// -log of the probability of each token behind the first, by the command `logits`.
std::vector<double> surprises_of(const std::vector<int>& ids) {
    std::string list;
    for (const int id : ids) list += (list.empty() ? "" : ",") + std::to_string(id);
    std::istringstream in(run_program({"logits", "-m", tiny_model(), "--tokens", list}).out);
    std::vector<double> out;
    std::string word;
    for (std::size_t i = 0; i + 1 < ids.size(); ++i) {
        in >> word >> word;
        double sum = 0, wanted = 0;
        for (int t = 0; t < 512; ++t) {
            double logit = 0;
            REQUIRE(in >> logit);
            sum += std::exp(logit);
            if (t == ids[i + 1]) wanted = logit;
        }
        out.push_back(std::log(sum) - wanted);
    }
    return out;
}

std::vector<int> tokens_of_text() {
    std::string list = run_program({"tokenize", "-m", tiny_model(), "-p", some_text}).out;
    for (char& c : list)
        if (c == ',') c = ' ';
    std::istringstream in(list);
    std::vector<int> ids;
    for (int id = 0; in >> id;) ids.push_back(id);
    return ids;
}

}  // namespace

TEST_CASE("windows count each token once") {
    for (const std::size_t tokens : {1u, 2u, 7u, 8u, 9u, 64u, 100u})
        for (const std::size_t length : {2u, 3u, 8u, 31u})
            for (std::size_t stride = 1; stride < length; stride += 1 + length / 4)
                for (const bool after_begin : {true, false})
                    check_windows(tokens, length, stride, after_begin);
    CHECK(strided_windows(10, 4, 4, true) == window_list{{0, 4, 0}, {4, 8, 4}, {8, 10, 8}});
    CHECK(strided_windows(10, 4, 2, true) ==
          window_list{{0, 4, 0}, {2, 6, 4}, {4, 8, 6}, {6, 10, 8}});
    CHECK(strided_windows(7, 4, 3, false) == window_list{{0, 4, 1}, {3, 7, 4}});
    CHECK(strided_windows(1, 4, 3, false).empty());
    CHECK(strided_windows(0, 4, 4, true).empty());
    CHECK(second_halves(20, 8) == window_list{{0, 8, 5}, {8, 16, 13}});
    CHECK(second_halves(7, 8).empty());
}

TEST_CASE("perplexity and its error are those of the logits") {
    const std::vector<int> ids = tokens_of_text();
    REQUIRE(ids.size() > 40);
    const auto check = [](const std::vector<double>& x, const figures& f) {
        double mean = 0, squares = 0;
        for (const double s : x) mean += s / static_cast<double>(x.size());
        for (const double s : x) squares += (s - mean) * (s - mean);
        const auto n = static_cast<double>(x.size());
        CHECK(f.tokens == static_cast<long>(x.size()));
        // Six digits of each logit are printed.
        CHECK(std::abs(f.perplexity / std::exp(mean) - 1) < 1e-4);
        CHECK(std::abs(f.error / (std::exp(mean) * std::sqrt(squares / n / (n - 1))) - 1) < 1e-3);
    };
    check(surprises_of(ids), perplexity_of({}));

    // Windows of 16 positions, eight tokens behind each other, each behind the begin token.
    std::vector<double> strided;
    for (std::size_t begin = 1, scored = 1; scored < ids.size(); begin += 8) {
        std::vector<int> window = {ids[0]};
        for (std::size_t i = begin; i < std::min(begin + 16, ids.size()); ++i)
            window.push_back(ids[i]);
        const auto x = surprises_of(window);
        for (std::size_t i = scored - begin; i < x.size(); ++i) strided.push_back(x[i]);
        scored = begin + x.size();
    }
    check(strided, perplexity_of({"-c", "16", "--stride", "8"}));
    CHECK(perplexity_of({"-c", "16", "--stride", "16"}).tokens ==
          static_cast<long>(ids.size()) - 1);

    // The second halves, and the begin token in the place of each first one.
    std::vector<double> halves;
    for (std::size_t begin = 0; begin + 16 <= ids.size(); begin += 16) {
        std::vector<int> window(ids.begin() + static_cast<std::ptrdiff_t>(begin),
                                ids.begin() + static_cast<std::ptrdiff_t>(begin) + 16);
        window[0] = ids[0];
        const auto x = surprises_of(window);
        halves.insert(halves.end(), x.begin() + 8, x.end());
    }
    check(halves, perplexity_of({"-c", "16", "--as-llama-perplexity"}));
}

TEST_CASE("perplexity refuses what it cannot do, and fails in one line") {
    const scratch_folder folder;
    const std::string text = folder.file("text", some_text);
    const auto fails = [&](const std::vector<std::string>& more, int status,
                           const std::string& what) {
        std::vector<std::string> all = {"perplexity", "-m", tiny_model(), "-f", text};
        all.insert(all.end(), more.begin(), more.end());
        const outcome o = run_program(all);
        INFO(o.err);
        CHECK(o.status == status);
        CHECK(o.complained());
        CHECK_THAT(o.err, ContainsSubstring(what));
    };
    fails({"-c", "16", "--stride", "17"}, 1, "--stride: 17 tokens are more than a window of 16");
    fails({"--stride", "0"}, 2, "--stride");
    fails({"--stride", "8", "--as-llama-perplexity"}, 2, "--as-llama-perplexity");
    fails({"-c", "200", "--as-llama-perplexity"}, 1, "fewer than two windows of 200");
    if (!std::filesystem::exists("/dev/full")) return;
    const std::string program = program_path();
    const int status = std::system(("'" + program + "' perplexity -m '" + tiny_model() + "' -f '" +
                                    text + "' >/dev/full 2>'" + folder.path("err") + "'")
                                       .c_str());
    CHECK(WEXITSTATUS(status) == 1);
    CHECK(content_of(folder.path("err")) == "trilobit: standard output: it could not be written\n");
}
