// SPDX-License-Identifier: MIT
// Room train: command `train`, from a text file to a model file.
// Enters: options. Leaves: the model; while it works, a checkpoint and the vocabulary beside it.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <optional>

#include "gguf/reader.hpp"
#include "gguf/writer.hpp"
#include "support/atomic_file.hpp"
#include "support/error.hpp"
#include "support/human.hpp"
#include "support/interrupt.hpp"
#include "support/progress.hpp"
#include "tokenizer/tokenizer.hpp"
#include "train/checkpoint.hpp"
#include "train/commands.hpp"
#include "train/dataset.hpp"
#include "train/divergence.hpp"
#include "train/model_file.hpp"
#include "train/threads.hpp"
#include "train/vocabulary.hpp"

namespace tbx::train {
namespace {

namespace fs = std::filesystem;

double seconds_since(std::chrono::steady_clock::time_point t) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - t).count();
}

// The vocabulary is a file of its own from the start: resuming must not learn another one.
std::string vocabulary_file(const train_command& c, const std::string& text) {
    if (!c.vocab.empty()) return c.vocab;
    for (const std::string& model : {c.teacher, c.start_from})
        if (!model.empty()) return model;
    const std::string path = c.out + ".vocab";
    if (c.resume && fs::exists(path)) return path;
    std::printf("learning a vocabulary of up to %d pieces\n", c.vocab_size);
    std::fflush(stdout);
    gguf::writer file(path);
    file.set("general.architecture", "bitnet-b1.58");
    llama2c::write_vocabulary(file, train_vocabulary(c.text, split_texts(text), c.vocab_size));
    file.finish();
    return path;
}

// With --minutes, how many steps they will hold at the pace so far.
std::int64_t planned_steps(const train_command& c, const train_state& s) {
    if (c.minutes <= 0 || s.step == 0 || s.seconds <= 0) return c.options.steps;
    const double pace = s.seconds / static_cast<double>(s.step);
    return std::max(s.step + 1, static_cast<std::int64_t>(c.minutes * 60.0 / pace));
}

// What was put beside the model for the time of the run. Kept when there is a checkpoint to go on
// with, and when the user says so.
struct leftovers {
    std::string checkpoint, vocabulary;
    bool finished = false, keep = false;

    ~leftovers() {
        std::error_code ignored;
        if ((keep || !finished) && fs::exists(checkpoint, ignored)) return;
        fs::remove(checkpoint, ignored);
        fs::remove(vocabulary, ignored);
    }
};

// Hours later is too late to find that a folder is not there.
void check_outputs(const train_command& c, const std::string& checkpoint) {
    std::error_code none_yet;
    for (const std::string& path : {c.out, checkpoint}) {
        if (fs::equivalent(path, c.text, none_yet)) throw error(path, "is the text to learn");
        const support::atomic_file can_be_made(path);
    }
    if (fs::weakly_canonical(c.out, none_yet) == fs::weakly_canonical(checkpoint, none_yet))
        throw error("--checkpoint", "is the model's own file");
}

// Takes the weights of another model of the same sizes; its graph may be another. Rounding takes
// the mean of |w| for the scale, so trits are spread until that mean is the scale they had.
void take_weights(const std::string& path, const loaded_model& from, const model_config& c,
                  std::vector<float>& to) {
    const parameter_layout layout(c), other(from.config);
    if (!std::ranges::equal(layout.slots, other.slots, {}, &slot::name, &slot::name) ||
        !std::ranges::equal(layout.slots, other.slots, {}, &slot::offset, &slot::offset))
        throw error(path, "has other tensors or sizes than the model to train");
    to = from.parameters;
    // Signs have no zeros.
    if (!c.quantised || !from.config.already_rounded) return;
    for (const slot& s : layout.slots) {
        if (s.kind != slot_kind::linear) continue;
        const auto w = std::span(to).subspan(s.offset, s.size());
        const auto zeros = std::ranges::count(w, 0.0f);
        const float spread = static_cast<float>(s.size()) /
                             static_cast<float>(std::max<std::ptrdiff_t>(1, std::ssize(w) - zeros));
        for (float& v : w) v *= spread;
    }
}

