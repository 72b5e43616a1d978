// SPDX-License-Identifier: MIT
// Tests of examples/model/config.hpp and of what load_transformer refuses: good files give the
// graph that their architecture means, and every absurd one a sentence.
#include "model/config.hpp"

#include <cmath>
#include <limits>
#include <map>
#include <optional>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include "../support/scratch_folder.hpp"
#include "gguf/reader.hpp"
#include "gguf/writer.hpp"
#include "model/random_weights.hpp"
#include "model/shapes.hpp"

using namespace tbx;
using Catch::Matchers::ContainsSubstring;

namespace {

/// A metadata-only model whose numbers a test may spoil before it is read.
struct draft {
    std::string architecture = "llama";
    std::map<std::string, std::uint32_t> counts = {
        {"context_length", 128},     {"embedding_length", 64},       {"block_count", 2},
        {"attention.head_count", 4}, {"attention.head_count_kv", 2}, {"feed_forward_length", 96}};
    std::map<std::string, float> numbers = {{"attention.layer_norm_rms_epsilon", 1e-5f}};
    std::map<std::string, std::string> texts;
    std::map<std::string, bool> flags;
    std::map<std::string, std::vector<std::int32_t>> lists;
    std::vector<std::string> extra_tensors;

    [[nodiscard]] model::config read() const {
        const testing::scratch_folder folder;
        const std::string path = folder.path("m.gguf");
        gguf::writer out(path);
        out.set("general.architecture", architecture);
        for (const auto& [key, value] : counts) out.set(architecture + "." + key, value);
        for (const auto& [key, value] : numbers) out.set(architecture + "." + key, value);
        for (const auto& [key, value] : texts) out.set(architecture + "." + key, value);
        for (const auto& [key, value] : flags) out.set(architecture + "." + key, value);
        for (const auto& [key, value] : lists) out.set_array(architecture + "." + key, value);
        out.add_tensor("token_embd.weight", gguf::tensor_type::f32, {64, 8});
        for (const std::string& name : extra_tensors)
            out.add_tensor(name, gguf::tensor_type::f32, {64});
        out.append(std::vector<std::byte>(64 * 8 * 4));
        for (std::size_t i = 0; i < extra_tensors.size(); ++i)
            out.append(std::vector<std::byte>(64 * 4));
        out.finish();
        return model::read_config(gguf::reader(path));
    }
};

}  // namespace

TEST_CASE("a plain llama file") {
    const model::config c = draft{}.read();
    CHECK(c.vocab == 8);
    CHECK(c.key_dim == 16);
    CHECK(c.value_dim == 16);
    CHECK(c.rope_dim == 16);
    CHECK(c.kv_heads == 2);
    CHECK(c.rope_base == 10000.0f);
    CHECK(c.pairing == model::rope_pairing::interleaved);
    CHECK(c.gate == model::gate_function::silu);
    CHECK(c.tied_head);
    CHECK_FALSE(c.sub_norms);
    CHECK(c.linear_weights() == 2 * (64 * 64 * 2 + 2 * 32 * 64 + 3 * 64 * 96));
}

TEST_CASE("the architecture decides the graph, the activation key overrules it") {
    draft d;
    d.extra_tensors = {"blk.0.attn_sub_norm.weight", "output.weight"};
    for (const char* name : {"bitnet", "bitnet-b1.58", "bitnet-25"}) {
        d.architecture = name;
        const model::config c = d.read();
        CHECK(c.pairing == model::rope_pairing::halves);
        CHECK((c.gate == model::gate_function::squared_relu) == (c.architecture != "bitnet"));
        CHECK(c.sub_norms);
        CHECK_FALSE(c.tied_head);
    }
    d.architecture = "bitnet";
    d.texts["hidden_activation"] = "relu2";
    CHECK(d.read().gate == model::gate_function::squared_relu);
    d.architecture = "bitnet-b1.58";
    d.texts["hidden_activation"] = "silu";
    CHECK(d.read().gate == model::gate_function::silu);
    d.texts["hidden_activation"] = "gelu";
    CHECK_THROWS_WITH(d.read(), ContainsSubstring("gelu"));
}

