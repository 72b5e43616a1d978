// SPDX-License-Identifier: MIT
// Room train: commands `sample` and `eval`.
// Enters: a model file, and a text for `eval`.
// Leaves: sampled texts with separators between them; or perplexity and bits per byte.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <optional>

#include "gguf/reader.hpp"
#include "support/atomic_file.hpp"
#include "support/error.hpp"
#include "support/finite.hpp"
#include "support/interrupt.hpp"
#include "support/progress.hpp"
#include "tokenizer/tokenizer.hpp"
#include "train/commands.hpp"
#include "train/dataset.hpp"
#include "train/evaluate.hpp"
#include "train/model_file.hpp"
#include "train/threads.hpp"

namespace tbx::train {
namespace {

// A text that the context cut short ends with its last whole sentence, if it has one.
std::string whole_sentences(std::string text) {
    const std::size_t end = text.find_last_of(".!?\"");
    text.resize(end == text.npos ? 0 : end + 1);
    return text;
}

}  // namespace

int run(const sample_command& c) {
    set_threads(c.threads);
    const loaded_model m = load_model(c.model);
    const gguf::reader file(c.model);
    const auto words = tokenizer::tokenizer::from_gguf(file);
    sample_options o = c.options;
    o.bos = words.vocab().bos;
    o.end = words.vocab().eos;
    if (o.bos < 0) throw error(c.model, "has no token that begins a text");
    if (c.texts > 0) o.tokens = std::numeric_limits<std::int64_t>::max();
    decoder model(m.config, m.parameters, o.texts_at_once);
    std::optional<support::atomic_file> out;
    if (!c.out.empty()) out.emplace(c.out);
    support::progress_bar bar("sampling");
    const support::interrupt_watch watch;
    std::int64_t written = 0;
    const auto take = [&](const std::vector<int>& ids, bool ended) {
        std::string text = words.decode(ids);
        if (!ended && c.options.temperature > 0) text = whole_sentences(std::move(text));
        if (text.empty() || (c.texts > 0 && written >= c.texts)) return;
        ++written;
        text += "\n" + std::string(text_separator) + "\n";
        if (out)
            out->write(text);
        else
            std::fwrite(text.data(), 1, text.size(), stdout);
    };
    sample(model, o, take, [&](std::int64_t done) {
        if (out)
            bar.update(c.texts > 0 ? static_cast<double>(written) / static_cast<double>(c.texts)
                                   : static_cast<double>(done) / static_cast<double>(o.tokens));
        return !support::interrupted() && (c.texts == 0 || written < c.texts);
    });
    if (support::interrupted()) return 130;
    if (out) out->commit();
    return 0;
}

int run(const eval_command& c) {
    set_threads(c.threads);
    loaded_model m = load_model(c.model);
    if (c.ternarise && m.config.quantised)
        throw error("--ternarise", "the model's weights are rounded already");
    m.config.quantised = m.config.quantised || c.ternarise;
    const gguf::reader file(c.model);
    const auto words = tokenizer::tokenizer::from_gguf(file);
    const token_stream stream = tokenise(c.text, read_text(c.text), words);
    if (stream.ids.size() < 2) throw error(c.text, "is too short to be measured");
    const int length = c.context > 0 ? c.context : std::min(256, m.config.context);
    m.config.context = std::max(m.config.context, length);
    support::progress_bar bar("measuring");
    const loss_sums sums = evaluate(m.config, m.parameters, stream.ids, length,
                                    [&](double done) { bar.update(done); });
    bar.clear();
    const double mean = sums.nll / static_cast<double>(sums.rows);
    if (!support::is_finite(mean)) throw error(c.model, "predicts nothing but NaN");
    std::printf("tokens %ld  context %d  loss %.4f  perplexity %.4f  bits/byte %.4f\n", sums.rows,
                length, mean, std::exp(mean),
                sums.nll / std::log(2.0) / static_cast<double>(stream.bytes));
    return 0;
}

}  // namespace tbx::train
