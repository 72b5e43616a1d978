// SPDX-License-Identifier: MIT
// Room huggingface. Enters: a tokenizer.model: SentencePiece's protobuf message. Leaves: its
// vocabulary. A message is fields of a number and a type: 0 varint, 1 eight bytes, 2 bytes of a
// length, 5 four bytes; unknown fields are passed over. Nothing of protobuf is needed for this.
#include <optional>
#include <string_view>

#include "formats/bytes.hpp"
#include "huggingface/vocabulary.hpp"
#include "support/error.hpp"
#include "support/finite.hpp"

namespace tbx::huggingface {

namespace {

// Of sentencepiece_model.proto.
enum model_field { pieces = 1, trainer = 2, normaliser = 3 };
enum piece_field { piece_text = 1, piece_score = 2, piece_type = 3 };
enum trainer_field {
    model_type = 3,
    space_as_suffix = 24,
    unk_id = 40,
    bos_id = 41,
    eos_id = 42,
    pad_id = 43
};
enum normaliser_field { charsmap = 2, dummy_prefix = 3, extra_spaces = 4, escape_spaces = 5 };
constexpr std::uint64_t type_unigram = 1, type_bpe = 2;

class message {
    std::span<const std::byte> rest;
    const std::string& path;

    [[noreturn]] void damaged() const {
        throw error(path, "is no SentencePiece model, or damaged");
    }

    std::span<const std::byte> take(std::uint64_t count) {
        if (count > rest.size()) damaged();
        const auto part = rest.first(static_cast<std::size_t>(count));
        rest = rest.subspan(part.size());
        return part;
    }
    std::uint64_t varint() {
        std::uint64_t value = 0;
        for (int shift = 0; shift < 64; shift += 7) {
            const unsigned byte = formats::bits_of(take(1)[0]);
            value |= std::uint64_t{byte & 127u} << shift;
            if (byte < 128) return value;
        }
        damaged();
    }

public:
    struct field {
        std::uint64_t number = 0, value = 0;  // of a varint
        std::span<const std::byte> bytes;     // of others
    };

    message(std::span<const std::byte> all, const std::string& where) : rest(all), path(where) {}

    std::optional<field> next() {
        if (rest.empty()) return std::nullopt;
        const std::uint64_t tag = varint();
        field f{tag >> 3, 0, {}};
        switch (tag & 7u) {
            case 0:
                f.value = varint();
                break;
            case 1:
                f.bytes = take(8);
                break;
            case 2:
                f.bytes = take(varint());
                break;
            case 5:
                f.bytes = take(4);
                break;
            default:
                damaged();
        }
        return f;
    }
    [[nodiscard]] float number(const field& f) const {
        if (f.bytes.size() != 4) damaged();
        const auto value = formats::load_as<float>(f.bytes.data());
        if (!support::is_finite(value)) damaged();
        return value;
    }
};

std::string text_of(std::span<const std::byte> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

void read_piece(vocabulary& v, std::span<const std::byte> bytes, const std::string& path,
                std::int64_t most) {
    message in(bytes, path);
    std::string text;
    float score = 0;
    std::uint64_t type = vocabulary::normal;
    while (const auto f = in.next()) {
        if (f->number == piece_text) text = text_of(f->bytes);
        if (f->number == piece_score) score = in.number(*f);
        if (f->number == piece_type) type = f->value;
    }
    if (type < vocabulary::normal || type > vocabulary::byte)
        throw error(path, "has a piece of unknown type " + std::to_string(type));
    v.put(std::ssize(v.tokens), text, static_cast<vocabulary::kind>(type), most, path);
    v.scores.push_back(score);
}

void read_trainer(vocabulary& v, std::span<const std::byte> bytes, const std::string& path) {
    message in(bytes, path);
    std::uint64_t type = type_unigram;  // if nothing is said
    while (const auto f = in.next()) {
        // An id of -1 says that there is no such token.
        const auto id = static_cast<std::int64_t>(static_cast<std::int32_t>(f->value));
        if (f->number == model_type) type = f->value;
        if (f->number == unk_id) v.unknown_id = id;
        if (f->number == bos_id) v.bos = id;
        if (f->number == eos_id) v.eos = id;
        if (f->number == pad_id) v.padding = id;
        if (f->number == space_as_suffix && f->value != 0)
            throw error(path, "has spaces at the ends of its pieces, which is not known here");
    }
    if (type != type_bpe && type != type_unigram)
        throw error(path, "is a SentencePiece model of type " + std::to_string(type) +
                              "; only unigrams (1) and BPE (2) are known");
    if (type == type_unigram) v.model = "t5";
}

void read_normaliser(vocabulary& v, std::span<const std::byte> bytes, const std::string& path) {
    message in(bytes, path);
    while (const auto f = in.next()) {
        if (f->number == charsmap) v.character_map = text_of(f->bytes);
        if (f->number == dummy_prefix) v.add_space_prefix = f->value != 0;
        if (f->number == extra_spaces) v.remove_extra_whitespaces = f->value != 0;
        if (f->number == escape_spaces && f->value == 0)
            throw error(path, "does not spell spaces as U+2581");
    }
}

}  // namespace

vocabulary read_sentencepiece(std::span<const std::byte> bytes, const std::string& path,
                              std::int64_t most) {
    vocabulary v;
    v.model = "llama";
    v.pre = "default";
    v.unknown_id = 0;
    v.bos = 1;
    v.eos = 2;
    v.add_bos = true;
    v.add_eos = false;
    v.add_space_prefix = v.remove_extra_whitespaces = true;
    bool trained = false;
    message in(bytes, path);
    while (const auto f = in.next()) {
        if (f->number == pieces) read_piece(v, f->bytes, path, most);
        if (f->number == trainer) {
            read_trainer(v, f->bytes, path);
            trained = true;
        }
        if (f->number == normaliser) read_normaliser(v, f->bytes, path);
    }
    if (v.tokens.empty() || !trained) throw error(path, "is no SentencePiece model, or damaged");
    // Neither this program nor llama.cpp's does it; nor was any known model trained with it.
    if (v.model == "llama" && v.remove_extra_whitespaces.value_or(false))
        throw error(path, "removes extra spaces from texts, which is not known here beside BPE");
    if (v.model == "llama" && !v.character_map.empty())
        throw error(path, "normalises texts by a map, which GGUF's 'llama' does not");
    v.add_bos = v.bos >= 0;
    // T5's kind, which knows no begin.
    if (v.model == "t5") v.add_eos = v.bos < 0 && v.eos >= 0;
    for (std::int64_t* id : {&v.unknown_id, &v.bos, &v.eos, &v.padding})
        if (*id >= std::ssize(v.tokens))
            throw error(path, "has a special token outside its pieces");
    return v;
}

}  // namespace tbx::huggingface
