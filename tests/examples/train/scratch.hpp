// SPDX-License-Identifier: MIT
// Room tests/examples/train: what several of its tests need.
// Enters: nothing. Leaves: a folder that goes away again, tiny models, repeated text.
#pragma once

#include <filesystem>
#include <fstream>
#include <random>
#include <string>

#include "../support/scratch_folder.hpp"
#include "llama2c/spm_vocabulary.hpp"
#include "train/config.hpp"

namespace scratch {

using folder = tbx::testing::scratch_folder;

inline void write(const std::string& path, const std::string& text) {
    std::ofstream(path, std::ios::binary) << text;
}

inline std::string story(int sentences) {
    const char* who[] = {"The cat", "A small dog", "Lily", "Tom and Tim", "The old bird"};
    const char* what[] = {" sat on the mat.", " ran to the big red house.", " saw the sea.",
                          " was happy all day.", " found a shiny stone in the grass."};
    std::mt19937 random(5);
    std::string text;
    for (int i = 0; i < sentences; ++i) {
        text += who[random() % 5];
        text += what[random() % 5];
        text += i % 7 == 6 ? "\n<|endoftext|>\n" : " ";
    }
    return text;
}

inline tbx::train::model_config tiny() {
    tbx::train::model_config c;
    c.vocab = 17;
    c.hidden = 256;
    c.ffn = 256;
    c.layers = 1;
    c.heads = 4;
    c.kv_heads = 2;
    c.context = 16;
    return c;
}

// A vocabulary of n pieces: three that stand for no text, and letters.
inline tbx::llama2c::spm_vocabulary letters(int n) {
    tbx::llama2c::spm_vocabulary v;
    for (int i = 0; i < n; ++i) {
        v.tokens.push_back(i == 0   ? "<unk>"
                           : i == 1 ? "<s>"
                           : i == 2 ? "</s>"
                                    : std::string(1, char('a' + i)));
        v.scores.push_back(0.0f);
        v.kinds.push_back(i == 0 ? 2 : i < 3 ? 3 : 1);
    }
    return v;
}

}  // namespace scratch
