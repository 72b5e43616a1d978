// SPDX-License-Identifier: MIT
// Fuzz target: any bytes as one of the small files of a model folder; the first byte says which:
// 'c' config.json, 't' tokenizer.json, 's' tokenizer.model. They are refused with a sentence, or
// what is read of them is sound.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "huggingface/config.hpp"
#include "huggingface/names.hpp"
#include "huggingface/vocabulary.hpp"
#include "support/error.hpp"

namespace {

using namespace tbx;

void check(const huggingface::vocabulary& v) {
    if (v.tokens.size() != v.kinds.size() || v.tokens.size() > 5000) std::abort();
    for (const std::int64_t id : {v.bos, v.eos, v.unknown_id, v.padding})
        if (id >= std::ssize(v.tokens)) std::abort();
}

void read(char which, std::string_view rest) {
    if (which == 'c') {
        const auto c = huggingface::read_config(safetensors::parse_json(rest, "fuzz"), "fuzz");
        if (c.dim < 1 || c.heads % c.kv_heads != 0 || c.head_dim % 2 != 0) std::abort();
        if (c.layers <= 8 && huggingface::tensors_of(c).empty()) std::abort();
    } else if (which == 't') {
        check(
            huggingface::read_tokenizer_json(safetensors::parse_json(rest, "fuzz"), "fuzz", 5000));
    } else if (which == 's') {
        check(huggingface::read_sentencepiece(std::as_bytes(std::span(rest)), "fuzz", 5000));
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    try {
        read(text[0], text.substr(1));
    } catch (const error& e) {
        if (std::string(e.what()).find('\n') != std::string::npos) std::abort();
    }
    return 0;
}