// What linear weights are stored as, and that they fit.
std::optional<gguf::tensor_type> stored_type(const train_command& c, const model_config& config) {
    if (!config.quantised) return std::nullopt;
    const bool binary = config.weights == weight_rule::binary;
    const std::string name = !c.type.empty() ? c.type : binary ? "q1_0" : "tq2_0";
    if (name == "q1_0" && !binary)
        throw error("--type q1_0", "has no zero, so that it takes --weights binary alone");
    const int block = name == "tq2_0" ? 256 : 128;
    if (config.hidden % block != 0 || config.ffn % block != 0)
        throw error("--hidden, --ffn", "must be multiples of " + std::to_string(block) +
                                           (name == "tq2_0"  ? " for TQ2_0 (128 for --type i2_s)"
                                            : name == "i2_s" ? " for I2_S"
                                                             : " for Q1_0"));
    return name == "tq2_0"  ? gguf::tensor_type::tq2_0
           : name == "i2_s" ? gguf::tensor_type::i2_s
                            : gguf::tensor_type::q1_0;
}

struct outcome {
    train_state state;
    bool interrupted = false, went_on = false;
};

template <class Backend>
outcome train(const train_command& c, const model_config& config,
              const std::vector<std::uint16_t>& tokens, const std::optional<loaded_model>& teacher,
              const std::optional<loaded_model>& start, const std::string& checkpoint) {
    const run_identity run = identity_of(config, c.options, fingerprint(tokens));
    train_options options = c.options;
    if (c.minutes <= 0)  // a short run has no time to warm up for long
        options.optimiser.warm_up = std::min(options.optimiser.warm_up, 1 + options.steps / 10);
    trainer<Backend> work(config, options, tokens);
    if (teacher) work.learn_from(teacher->config, teacher->parameters);
    outcome o{fresh_state(config, c.options.seed)};
    train_state& s = o.state;
    if (start) take_weights(c.start_from, *start, config, s.parameters);
    if (fs::exists(checkpoint)) {
        s = load_checkpoint(checkpoint, run, s.parameters.size(), c.change_lr);
        std::printf("going on after step %ld\n", static_cast<long>(s.step));
    }
    const double step_tokens = static_cast<double>(c.options.batch) * config.context;
    const double before = s.seconds;
    const std::int64_t first = s.step;
    const auto started = std::chrono::steady_clock::now();
    const support::interrupt_watch watch;
    support::progress_bar bar("training");
    std::int64_t steps = planned_steps(c, s), next_line = 0;
    double smooth = 0;
    divergence_watch watch_loss(config);
    while (s.step < steps) {
        work.plan(steps);
        const step_report r = work.step(s);
        watch_loss.add(r, s.step, s.step >= steps);
        s.seconds = before + seconds_since(started);
        smooth = smooth == 0 ? r.nll : smooth + 0.05 * (r.nll - smooth);
        const double fall = static_cast<double>(steps) * (1 - c.options.optimiser.decay_part);
        if (s.step >= 10 && static_cast<double>(s.step) < fall) steps = planned_steps(c, s);
        const double done = static_cast<double>(s.step) / static_cast<double>(steps);
        char line[120];
        std::snprintf(line, sizeof line, "loss %.3f  %s tokens/s", smooth,
                      support::human_count(step_tokens * static_cast<double>(s.step - first) /
                                           (s.seconds - before))
                          .c_str());
        bar.update(done, line);
        // Where no terminal shows the bar, a log gets twenty lines.
        if (!support::is_terminal(2) && static_cast<std::int64_t>(done * 20) >= next_line) {
            next_line = static_cast<std::int64_t>(done * 20) + 1;
            std::printf("step %ld of %ld  %s\n", static_cast<long>(s.step),
                        static_cast<long>(steps), line);
            std::fflush(stdout);
        }
        o.interrupted = support::interrupted();
        if (o.interrupted || s.step % c.save_every == 0 || s.step >= steps)
            save_checkpoint(checkpoint, run, s);
        if (o.interrupted) break;
    }
    bar.clear();
    o.went_on = s.step > first;
    if (!o.went_on)
        std::printf("all %ld steps are made; --steps goes on from there\n",
                    static_cast<long>(s.step));
    else
        std::printf("step %ld  loss %.4f  %s\n", static_cast<long>(s.step), smooth,
                    support::human_duration(s.seconds).c_str());
    return o;
}

}  // namespace

