// SPDX-License-Identifier: MIT
// Room examples/runner. Enters: a text. Leaves: how surprised the model is by it. The text is cut
// into windows of the context's length; each begins with the model's first token and forgets the
// last one.
#include <cmath>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "runner/commands.hpp"
#include "runner/session.hpp"
#include "support/interrupt.hpp"
#include "support/lines.hpp"
#include "support/mapped_file.hpp"
#include "support/progress.hpp"

namespace tbx::runner {
namespace {

struct perplexity_options {
    model_options model;
    std::string file, pre;
};

// -log softmax(logits)[target]
double surprise(std::span<const float> logits, model::token_id target) {
    double top = -INFINITY, sum = 0;
    for (const float l : logits) top = std::max(top, double{l});
    for (const float l : logits) sum += std::exp(double{l} - top);
    return top + std::log(sum) - double{logits[static_cast<std::size_t>(target)]};
}

void run(const perplexity_options& o) {
    const support::mapped_file text(o.file);
    const support::interrupt_watch watch;
    session s(o.model, 512);
    const auto words = s.open_tokenizer(o.pre);
    const std::string_view all = support::utf8_text(
        {reinterpret_cast<const char*>(text.bytes().data()), text.bytes().size()}, o.file);
    const std::vector<model::token_id> ids =
        words.encode(all, {.add_bos = false, .add_eos = false, .parse_special = false});
    const bool bos = words.vocab().bos != tokenizer::no_token && words.vocab().add_bos;
    if (ids.size() < (bos ? 1u : 2u)) throw error(o.file, "it has no token to predict");

    // A logits row may be half a megabyte, so few are made at once.
    const std::int64_t step = std::min<std::int64_t>(s.batch_size(), 32);
    double total = 0;
    std::int64_t scored = 0;
    stopwatch time;
    support::progress_bar bar("perplexity");
    std::vector<model::token_id> window;
    for (std::size_t next = 0; next < ids.size() && !support::interrupted();) {
        window.clear();
        if (bos) window.push_back(words.vocab().bos);
        const auto room = static_cast<std::size_t>(s.state.cache.capacity()) + 1 - window.size();
        const std::size_t count = std::min(room, ids.size() - next);
        window.insert(window.end(), ids.begin() + static_cast<std::ptrdiff_t>(next),
                      ids.begin() + static_cast<std::ptrdiff_t>(next + count));
        next += count;
        s.state.cache.length = 0;
        // The last token of a window is only a target.
        std::span<const model::token_id> inputs(window.data(), window.size() - 1);
        for (std::size_t at = 0; at < inputs.size() && !support::interrupted();) {
            const std::size_t n = std::min(inputs.size() - at, static_cast<std::size_t>(step));
            const auto logits = model::forward(s.cpu, s.model, s.state, inputs.subspan(at, n),
                                               model::logits_of::all);
            for (std::size_t t = 0; t < n; ++t, ++scored)
                total += surprise({logits.row(static_cast<std::int64_t>(t)),
                                   static_cast<std::size_t>(logits.cols)},
                                  window[at + t + 1]);
            at += n;
            char now[64];
            (void)std::snprintf(now, sizeof now, "%.4f",
                                std::exp(total / static_cast<double>(scored)));
            bar.update(static_cast<double>(next - inputs.size() + at) /
                           static_cast<double>(ids.size()),
                       now);
        }
    }
    bar.clear();
    if (scored == 0) throw error(o.file, "it has no token to predict");
    const double mean = total / static_cast<double>(scored);
    (void)std::printf("perplexity %.4f, %.4f nats a token, %lld tokens, windows of %lld\n",
                      std::exp(mean), mean, static_cast<long long>(scored),
                      static_cast<long long>(s.state.cache.capacity()));
    (void)std::fprintf(stderr, "%.1f tokens/s\n", static_cast<double>(scored) / time.seconds());
    if (support::interrupted()) throw early_exit{130};
}

}  // namespace

void add_perplexity(CLI::App& app) {
    const auto o = std::make_shared<perplexity_options>();
    CLI::App* command =
        app.add_subcommand("perplexity", "Measure how well a model predicts a text");
    o->model.add_to(*command);
    command->get_option("--context")->description("Length of a window [the model's, up to 512]");
    command->add_option("-f,--file", o->file, "The text")->required()->type_name("FILE");
    add_pre(*command, o->pre);
    command->callback([o] { run(*o); });
}

}  // namespace tbx::runner
