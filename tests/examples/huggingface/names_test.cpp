// SPDX-License-Identifier: MIT
// Tests of names and of the order of rows: RoPE turns the same two numbers of a head, wherever they
// lie.
#include "huggingface/names.hpp"

#include <catch2/catch_test_macros.hpp>

#include <set>

using namespace tbx::huggingface;

TEST_CASE("rows of a head: neighbours are what halves were") {
    constexpr std::int64_t head_dim = 8;
    for (std::int64_t head = 0; head < 3; ++head)
        for (std::int64_t i = 0; i < head_dim / 2; ++i) {
            CHECK(row_of(head * head_dim + 2 * i, head_dim) == head * head_dim + i);
            CHECK(row_of(head * head_dim + 2 * i + 1, head_dim) ==
                  head * head_dim + i + head_dim / 2);
        }
}

TEST_CASE("names: each family has its tensors, once") {
    config c;
    c.layers = 2;
    c.dim = 8;
    c.ffn = 16;
    c.heads = 2;
    c.kv_heads = 1;
    c.head_dim = 4;
    c.vocab = 10;
    for (const auto& [family, each_layer, turned] : {std::tuple{"llama", 9, true},
                                                     {"bitnet", 11, false},
                                                     {"qwen2", 12, false},
                                                     {"qwen3", 11, false},
                                                     {"maple", 12, false},
                                                     {"gemma3", 20, false}}) {
        c.family = family;
        c.biases = c.family == "qwen2";
        c.experts = c.family == "maple" ? 5 : 0;
        c.post_norms = c.input_norms = c.family == "gemma3";
        c.head_norms = c.family == "qwen3" || c.experts > 0 || c.post_norms;
        std::set<std::string> names;
        for (const wanted_tensor& t : tensors_of(c)) {
            CHECK(names.insert(t.name).second);
            const bool q_or_k =
                t.name.ends_with("attn_q.weight") || t.name.ends_with("attn_k.weight");
            CHECK((t.permuted_heads > 0) == (q_or_k && turned));
            CHECK((t.count == 5) == t.name.ends_with("_exps.weight"));
            // Gemma's own norms, not those that BitNet's projections have.
            CHECK((t.added == 1) == (c.post_norms && t.name.ends_with("_norm.weight")));
        }
        CHECK(names.size() == static_cast<std::size_t>(2 * each_layer + 3));
    }
}

TEST_CASE("names: an expert's, and those of models of vectors, which are spelt in two ways") {
    config c;
    c.family = "maple";
    c.layers = c.experts = 2;
    for (const wanted_tensor& t : tensors_of(c))
        if (t.name == "blk.1.ffn_down_exps.weight")
            CHECK(t.expert(1) == "model.layers.1.mlp.experts.1.down_proj.weight");
    CHECK(tensors_of(c).front().spelt == std::vector<std::string>{"model.word_embeddings.weight"});
    c = {};
    c.family = "qwen3";
    c.headless = true;
    const auto all = tensors_of(c);
    CHECK(all.front().spelt ==
          std::vector<std::string>{"embed_tokens.weight", "model.embed_tokens.weight"});
    CHECK(all.back().name == "output_norm.weight");
}