int run(const train_command& c) {
    set_threads(c.threads);
    const std::string checkpoint = c.checkpoint.empty() ? c.out + ".checkpoint" : c.checkpoint;
    if (c.resume && fs::exists(c.out) && !fs::exists(checkpoint)) {
        std::printf("%s is finished and left as it is: there is no %s to go on with\n",
                    c.out.c_str(), checkpoint.c_str());
        return 0;
    }
    check_outputs(c, checkpoint);
    const std::string text = read_text(c.text);
    leftovers beside{checkpoint, c.out + ".vocab"};
    if (!c.resume && fs::exists(beside.checkpoint)) {
        beside.keep = true;
        throw error(beside.checkpoint,
                    "is left from an earlier run; add --resume to go on with it, "
                    "or delete it");
    }
    beside.keep = c.keep_checkpoint;
    const std::string vocab_path = vocabulary_file(c, text);
    token_stream stream;
    llama2c::spm_vocabulary vocabulary;
    {
        const gguf::reader file(vocab_path);
        vocabulary = llama2c::read_vocabulary(file);
        support::progress_bar bar("reading " + c.text);
        stream = tokenise(c.text, text, tokenizer::tokenizer::from_gguf(file),
                          [&](double done) { bar.update(done); });
    }
    const std::vector<std::uint16_t>& tokens = stream.ids;
    model_config config = c.model;
    config.vocab = vocabulary.size();
    if (const std::string what = complaint(config); !what.empty()) throw error("model", what);
    const std::optional<gguf::tensor_type> type = stored_type(c, config);
    if (tokens.size() <= static_cast<std::size_t>(config.context) + 1)
        throw error(c.text, "has only " + std::to_string(tokens.size()) +
                                " tokens; training with --context " +
                                std::to_string(config.context) + " needs more");
    const auto other_model = [&](const std::string& path) -> std::optional<loaded_model> {
        if (path.empty()) return std::nullopt;
        loaded_model m = load_model(path);
        if (m.vocabulary.tokens != vocabulary.tokens)
            throw error(path, "has another vocabulary than " + vocab_path);
        return m;
    };
    const auto start = other_model(c.start_from), teacher = other_model(c.teacher);
    if (teacher && teacher->config.context < config.context)
        throw error(c.teacher, "was trained for a shorter context than --context");
    std::printf("%s texts, %s tokens of %d kinds, %s parameters, %s weights\n",
                support::human_count(static_cast<double>(stream.texts)).c_str(),
                support::human_count(static_cast<double>(tokens.size())).c_str(), config.vocab,
                support::human_count(static_cast<double>(parameter_layout(config).size)).c_str(),
                config.quantised ? weight_rule_names[static_cast<int>(config.weights)].data()
                                 : "float");
    std::fflush(stdout);
    const auto trained = [&] {
        if (c.blas)
            return train<blas_backend<float>>(c, config, tokens, teacher, start, beside.checkpoint);
        if (!c.bf16)
            return train<portable_backend>(c, config, tokens, teacher, start, beside.checkpoint);
#ifdef TRILOBIT_TRAIN_ONEDNN
        return train<onednn_backend>(c, config, tokens, teacher, start, beside.checkpoint);
#else
        throw error("--bf16", "this build has no oneDNN (TRILOBIT_TRAIN_ONEDNN)");
#endif
    }();
    if (trained.interrupted) {
        std::printf("stopped; the same command with --resume goes on\n");
        return 130;
    }
    if (!trained.went_on) beside.keep = true;  // as --steps shall find it
    save_model(c.out, c.name.empty() ? fs::path(c.out).stem().string() : c.name, config,
               trained.state.parameters, vocabulary, type);
    beside.finished = true;
    std::printf("%s  %s\n", c.out.c_str(), support::human_bytes(fs::file_size(c.out)).c_str());
    return 0;
}

}  // namespace tbx::train
