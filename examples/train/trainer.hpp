// SPDX-License-Identifier: MIT
// Room train: one step of training, from the tokens to the moved parameters.
// Enters: a stream of tokens, a model's shape, options, maybe a teacher.
// Leaves: the state after each step, which depends on the arguments and the step number alone.
#pragma once

#include <cmath>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "support/error.hpp"
#include "support/finite.hpp"
#include "train/adamw.hpp"
#include "train/loss.hpp"
#include "train/model.hpp"
#include "train/portable_math.hpp"
#include "train/sampler.hpp"

namespace tbx::train {

struct train_options {
    optimiser_options optimiser;
    std::int64_t steps = 1000;
    int batch = 8;  // sequences of `context` tokens in a step
    int part = 4;   // sequences that go through the model at once
    std::uint64_t seed = 1;
    float soft = 1.0f;  // weight of the teacher's distribution against the text
};

struct train_state {
    std::int64_t step = 0;
    double seconds = 0;
    std::vector<float> parameters;
    moments moment;
};

// Deviation of the embedding before any step.
inline constexpr double fresh_embedding = 0.03;

// Norms start at one, weights small; the layers that write into the residual stream smaller still.
inline train_state fresh_state(const model_config& c, std::uint64_t seed) {
    const parameter_layout layout(c);
    train_state s;
    s.parameters.resize(layout.size);
    s.moment.first.assign(layout.size, 0.0f);
    s.moment.second.assign(layout.size, 0.0f);
    normal_deviates normal(seed);
    for (const slot& t : layout.slots) {
        const bool writes = t.name.find("attn_output") != std::string::npos ||
                            t.name.find("ffn_down") != std::string::npos;
        double deviation = t.kind == slot_kind::embedding
                               ? fresh_embedding
                               : 0.5 / std::sqrt(static_cast<double>(t.cols));
        if (writes) deviation /= std::sqrt(2.0 * c.layers);
        for (std::size_t i = 0; i < t.size(); ++i)
            s.parameters[t.offset + i] =
                t.kind == slot_kind::norm ? 1.0f : static_cast<float>(deviation * normal());
    }
    return s;
}

struct step_report {
    double nll = 0, trained = 0;  // means over the step's tokens
    double gradient_norm = 0;
    double lr = 0;
};

template <class Backend>
class trainer {
public:
    trainer(const model_config& c, const train_options& o, std::span<const std::uint16_t> stream)
        : model{c}, options{o}, tokens{stream}, gradient(model.layout.size) {}

    // The teacher predicts the same vocabulary from the same tokens.
    void learn_from(const model_config& c, std::span<const float> parameters) {
        model_config shape = c;
        shape.context = model.config.context;
        teacher_parameters.assign(parameters.begin(), parameters.end());
        teacher.emplace(shape);
        teacher->load(teacher_parameters);
    }

    // May change while the rate does not fall yet.
    void plan(std::int64_t steps) { options.steps = steps; }

    step_report step(train_state& s) {
        const int length = model.config.context;
        const auto n = static_cast<std::size_t>(length);
        const float weight =
            1.0f / (static_cast<float>(options.batch) * static_cast<float>(length));
        model.load(s.parameters);
        std::fill(gradient.begin(), gradient.end(), 0.0f);
        loss_sums sums;
        for (int done = 0; done < options.batch; done += options.part) {
            const int count = std::min(options.part, options.batch - done);
            inputs.clear();
            targets.clear();
            for (int i = 0; i < count; ++i) {
                const std::size_t from = window(s.step, done + i);
                for (std::size_t j = 0; j < n; ++j) {
                    inputs.push_back(tokens[from + j]);
                    targets.push_back(tokens[from + j + 1]);
                }
            }
            std::span<const float> soft_targets;
            if (teacher) soft_targets = teacher->forward(inputs, count, length);
            const auto logits = model.forward(inputs, count, length);
            sums += loss_and_gradient<float>(logits, targets, soft_targets, options.soft, weight,
                                             dlogits);
            model.backward(dlogits, gradient);
        }
        const rate now = rate_at(options.optimiser, s.step, options.steps);
        step_report r;
        r.nll = sums.nll / static_cast<double>(sums.rows);
        r.trained = sums.trained / static_cast<double>(sums.rows);
        r.lr = now.lr;
        r.gradient_norm = adamw_step(model.layout, options.optimiser, now, s.step, s.parameters,
                                     gradient, s.moment);
        if (!support::is_finite(r.trained) || !support::is_finite(r.gradient_norm))
            throw error("--lr", "the loss is no longer a number at step " + std::to_string(s.step) +
                                    "; no model is written, try a smaller rate");
        ++s.step;
        return r;
    }

private:
    // Where a sequence begins: a hash of the step and its place, so resuming needs no other state.
    [[nodiscard]] std::size_t window(std::int64_t step, int place) const {
        const auto length = static_cast<std::size_t>(model.config.context);
        const auto number =
            static_cast<std::uint64_t>(step) * static_cast<std::uint64_t>(options.batch) +
            static_cast<std::uint64_t>(place);
        return mixed(mixed(options.seed) + number) % (tokens.size() - length);
    }

    transformer<Backend> model;
    train_options options;
    std::span<const std::uint16_t> tokens;
    std::vector<float> gradient, dlogits;
    std::vector<int> inputs, targets;
    std::vector<float> teacher_parameters;
    std::optional<transformer<Backend>> teacher;
};

}  // namespace tbx::train
