// SPDX-License-Identifier: MIT
// Room train: the commands of the program trilobit-train, apart from how they are spelled.
// Enters: options. Leaves: files and lines on stdout; an error is a tbx::error.
#pragma once

#include <cstdint>
#include <string>

#include "train/config.hpp"
#include "train/trainer.hpp"

namespace tbx::train {

struct train_command {
    std::string text, out = "model.gguf";
    std::string vocab;       // take the vocabulary of this file
    std::string teacher;     // learn from this model's predictions too
    std::string start_from;  // begin with this model's weights, not with random ones
    std::string checkpoint;  // default: <out>.checkpoint
    std::string name;        // default: the file name of `out`
    std::string type;        // tq2_0, i2_s or q1_0; empty: by the rule of the weights
    model_config model;
    train_options options;
    int vocab_size = 1024;
    double minutes = 0;  // 0: options.steps decides
    int threads = 0;     // 0: one to a processor
    std::int64_t save_every = 200;
    bool resume = false, keep_checkpoint = false;
    bool blas = false, bf16 = false;  // whose products; else those with the same bits everywhere
    bool change_lr = false;           // resume with another learning rate than before
};
// Exit status: 0, or 130 when interrupted (the checkpoint is then written).
int run(const train_command& c);

struct sample_command {
    std::string model, out;  // empty: stdout
    sample_options options;
    std::int64_t texts = 0;  // stop after so many; 0: options.tokens decides
    int threads = 1;
};
int run(const sample_command& c);

struct eval_command {
    std::string model, text;
    int context = 0;         // 0: the model's, at most 256
    bool ternarise = false;  // round a float model's weights and activations first
    int threads = 0;
};
int run(const eval_command& c);

}  // namespace tbx::train