TEST_CASE("parts of a layer follow from the architecture, and from tensors") {
    draft d;
    d.architecture = "qwen2";
    CHECK(d.read().biases);
    CHECK(d.read().pairing == model::rope_pairing::halves);
    d.architecture = "qwen3";
    CHECK(d.read().head_norms);
    CHECK_FALSE(d.read().biases);
    d.architecture = "llama";
    CHECK_FALSE(d.read().head_norms);
    d.extra_tensors = {"blk.0.attn_q.bias"};
    CHECK(d.read().biases);
    for (const char* hybrid : {"qwen35", "qwen3next", "qwen35moe"}) {
        d.architecture = hybrid;
        CHECK_THROWS_WITH(d.read(), ContainsSubstring("use llama.cpp with the plug-in"));
    }
}

TEST_CASE("YaRN as llama.cpp reads it") {
    draft d;
    d.architecture = "qwen3";
    d.texts["rope.scaling.type"] = "yarn";
    CHECK(d.read().yarn.original == 128);  // the context, where no other is said
    CHECK(d.read().rope_magnitude == 1.0f);
    d.numbers["rope.scaling.factor"] = 4.0f;
    d.counts["rope.scaling.original_context_length"] = 32;
    d.numbers["rope.scaling.yarn_beta_fast"] = 16.0f;
    const model::config c = d.read();
    CHECK(c.yarn.original == 32);
    CHECK(c.yarn.fast == 16.0f);
    CHECK(c.yarn.slow == 1.0f);
    CHECK(c.rope_divisor == 4.0f);
    CHECK(std::fabs(c.rope_magnitude - 1.1386294f) < 1e-6f);
    d.numbers["rope.scaling.yarn_beta_slow"] = 20.0f;
    CHECK_THROWS_WITH(d.read(), ContainsSubstring("YaRN"));
    d.texts["rope.scaling.type"] = "linear";
    CHECK(d.read().yarn.original == 0);
}

TEST_CASE("head widths and RoPE of their own") {
    draft d;
    d.counts["attention.key_length"] = 32;
    d.counts["attention.value_length"] = 8;
    d.counts["rope.dimension_count"] = 16;
    d.texts["rope.scaling.type"] = "linear";
    d.numbers["rope.scaling.factor"] = 4.0f;
    const model::config c = d.read();
    CHECK(c.q_width() == 128);
    CHECK(c.v_width() == 16);
    CHECK(c.attention_width() == 32);
    CHECK(c.rope_dim == 16);
    CHECK(c.rope_divisor == 4.0f);
}

TEST_CASE("RoPE's scaling where the file leaves something out") {
    const auto divisor = [](const char* type, std::optional<float> factor,
                            std::optional<float> old) {
        draft d;
        if (type != nullptr) d.texts["rope.scaling.type"] = type;
        if (factor) d.numbers["rope.scaling.factor"] = *factor;
        if (old) d.numbers["rope.scale_linear"] = *old;
        return d.read().rope_divisor;
    };
    CHECK(divisor(nullptr, {}, {}) == 1.0f);
    CHECK(divisor(nullptr, 4.0f, {}) == 4.0f);
    CHECK(divisor(nullptr, {}, 8.0f) == 8.0f);
    CHECK(divisor("linear", {}, {}) == 1.0f);
    CHECK(divisor("linear", {}, 8.0f) == 8.0f);
    CHECK(divisor("linear", 2.0f, 8.0f) == 2.0f);
    CHECK(divisor("none", 4.0f, 8.0f) == 1.0f);
    CHECK(divisor(nullptr, 0.0f, {}) == 1.0f);
}

TEST_CASE("a width of values that is not said follows from the heads, not from the keys") {
    draft d;
    d.counts["attention.key_length"] = 32;
    CHECK(d.read().value_dim == 16);
    d.counts["attention.head_count"] = 3;
    d.counts["attention.head_count_kv"] = 3;
    CHECK_THROWS_WITH(d.read(), ContainsSubstring("attention.value_length is absent"));
    d.counts["attention.value_length"] = 16;
    CHECK(d.read().value_dim == 16);
}

