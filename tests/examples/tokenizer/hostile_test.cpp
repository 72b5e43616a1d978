// SPDX-License-Identifier: MIT
// Tests of room tokenizer: vocabularies that nobody has trained end in one line or work, and texts
// of one letter take no longer than others. A quadratic step would take hours for a megabyte.
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <array>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "gguf_vocabulary.hpp"
#include "random_texts.hpp"
#include "support/error.hpp"
#include "tokenizer/tokenizer.hpp"

using namespace tbx;
using testing::vocabulary_file;

namespace {

class stranger {
    std::mt19937 random;

    std::size_t below(std::size_t n) { return random() % n; }

    std::string text() {
        static constexpr std::array<std::string_view, 16> parts{
            "a",        "b",      "ab",     "aa", "\u2581", "\u0120", "\u00e9", "\xff",
            "\xe2\x96", "<0x41>", "<0xZZ>", "",   " ",      "\u4e2d", "<s>",    "\u010a"};
        std::string made;
        for (std::size_t n = below(4); n > 0; --n) made += parts[below(parts.size())];
        return made;
    }

public:
    explicit stranger(std::uint32_t seed) : random(seed) {}

    vocabulary_file vocabulary(const std::string& model, int how_strange) {
        vocabulary_file file{model, {}, {}, {}, {}};
        if (model == "llama") file = testing::spm_vocabulary();
        if (model == "gpt2") file = testing::bpe_vocabulary();
        if (model == "t5") file = testing::unigram_vocabulary();
        const float scores[] = {0,
                                -1,
                                -2,
                                3,
                                -1e38f,
                                std::numeric_limits<float>::quiet_NaN(),
                                -std::numeric_limits<float>::infinity()};
        for (std::size_t n = below(40); n > 0; --n) {
            const bool odd = how_strange > 0 && below(60) == 0;
            file.add(text(), scores[below(odd ? 7 : 5)],
                     static_cast<std::int32_t>(below(odd ? 9 : 6)));
        }
        // Merges name absent tokens, themselves and one another.
        for (std::size_t n = below(40); n > 0; --n) {
            const std::string left = text(), right = text();
            const bool odd = how_strange > 0 && below(60) == 0;
            if (odd || (!left.empty() && !right.empty() && left.find(' ') == left.npos &&
                        right.find(' ') == right.npos))
                file.merges.push_back(left + " " + right);
        }
        file.more = [this, how_strange, size = file.tokens.size()](gguf::writer& out) {
            for (const char* name : {"bos", "eos", "unknown", "padding", "eot"}) {
                if (below(3) != 0) continue;
                const std::size_t id = below(how_strange > 0 && below(20) == 0 ? 2 * size : size);
                out.set("tokenizer.ggml." + std::string(name) + "_token_id",
                        static_cast<std::uint32_t>(id));
            }
            for (const char* name :
                 {"add_bos_token", "add_eos_token", "add_space_prefix", "remove_extra_whitespaces"})
                if (below(3) == 0) out.set("tokenizer.ggml." + std::string(name), below(2) == 0);
            for (const char* name : {"strip_left", "strip_right"}) {
                if (below(6) != 0) continue;
                const std::vector<std::int32_t> ids{static_cast<std::int32_t>(below(size + 1)),
                                                    static_cast<std::int32_t>(below(size))};
                out.set_array("trilobit.tokenizer." + std::string(name),
                              std::span<const std::int32_t>(ids));
            }
        };
        return file;
    }
};

/// Powers of two of one letter, each made of two of the one before.
vocabulary_file doubling(const std::string& model, char letter) {
    vocabulary_file file = model == "gpt2"    ? testing::bpe_vocabulary()
                           : model == "llama" ? testing::spm_vocabulary()
                                              : testing::unigram_vocabulary();
    std::string part = letter == ' ' && model != "gpt2" ? "\u2581" : std::string(1, letter);
    if (model == "gpt2") part = tokenizer::to_alphabet(part);
    if (model != "gpt2") file.add(part, -20);
    for (int i = 0; i < 8; ++i) {
        file.merges.push_back(part + " " + part);
        part += part;
        file.add(part, static_cast<float>(-20 - i));
    }
    return file;
}

}  // namespace

TEST_CASE("vocabularies that nobody has trained end in one line, or work") {
    const std::string model = GENERATE("llama", "gpt2", "t5");
    const int how_strange = GENERATE(0, 1);
    CAPTURE(model, how_strange);
    const auto texts = testing::random_texts(41, 5);
    int worked = 0, refused = 0;
    for (std::uint32_t seed = 0; seed < 700; ++seed) {
        CAPTURE(seed);
        try {
            const auto t = tokenizer::tokenizer::from_gguf(
                stranger(seed).vocabulary(model, how_strange).reader());
            ++worked;
            std::string text = "ab<s> aab\xff\xe2\x96 <0x41>\u4e2d\u2581";
            for (const std::string& more : texts) {
                for (const tokenizer::token_id id : t.encode(text)) {
                    REQUIRE(t.vocab().contains(id));
                    static_cast<void>(t.decode(id, true));
                }
                text += more;
            }
        } catch (const error& e) {
            ++refused;
            CHECK(std::string_view(e.what()).find('\n') == std::string_view::npos);
        }
    }
    CHECK(worked > 100);
    if (how_strange > 0) CHECK(refused > 0);
}

TEST_CASE("a megabyte of one letter is merged as all texts are") {
    const std::string model = GENERATE("llama", "gpt2", "t5");
    const char letter = GENERATE('a', ' ', '9');
    CAPTURE(model, letter);
    vocabulary_file file = doubling(model, letter);
    file.more = [](gguf::writer& out) { out.set("tokenizer.ggml.add_space_prefix", false); };
    if (model == "gpt2") file.pre = "gpt-2";
    const auto t = tokenizer::tokenizer::from_gguf(file.reader());
    const std::string text(1 << 20, letter);
    const auto ids = t.encode(text, {false, false, false});
    CHECK(ids.size() == text.size() / 256);
    CHECK(t.decode(ids) == text);
}
