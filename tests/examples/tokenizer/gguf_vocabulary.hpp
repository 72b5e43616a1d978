// SPDX-License-Identifier: MIT
// Tests of room tokenizer. Enters: tokens, scores, kinds, merges and flags. Leaves: a GGUF reader
// over a file that holds them.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "../support/scratch_folder.hpp"
#include "gguf/reader.hpp"
#include "gguf/writer.hpp"
#include "tokenizer/byte_alphabet.hpp"

namespace tbx::testing {

struct vocabulary_file {
    std::string model;
    std::vector<std::string> tokens;
    std::vector<float> scores;
    std::vector<std::int32_t> kinds;
    std::vector<std::string> merges;
    std::function<void(gguf::writer&)> more = [](gguf::writer&) {};
    std::string pre = model == "gpt2" ? "default" : "";  // no key where it is empty

    void add(std::string text, float score = 0, std::int32_t kind = 1) {
        tokens.push_back(std::move(text));
        scores.push_back(score);
        kinds.push_back(kind);
    }

    [[nodiscard]] gguf::reader reader() const {
        const scratch_folder folder;
        const std::string path = folder.path("vocabulary.gguf");
        write(path);
        return gguf::reader(path);
    }

    void write(const std::string& path) const {
        gguf::writer out(path);
        out.set("tokenizer.ggml.model", model);
        out.set_array("tokenizer.ggml.tokens", tokens);
        out.set_array("tokenizer.ggml.token_type", kinds);
        if (model != "gpt2") out.set_array("tokenizer.ggml.scores", scores);
        if (model == "gpt2") out.set_array("tokenizer.ggml.merges", merges);
        if (!pre.empty()) out.set("tokenizer.ggml.pre", pre);
        more(out);
        out.finish();
    }

    [[nodiscard]] std::string bytes() const {
        const gguf::reader file = reader();
        const auto all = file.parts().front().bytes();
        return {reinterpret_cast<const char*>(all.data()), all.size()};
    }
};

/// <unk> <s> </s>, 256 byte tokens from id 3, then a few words.
[[nodiscard]] inline vocabulary_file spm_vocabulary() {
    vocabulary_file file{"llama", {}, {}, {}, {}};
    file.add("<unk>", 0, 2);
    file.add("<s>", 0, 3);
    file.add("</s>", 0, 3);
    const char* digits = "0123456789ABCDEF";
    for (int b = 0; b < 256; ++b) {
        file.add(std::string("<0x") + digits[b / 16] + digits[b % 16] + ">", 0, 6);
    }
    return file;
}

/// <pad> </s> <unk>, then a few words: T5's order.
[[nodiscard]] inline vocabulary_file unigram_vocabulary() {
    vocabulary_file file{"t5", {}, {}, {}, {}};
    file.add("<pad>", 0, 3);
    file.add("</s>", 0, 3);
    file.add("<unk>", 0, 2);
    return file;
}

/// The 256 letters of the byte alphabet, in the order of their bytes.
[[nodiscard]] inline vocabulary_file bpe_vocabulary() {
    vocabulary_file file{"gpt2", {}, {}, {}, {}};
    for (int b = 0; b < 256; ++b) {
        file.add(tokenizer::to_alphabet(std::string(1, static_cast<char>(b))));
    }
    return file;
}

}  // namespace tbx::testing