TEST_CASE("numbers given for each layer are read when they are one number") {
    const std::string key =
        GENERATE("attention.head_count", "attention.head_count_kv", "feed_forward_length");
    draft d;
    const auto value = static_cast<std::int32_t>(d.counts.at(key));
    d.counts.erase(key);
    d.lists[key] = {value, value};
    const model::config same = d.read(), plain = draft{}.read();
    CHECK(same.heads == plain.heads);
    CHECK(same.kv_heads == plain.kv_heads);
    CHECK(same.ffn == plain.ffn);
    d.lists[key] = {value, value / 2};
    CHECK_THROWS_WITH(d.read(),
                      ContainsSubstring("'llama." + key + "' differs from layer to layer (" +
                                        std::to_string(value) + " and "));
    d.lists[key] = {value, value, value};
    CHECK_THROWS_WITH(d.read(), ContainsSubstring("holds 3 numbers for 2 layers"));
    d.lists[key] = {};
    CHECK_THROWS_AS(d.read(), error);
}

TEST_CASE("keys that change the graph are refused, unless their value changes nothing") {
    const auto reads = [](const draft& d) {
        try {
            (void)d.read();
            return true;
        } catch (const error& e) {
            CHECK_THAT(e.what(), ContainsSubstring("it changes what the model computes"));
            return false;
        }
    };
    const auto [key, bad, good] = GENERATE(table<std::string, float, float>({
        {"attention.sliding_window", 127, 128},
        {"attention.sliding_window", 1, 0},
        {"attention.clamp_kqv", 8, 0},
        {"attention.max_alibi_bias", 8, 0},
        {"attention.scale", 0.125f, 0.25f},
        {"attention.output_scale", 2, 1},
        {"attention.key_length_mla", 16, 0},
        {"attention.indexer.top_k", 64, 0},
        {"attn_logit_softcapping", 50, 0},
        {"final_logit_softcapping", 30, 0},
        {"logit_scale", 0.0625f, 1},
        {"logit_scale", 8, 0},
        {"residual_scale", 0.22f, 1},
        {"embedding_scale", 12, 1},
        {"expert_count", 8, 0},
        {"expert_used_count", 2, 0},
        {"nextn_predict_layers", 1, 0},
        {"full_attention_interval", 4, 1},
        {"rope.scaling.attn_factor", 1.2f, 1},
        {"rope.scaling.alpha", 1000, 1},
        {"rope.scaling.yarn_ext_factor", 1, -1},
        {"swiglu_clamp_exp", 7, 0},
        {"ssm.conv_kernel", 4, 0},
        {"logit_scale", std::numeric_limits<float>::quiet_NaN(), 1},
    }));
    INFO(key);
    draft d;
    d.numbers[key] = bad;
    CHECK_FALSE(reads(d));
    d.numbers[key] = good;
    CHECK(reads(d));
    d.numbers.erase(key);
    d.counts[key] = static_cast<std::uint32_t>(std::max(good, 0.0f));
    if (good == std::floor(good)) CHECK(reads(d));
    d.counts.erase(key);
    d.texts[key] = "0";
    CHECK_FALSE(reads(d));
}

TEST_CASE("flags and lists among the keys that change the graph") {
    const auto reads = [](const draft& d) {
        try {
            return d.read().layers == 2;
        } catch (const error&) {
            return false;
        }
    };
    draft d;
    d.flags = {{"attention.causal", true}, {"use_parallel_residual", false}};
    d.lists = {{"attention.recurrent_layers", {0, 0}}, {"rope.dimension_sections", {0, 0, 0, 0}}};
    CHECK(reads(d));
    d.flags["attention.causal"] = false;
    CHECK_FALSE(reads(d));
    d.flags = {{"use_parallel_residual", true}};
    CHECK_FALSE(reads(d));
    d.flags.clear();
    d.lists["rope.dimension_sections"] = {16, 24, 24, 0};
    CHECK_FALSE(reads(d));
    d.lists["rope.dimension_sections"] = {0, 0, 0, 0};
    d.lists["attention.recurrent_layers"] = {0, 1};
    CHECK_FALSE(reads(d));
    // Keys of another architecture, and those that nobody computes with, are nothing to us.
    draft other;
    other.counts["attention.layer_norm_epsilon"] = 1;
    other.counts["pooling_type"] = 1;
    other.counts["rope.scaling.original_context_length"] = 64;
    CHECK(reads(other));
}

