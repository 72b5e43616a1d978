// SPDX-License-Identifier: MIT
// Room examples/runner. Enters: a text. Leaves: how surprised the model is by it, and how sure that
// number is. The text is cut into windows; each begins with the model's first token.
#include <cmath>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "runner/commands.hpp"
#include "runner/generate.hpp"
#include "runner/session.hpp"
#include "runner/text_windows.hpp"
#include "support/interrupt.hpp"
#include "support/lines.hpp"
#include "support/mapped_file.hpp"
#include "support/progress.hpp"

namespace tbx::runner {
namespace {

struct perplexity_options {
    model_options model;
    std::string file, pre;
    std::int64_t stride = 0;  // 0: the window's length
    bool as_llama = false;
};

// -log softmax(logits)[target]
double surprise(std::span<const float> logits, model::token_id target) {
    double top = -INFINITY, sum = 0;
    for (const float l : logits) top = std::max(top, double{l});
    for (const float l : logits) sum += std::exp(double{l} - top);
    return top + std::log(sum) - double{logits[static_cast<std::size_t>(target)]};
}

struct tally {
    double sum = 0, squares = 0;
    std::int64_t count = 0;

    void add(double x) {
        sum += x;
        squares += x * x;
        ++count;
    }
    [[nodiscard]] double mean() const { return sum / static_cast<double>(count); }
    [[nodiscard]] double perplexity() const { return std::exp(mean()); }
    // One standard deviation of the mean, as if tokens were surprising independently, times the
    // slope of the exponential: what llama-perplexity prints.
    [[nodiscard]] double error() const {
        const double variance = squares / static_cast<double>(count) - mean() * mean();
        if (count < 2 || !(variance > 0)) return 0;
        return std::sqrt(variance / static_cast<double>(count - 1)) * perplexity();
    }
    [[nodiscard]] std::string text() const {
        char line[80];
        (void)std::snprintf(line, sizeof line, "%.4f +/- %.4f", perplexity(), error());
        return line;
    }
};

class measurement {
    const perplexity_options& options;
    session s;
    const tokenizer::tokenizer words;
    bool begins;  // with the begin token
    std::vector<model::token_id> ids;
    std::vector<text_window> windows;
    tally surprises;

