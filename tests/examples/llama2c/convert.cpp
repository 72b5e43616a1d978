// SPDX-License-Identifier: MIT
// Room tests/examples/llama2c: checkpoints of llama2.c, real and broken.
// Enters: the published story model, where it is at hand; tiny made-up files.
// Leaves: a failure where a tensor, a token or an error is wrong.
#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <fstream>
#include <random>

#include "gguf/reader.hpp"
#include "llama2c/convert.hpp"

using namespace tbx;
namespace fs = std::filesystem;

namespace {

class folder {
public:
    folder() {
        std::random_device random;
        path = fs::temp_directory_path() / ("trilobit-llama2c-" + std::to_string(random()));
        fs::create_directory(path);
    }
    folder(const folder&) = delete;
    folder& operator=(const folder&) = delete;
    ~folder() {
        std::error_code ignored;
        fs::remove_all(path, ignored);
    }
    [[nodiscard]] std::string operator/(const char* name) const { return (path / name).string(); }

private:
    fs::path path;
};

void write(const std::string& path, const std::string& bytes) {
    std::ofstream(path, std::ios::binary) << bytes;
}

template <class T>
void put(std::string& to, T value) {
    to.append(reinterpret_cast<const char*>(&value), sizeof value);
}

// dim 4, hidden 3, 1 layer, 2 heads, 1 kv head, 5 tokens, 2 positions; floats count upwards.
std::string tiny_checkpoint() {
    std::string s;
    for (const std::int32_t n : {4, 3, 1, 2, 1, 5, 2}) put(s, n);
    const int floats = 5 * 4 + 4 + 16 + 8 + 8 + 16 + 4 + 12 + 12 + 12 + 4 + 2 * 2;
    for (int i = 0; i < floats; ++i) put(s, static_cast<float>(i));
    return s;
}

std::string tiny_tokens() {
    std::string s;
    put(s, std::int32_t{8});
    for (const std::string t : {"<unk>", "\n<s>\n", "\n</s>\n", "<0x41>", " at"}) {
        put(s, -1.5f);
        put(s, static_cast<std::int32_t>(t.size()));
        s += t;
    }
    return s;
}

}  // namespace

TEST_CASE("a tiny checkpoint becomes a GGUF file tensor by tensor") {
    const folder dir;
    write(dir / "m.bin", tiny_checkpoint());
    write(dir / "t.bin", tiny_tokens());
    llama2c::convert(dir / "m.bin", dir / "t.bin", dir / "m.gguf");
    const gguf::reader file(dir / "m.gguf");
    CHECK(file.get<std::string>("general.architecture") == "llama");
    CHECK(file.get<int>("llama.attention.head_count_kv") == 1);
    CHECK(file.get<int>("llama.context_length") == 2);
    CHECK(file.strings("tokenizer.ggml.tokens") == std::vector<std::string_view>{"<unk>", "<s>",
                                                                                 "</s>", "<0x41>",
                                                                                 "\xe2\x96\x81"
                                                                                 "at"});
    const auto kinds = file.array<std::int32_t>("tokenizer.ggml.token_type");
    CHECK(kinds[0] == 2);
    CHECK(kinds[1] == 3);
    CHECK(kinds[3] == 6);
    CHECK(kinds[4] == 1);
    CHECK(file.get<int>("tokenizer.ggml.eos_token_id") == 1);
    const auto first = [&](const char* name) {
        return llama2c::number_at<float>(file.require_tensor(name).data, 0);
    };
    CHECK(first("token_embd.weight") == 0);
    CHECK(first("blk.0.attn_norm.weight") == 20);
    CHECK(first("blk.0.attn_q.weight") == 24);
    CHECK(first("blk.0.attn_v.weight") == 48);
    CHECK(first("blk.0.ffn_gate.weight") == 76);
    CHECK(first("blk.0.ffn_down.weight") == 88);
    CHECK(first("blk.0.ffn_up.weight") == 100);
    CHECK(first("output_norm.weight") == 112);
    CHECK(file.require_tensor("blk.0.attn_k.weight").rows() == 2);
    CHECK(file.require_tensor("blk.0.ffn_down.weight").columns() == 3);
    CHECK(file.find_tensor("output.weight") == nullptr);
}

TEST_CASE("broken checkpoints and vocabularies are refused and leave nothing") {
    const folder dir;
    const std::string good = tiny_checkpoint(), tokens = tiny_tokens();
    write(dir / "m.bin", good);
    write(dir / "t.bin", tokens);
    const auto fails = [&] {
        CHECK_THROWS_AS(llama2c::convert(dir / "m.bin", dir / "t.bin", dir / "o.gguf"), error);
        CHECK_FALSE(fs::exists(dir / "o.gguf"));
    };
    for (const std::size_t cut :
         {std::size_t{0}, std::size_t{27}, std::size_t{28}, good.size() - 1}) {
        write(dir / "m.bin", good.substr(0, cut));
        fails();
    }
    for (int field = 0; field < 7; ++field)
        for (const std::int32_t value : {0, -1, 0x7fffffff, -0x7fffffff - 1}) {
            std::string bad = good;
            std::memcpy(bad.data() + 4 * field, &value, 4);
            write(dir / "m.bin", bad);
            fails();
        }
    write(dir / "m.bin", good);
    for (std::size_t cut = 0; cut < tokens.size(); cut += 7) {
        write(dir / "t.bin", tokens.substr(0, cut));
        fails();
    }
    std::string bad = tokens;
    const std::int32_t huge = -5;
    std::memcpy(bad.data() + 8, &huge, 4);
    write(dir / "t.bin", bad);
    fails();
    write(dir / "t.bin", tokens + "x");
    fails();
}

TEST_CASE("the published story model converts") {
    const fs::path data = TRILOBIT_EXTERNAL_DATA;
    if (!fs::exists(data / "stories260K.bin")) SKIP("no story model at hand");
    const folder dir;
    llama2c::convert((data / "stories260K.bin").string(), (data / "tok512.bin").string(),
                     dir / "s.gguf");
    const gguf::reader file(dir / "s.gguf");
    CHECK(file.tensors().size() == 5 * 9 + 2);
    CHECK(file.strings("tokenizer.ggml.tokens").size() == 512);
    CHECK(file.strings("tokenizer.ggml.tokens")[265] == "\xe2\x96\x81the");
}