TEST_CASE("absurd values are refused with a sentence") {
    const auto [key, value, words] = GENERATE(table<std::string, std::uint32_t, std::string>({
        {"embedding_length", 0, "embedding_length is 0"},
        {"embedding_length", 2000000000, "embedding_length"},
        {"feed_forward_length", 0, "feed_forward_length is 0"},
        {"block_count", 0, "block_count is 0"},
        {"block_count", 4000000000, "block_count"},
        {"attention.head_count", 0, "attention.head_count"},
        {"attention.head_count", 3, "does not divide"},
        {"attention.head_count_kv", 0, "attention.head_count_kv is 0"},
        {"attention.head_count_kv", 3, "not a multiple"},
        {"attention.head_count_kv", 8, "attention.head_count_kv is 8"},
        {"attention.key_length", 0, "attention.key_length is 0"},
        {"attention.key_length", 15, "not an even number"},
        {"attention.key_length", 1000000, "wider than"},
        {"attention.value_length", 4000000000, "attention.value_length"},
        {"rope.dimension_count", 15, "not an even number"},
        {"rope.dimension_count", 18, "not an even number up to"},
        {"rope.dimension_count", 0, "rope.dimension_count is 0"},
        {"context_length", 0, "context_length is 0"},
        {"context_length", 4294967295, "context_length"},
        {"vocab_size", 9, "has 8 rows"},
    }));
    draft d;
    d.counts[key] = value;
    CHECK_THROWS_WITH(d.read(), ContainsSubstring(words));
}

TEST_CASE("absurd numbers and texts are refused too") {
    const auto [key, value] = GENERATE(table<std::string, float>({
        {"attention.layer_norm_rms_epsilon", 0.0f},
        {"attention.layer_norm_rms_epsilon", -1.0f},
        {"attention.layer_norm_rms_epsilon", std::numeric_limits<float>::quiet_NaN()},
        {"rope.freq_base", 0.0f},
        {"rope.freq_base", std::numeric_limits<float>::infinity()},
    }));
    draft d;
    d.numbers[key] = value;
    CHECK_THROWS_AS(d.read(), error);

    draft other;
    other.texts["rope.scaling.type"] = "dynamic";
    CHECK_THROWS_WITH(other.read(), ContainsSubstring("dynamic"));
    draft below;
    below.texts["rope.scaling.type"] = "linear";
    below.numbers["rope.scaling.factor"] = -1.0f;
    CHECK_THROWS_AS(below.read(), error);
    draft unknown;
    unknown.architecture = "gptj";
    CHECK_THROWS_WITH(unknown.read(), ContainsSubstring("none of llama"));
    draft incomplete;
    incomplete.counts.erase("block_count");
    CHECK_THROWS_WITH(incomplete.read(), ContainsSubstring("block_count"));
}

TEST_CASE("every named shape is sound and has the size that was published") {
    for (const std::string_view name : model::shape_names()) {
        INFO(name);
        CHECK(model::check(model::config_of_shape(name)).empty());
    }
    const auto millions = [](std::string_view name) {
        return std::round(static_cast<double>(model::config_of_shape(name).linear_weights()) /
                          1e5) /
               10.0;
    };
    CHECK(millions("bitnet-b1.58-2B-4T") == 2084.0);
    CHECK(millions("bitnet_b1_58-large") == 679.5);
    CHECK(millions("bitnet_b1_58-3B") == 3221.5);
    CHECK(millions("Llama3-8B-1.58") == 6979.3);
    CHECK(millions("Falcon3-1B-1.58bit") == 1132.5);
    CHECK(millions("Falcon3-7B-1.58bit") == 6650.1);
    CHECK(millions("Falcon3-10B-1.58bit") == 9500.1);
    CHECK(millions("Falcon-E-1B") == 1585.4);
    CHECK(millions("Falcon-E-3B") == 2919.2);
    CHECK(millions("TriLM-99M") == 48.2);
    CHECK(millions("Bonsai-1.7B") == 1409.3);
    CHECK(millions("Bonsai-4B") == 3633.3);
    CHECK(millions("Bonsai-8B") == 6945.8);
    CHECK_THROWS_WITH(model::config_of_shape("no-such"), ContainsSubstring("'no-such' is none of"));
}
