// SPDX-License-Identifier: MIT
// Benchmarks. Enters: GGUF files with vocabularies, or none. Leaves: how fast English text becomes
// ids, on one thread, by each; without files by vocabularies of the text's own words.
#include <algorithm>
#include <cctype>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "gguf/reader.hpp"
#include "gguf/writer.hpp"
#include "support/error.hpp"
#include "tokenizer/byte_alphabet.hpp"
#include "tokenizer/tokenizer.hpp"

namespace {

using namespace tbx;

std::string read_text(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    if (!in) throw error(path.string(), "cannot be opened");
    return {std::istreambuf_iterator<char>(in), {}};
}

/// The documentation, again and again up to 4 MB.
std::string english() {
    std::vector<std::filesystem::path> files;
    for (const auto& file : std::filesystem::directory_iterator(TRILOBIT_SOURCE_DIR "/docs"))
        if (file.path().extension() == ".md") files.push_back(file.path());
    std::sort(files.begin(), files.end());
    std::string once, text;
    for (const auto& file : files) once += read_text(file);
    while (text.size() < 4'000'000 && !once.empty()) text += once;
    return text;
}

/// Words, the likelier the more often they stand there, and all that they begin with.
std::map<std::string, int> beginnings(std::string_view text) {
    std::map<std::string, int> all;
    for (std::size_t at = 0; at < text.size();) {
        std::size_t end = at + 1;
        while (end < text.size() && std::isalpha(static_cast<unsigned char>(text[end])) != 0) ++end;
        for (std::size_t bytes = 1; bytes <= std::min<std::size_t>(end - at, 12); ++bytes)
            ++all[std::string(text.substr(at, bytes))];
        at = end;
    }
    return all;
}

std::string made(const std::filesystem::path& at, const std::string& model, std::string_view text) {
    std::vector<std::string> tokens{"<unk>", "<s>", "</s>"}, merges;
    std::vector<float> scores(3, 0);
    std::vector<std::int32_t> kinds{2, 3, 3};
    const auto add = [&](std::string token, float score, std::int32_t kind) {
        tokens.push_back(std::move(token));
        scores.push_back(score);
        kinds.push_back(kind);
    };
    const bool bytes = model == "gpt2";
    for (int b = 0; b < 256; ++b) {
        char name[8];
        (void)std::snprintf(name, sizeof name, "<0x%02X>", static_cast<unsigned>(b));
        add(bytes ? tokenizer::to_alphabet(std::string(1, static_cast<char>(b))) : name, 0,
            bytes ? 1 : 6);
    }
    const auto spelt = [&](std::string word) {
        if (bytes) return tokenizer::to_alphabet(word);
        if (word.starts_with(' ')) word.replace(0, 1, "\u2581");
        return word;
    };
    std::vector<std::pair<int, std::string>> words;
    for (const auto& [word, count] : beginnings(text))
        if (count > 8 && (!bytes || word.size() > 1)) words.emplace_back(-count, word);
    std::sort(words.begin(), words.end());
    for (const auto& [count, word] : words) {
        add(spelt(word),
            static_cast<float>(count) / 1e6f - static_cast<float>(tokens.size()) / 1e3f, 1);
        if (bytes) {
            const std::string last = spelt(word.substr(word.size() - 1));
            merges.push_back(spelt(word.substr(0, word.size() - 1)) + " " + last);
        }
    }
    const std::string path = (at / (model + ".gguf")).string();
    gguf::writer out(path);
    out.set("tokenizer.ggml.model", model);
    out.set("tokenizer.ggml.pre", "llama-bpe");
    out.set_array("tokenizer.ggml.tokens", tokens);
    out.set_array("tokenizer.ggml.token_type", kinds);
    if (bytes) out.set_array("tokenizer.ggml.merges", merges);
    if (!bytes) out.set_array("tokenizer.ggml.scores", scores);
    for (const char* token : {"unknown", "bos", "eos"})
        out.set("tokenizer.ggml." + std::string(token) + "_token_id",
                static_cast<std::uint32_t>(token[0] == 'u'   ? 0
                                           : token[0] == 'b' ? 1
                                                             : 2));
    out.finish();
    return path;
}

/// Best of as many rounds as fit into `seconds`, and at least two.
void measure(const std::string& path, const std::string& text, double seconds) {
    using clock = std::chrono::steady_clock;
    const auto words = tokenizer::tokenizer::from_gguf(gguf::reader(path));
    const auto seconds_since = [](clock::time_point from) {
        return std::chrono::duration<double>(clock::now() - from).count();
    };
    const auto start = clock::now();
    double best = 1e9;
    std::size_t ids = 0;
    for (int round = 0; round < 2 || seconds_since(start) < seconds; ++round) {
        const auto before = clock::now();
        ids = words.encode(text).size();
        best = std::min(best, seconds_since(before));
    }
    const tokenizer::vocabulary& v = words.vocab();
    const std::string kind = v.model == tokenizer::vocabulary_model::unigram ? "unigram"
                             : v.model == tokenizer::vocabulary_model::sentencepiece
                                 ? "SentencePiece"
                                 : "byte-level BPE, " + v.pre_tokenizer;
    const double bytes = static_cast<double>(text.size());
    std::printf("%-28s %7d tokens %6.1f MB/s %5.2f bytes a token  %s\n", kind.c_str(), v.size(),
                bytes / best / 1e6, bytes / static_cast<double>(std::max<std::size_t>(ids, 1)),
                std::filesystem::path(path).filename().string().c_str());
}

int run(const std::vector<std::string>& arguments) {
    std::vector<std::string> files;
    double seconds = 1;
    std::string text;
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        const std::string& word = arguments[i];
        const bool more = i + 1 < arguments.size();
        if (word == "--text" && more) {
            text = read_text(arguments[++i]);
        } else if (word == "--seconds" && more) {
            seconds = std::atof(arguments[++i].c_str());
        } else if (word.starts_with("-")) {
            (void)std::fputs(
                "trilobit-bench-tokenizer [--text FILE] [--seconds S] [VOCABULARY.gguf...]\n"
                "How fast a text, by itself the documentation, becomes ids on one thread.\n",
                word == "--help" ? stdout : stderr);
            return word == "--help" ? 0 : 2;
        } else {
            files.push_back(word);
        }
    }
    if (text.empty()) text = english();
    for (const std::string& file : files) measure(file, text, seconds);
    if (!files.empty()) return 0;
    const auto at = std::filesystem::temp_directory_path() /
                    ("trilobit-bench-tokenizer-" +
                     std::to_string(std::chrono::steady_clock::now().time_since_epoch().count()));
    std::filesystem::create_directory(at);
    for (const char* model : {"gpt2", "llama", "t5"}) measure(made(at, model, text), text, seconds);
    std::filesystem::remove_all(at);
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return run({argv + 1, argv + argc});
    } catch (const std::exception& e) {
        (void)std::fprintf(stderr, "trilobit: %s\n", e.what());
        return 1;
    }
}
