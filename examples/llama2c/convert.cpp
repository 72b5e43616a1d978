// SPDX-License-Identifier: MIT
// Room llama2c. Enters: a checked checkpoint and vocabulary.
// Leaves: metadata and tensors as GGUF wants them. No rows move: llama2.c rotates adjacent pairs,
// which is what architecture `llama` means by rotary embedding.
#include "llama2c/convert.hpp"

namespace tbx::llama2c {
namespace {

bool is_byte(const std::string& t) {
    return t.size() == 6 && t.starts_with("<0x") && t.back() == '>' &&
           t.find_first_not_of("0123456789ABCDEF", 3) == 5;
}

}  // namespace

spm_vocabulary to_spm(const vocabulary& from) {
    spm_vocabulary v;
    for (std::size_t i = 0; i < from.tokens.size(); ++i) {
        const std::string& t = from.tokens[i];
        // The first three are special whatever the file spells them as.
        if (i < 3) {
            v.tokens.emplace_back(i == 0 ? "<unk>" : (i == 1 ? "<s>" : "</s>"));
            v.kinds.push_back(i == 0 ? spm_vocabulary::unknown : spm_vocabulary::control);
        } else {
            std::string spelled;
            for (const char c : t)
                if (c == ' ')
                    spelled += "\xe2\x96\x81";
                else
                    spelled += c;
            v.tokens.push_back(spelled);
            v.kinds.push_back(is_byte(t) ? spm_vocabulary::byte : spm_vocabulary::normal);
        }
        v.scores.push_back(from.scores[i]);
    }
    // llama2.c trains on texts joined by BOS alone: BOS is also how its models say "the end".
    v.eos = v.bos;
    return v;
}

void convert(const std::string& checkpoint_path, const std::string& tokenizer_path,
             const std::string& out) {
    const checkpoint c = read_checkpoint(checkpoint_path);
    if (c.size.vocab < 3) throw error(checkpoint_path, "has fewer tokens than the special ones");
    const spm_vocabulary vocab = to_spm(read_vocabulary(tokenizer_path, c.size.vocab));
    gguf::writer file(out);
    const auto number = [&](const char* key, std::int32_t value) {
        file.set(key, static_cast<std::uint32_t>(value));
    };
    file.set("general.architecture", "llama");
    file.set("general.name", "llama2.c model");
    number("general.file_type", 0);
    number("llama.context_length", c.size.context);
    number("llama.embedding_length", c.size.dim);
    number("llama.block_count", c.size.layers);
    number("llama.feed_forward_length", c.size.hidden);
    number("llama.vocab_size", c.size.vocab);
    number("llama.attention.head_count", c.size.heads);
    number("llama.attention.head_count_kv", c.size.kv_heads);
    number("llama.rope.dimension_count", c.size.dim / c.size.heads);
    file.set("llama.attention.layer_norm_rms_epsilon", 1e-5f);
    file.set("llama.rope.freq_base", 10000.0f);
    write_vocabulary(file, vocab);
    for (const tensor& t : c.tensors) {
        if (t.rows == 1)
            file.add_tensor(t.name, gguf::tensor_type::f32, {t.cols});
        else
            file.add_tensor(t.name, gguf::tensor_type::f32, {t.cols, t.rows});
    }
    for (const tensor& t : c.tensors) file.append_floats(c.values(t));
    file.finish();
}

}  // namespace tbx::llama2c
