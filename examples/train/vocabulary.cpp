// SPDX-License-Identifier: MIT
// Room train: the one place that knows SentencePiece.
// Enters: texts. Leaves: a vocabulary in the spelling of GGUF files.
#include "train/vocabulary.hpp"

#include <sentencepiece_processor.h>
#include <sentencepiece_trainer.h>

#include <unordered_map>
#include <vector>

#include "support/error.hpp"

namespace tbx::train {
namespace {

// Lines of the texts; SentencePiece wants no line ends, which become byte tokens anyway.
class lines : public sentencepiece::SentenceIterator {
public:
    explicit lines(std::span<const std::string_view> texts) {
        for (std::string_view t : texts)
            while (!t.empty()) {
                // Long lines are cut at a space: they would be left out of the statistics.
                std::size_t n = std::min(t.find('\n'), t.size());
                std::size_t skip = 1;
                if (n > longest) {
                    const std::size_t space = t.substr(0, longest).rfind(' ');
                    n = space == t.npos || space == 0 ? longest : space;
                    skip = 0;
                }
                if (n > 0) all.emplace_back(t.substr(0, n));
                t.remove_prefix(std::min(n + skip, t.size()));
            }
    }
    [[nodiscard]] bool done() const override { return at >= all.size(); }
    void Next() override { ++at; }
    [[nodiscard]] const std::string& value() const override { return all[at]; }
    [[nodiscard]] sentencepiece::util::Status status() const override { return {}; }

private:
    static constexpr std::size_t longest = 2000;
    std::vector<std::string> all;
    std::size_t at = 0;
};

}  // namespace

llama2c::spm_vocabulary train_vocabulary(const std::string& path,
                                         std::span<const std::string_view> texts, int size) {
    const std::unordered_map<std::string, std::string> options = {
        {"vocab_size", std::to_string(size)},
        {"model_type", "bpe"},
        {"byte_fallback", "true"},
        {"character_coverage", "0.9995"},
        {"normalization_rule_name", "identity"},
        {"remove_extra_whitespaces", "false"},
        {"hard_vocab_limit", "false"},
        {"split_digits", "true"},
        {"num_threads", "2"},
        {"input_sentence_size", "500000"},  // enough for any statistics, and bounded time
        {"shuffle_input_sentence", "false"},
        {"minloglevel", "3"},
    };
    lines input(texts);
    std::string model;
    const auto trained = sentencepiece::SentencePieceTrainer::Train(options, &input, &model);
    if (!trained.ok()) throw error(path, "no vocabulary could be made: " + trained.ToString());
    sentencepiece::SentencePieceProcessor processor;
    if (const auto s = processor.LoadFromSerializedProto(model); !s.ok())
        throw error(path, "no vocabulary could be made: " + s.ToString());
    llama2c::spm_vocabulary v;
    using kind = llama2c::spm_vocabulary::kind;
    for (int i = 0; i < processor.GetPieceSize(); ++i) {
        v.tokens.push_back(processor.IdToPiece(i));
        v.scores.push_back(processor.GetScore(i));
        v.kinds.push_back(processor.IsUnknown(i)   ? kind::unknown
                          : processor.IsControl(i) ? kind::control
                          : processor.IsByte(i)    ? kind::byte
                                                   : kind::normal);
    }
    v.unknown_id = processor.unk_id();
    v.bos = processor.bos_id();
    v.eos = processor.eos_id();
    return v;
}

}  // namespace tbx::train