    [[nodiscard]] std::size_t length() const {
        return static_cast<std::size_t>(s.state.cache.capacity());
    }
    void cut();
    [[nodiscard]] std::vector<model::token_id> inputs_of(const text_window& w) const;
    void run(const text_window& w, support::progress_bar& bar, double before, double all);

public:
    measurement(const perplexity_options& o, std::string_view text)
        : options(o), s(o.model, 512), words(s.open_tokenizer(o.pre)) {
        begins = words.vocab().bos != tokenizer::no_token && words.vocab().add_bos;
        ids = words.encode(
            text, {.add_bos = begins && o.as_llama, .add_eos = false, .parse_special = false});
        cut();
    }
    void run();
};

void measurement::cut() {
    if (options.as_llama) {
        if (ids.size() < 2 * length())
            throw error(options.file, "its " + std::to_string(ids.size()) +
                                          " tokens are fewer than two windows of " +
                                          std::to_string(length()));
        windows = second_halves(ids.size(), length());
        return;
    }
    // The last token of a window is only a target, and the begin token only an input.
    const std::size_t room = begins ? length() : length() + 1;
    const auto stride = static_cast<std::size_t>(options.stride);
    if (stride > length())
        throw error("--stride", std::to_string(stride) + " tokens are more than a window of " +
                                    std::to_string(length()));
    windows = strided_windows(ids.size(), room, stride == 0 ? length() : stride, begins);
    if (windows.empty()) throw error(options.file, "it has no token to predict");
}

// Up to the last but one; llama-perplexity puts the begin token in the place of the first.
std::vector<model::token_id> measurement::inputs_of(const text_window& w) const {
    const auto first = ids.begin() + static_cast<std::ptrdiff_t>(w.begin);
    std::vector<model::token_id> inputs(first,
                                        first + static_cast<std::ptrdiff_t>(w.end - w.begin));
    if (begins && options.as_llama) inputs.front() = words.vocab().bos;
    if (begins && !options.as_llama) inputs.insert(inputs.begin(), words.vocab().bos);
    inputs.pop_back();
    return inputs;
}

void measurement::run(const text_window& w, support::progress_bar& bar, double before, double all) {
    const std::vector<model::token_id> inputs = inputs_of(w);
    // Input i predicts token i + shift.
    const std::size_t shift = w.begin + (begins && !options.as_llama ? 0 : 1);
    const std::size_t unscored = w.scored - shift;
    s.state.cache.length = 0;
    for (std::size_t at = 0; at < inputs.size() && !support::interrupted();) {
        const bool counts = at >= unscored;
        // A logits row may be half a megabyte, so few are made at once.
        const std::size_t most = std::min<std::size_t>(static_cast<std::size_t>(s.batch_size()),
                                                       counts ? 32 : unscored - at);
        const std::size_t n = std::min(inputs.size() - at, most);
        const auto logits =
            model::forward(s.cpu, s.model, s.state, std::span(inputs).subspan(at, n),
                           counts ? model::logits_of::all : model::logits_of::none);
        for (std::size_t t = 0; counts && t < n; ++t)
            surprises.add(surprise(
                {logits.row(static_cast<std::int64_t>(t)), static_cast<std::size_t>(logits.cols)},
                ids[at + t + shift]));
        at += n;
        bar.update((before + static_cast<double>(at)) / all,
                   surprises.count > 0 ? surprises.text() : std::string());
    }
}

void measurement::run() {
    double all = 0, before = 0;
    for (const text_window& w : windows) all += static_cast<double>(w.end - w.begin);
    stopwatch time;
    support::progress_bar bar("perplexity");
    for (const text_window& w : windows) {
        if (support::interrupted()) break;
        run(w, bar, before, all);
        before += static_cast<double>(w.end - w.begin);
    }
    bar.clear();
    if (surprises.count == 0) throw error(options.file, "no token of it was predicted");
    char line[120];
    (void)std::snprintf(line, sizeof line, ", %.4f nats a token, %lld tokens, windows of %zu\n",
                        surprises.mean(), static_cast<long long>(surprises.count), length());
    print_now("perplexity " + surprises.text() + line);
    (void)std::fprintf(stderr, "%.1f tokens/s\n", before / time.seconds());
    if (support::interrupted()) throw early_exit{130};
}

void run(const perplexity_options& o) {
    const support::mapped_file text(o.file);
    const support::interrupt_watch watch;
    std::string_view all = support::utf8_text(
        {reinterpret_cast<const char*>(text.bytes().data()), text.bytes().size()}, o.file);
    if (o.as_llama && all.ends_with('\n')) all.remove_suffix(1);  // as it does
    measurement(o, all).run();
}

}  // namespace

void add_perplexity(CLI::App& app) {
    const auto o = std::make_shared<perplexity_options>();
    CLI::App* command =
        app.add_subcommand("perplexity", "Measure how well a model predicts a text");
    o->model.add_to(*command);
    command->get_option("--context")->description("Length of a window [the model's, up to 512]");
    command->add_option("-f,--file", o->file, "The text")->required()->type_name("FILE");
    auto* stride =
        command
            ->add_option("--stride", o->stride,
                         "How far the next window begins behind this one; what both hold counts "
                         "once [a window's length]")
            ->transform(whole_number(1, 1 << 26));
    command
        ->add_flag("--as-llama-perplexity", o->as_llama,
                   "Count what llama-perplexity counts: the second half of each window")
        ->excludes(stride);
    add_pre(*command, o->pre);
    command->callback([o] { run(*o); });
}

}  // namespace tbx::runner
