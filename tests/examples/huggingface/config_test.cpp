// SPDX-License-Identifier: MIT
// Tests of config.json: what GGUF can say is read, and whatever may change a model and is not known
// here is refused by its name.
#include "huggingface/config.hpp"

#include <cmath>

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include "support/error.hpp"

using namespace tbx;
using namespace tbx::huggingface;
using Catch::Matchers::ContainsSubstring;
using safetensors::json;

namespace {

json llama() {
    return {{"architectures", {"LlamaForCausalLM"}},
            {"model_type", "llama"},
            {"hidden_size", 256},
            {"intermediate_size", 512},
            {"num_hidden_layers", 2},
            {"num_attention_heads", 4},
            {"num_key_value_heads", 2},
            {"vocab_size", 300},
            {"max_position_embeddings", 512},
            {"rms_norm_eps", 1e-5},
            {"rope_theta", 500000.0},
            {"tie_word_embeddings", false},
            {"hidden_act", "silu"}};
}

json with(json from, const json& more) {
    from.update(more);
    return from;
}

std::string refusal(const json& from) {
    try {
        (void)read_config(from, "config.json");
    } catch (const error& e) {
        return e.what();
    }
    return "nothing was refused";
}

}  // namespace

TEST_CASE("config.json: a Llama's") {
    const config c = read_config(llama(), "config.json");
    CHECK(c.family == "llama");
    CHECK((c.dim == 256 && c.ffn == 512 && c.layers == 2 && c.heads == 4 && c.kv_heads == 2));
    CHECK((c.head_dim == 64 && c.rope_dim == 64 && c.vocab == 300 && c.context == 512));
    CHECK((c.norm_eps == 1e-5f && c.rope_base == 500000.0f && !c.squared_relu));
    CHECK(c.tied == false);
    CHECK((c.weights == weight_rule::plain && c.rope == rope_rule::plain));
    CHECK(read_config(with(llama(), {{"head_dim", 128}}), "c").head_dim == 128);
}

TEST_CASE("config.json: Qwen's two") {
    const json more = {{"use_sliding_window", false}, {"sliding_window", 64}, {"head_dim", 64}};
    const config two =
        read_config(with(with(llama(), more), {{"architectures", {"Qwen2ForCausalLM"}}}), "c");
    CHECK((two.family == "qwen2" && two.biases && !two.head_norms));
    const config three =
        read_config(with(with(llama(), more), {{"architectures", {"Qwen3ForCausalLM"}}}), "c");
    CHECK((three.family == "qwen3" && !three.biases && three.head_norms));
    CHECK_THAT(refusal(with(with(llama(), more), {{"architectures", {"Qwen2ForCausalLM"}},
                                                  {"use_sliding_window", true}})),
               ContainsSubstring("'sliding_window' is 64"));
}

TEST_CASE("config.json: MiniCPM's scales") {
    const json scales = {{"architectures", {"MiniCPMForCausalLM"}},
                         {"scale_emb", 12},
                         {"scale_depth", 1.4},
                         {"dim_model_base", 64}};
    const config c = read_config(with(llama(), scales), "c");
    CHECK((c.family == "minicpm" && c.embedding_scale == 12 && c.logit_scale == 4));
    CHECK(c.residual_scale == 1.4 / std::sqrt(2.0));
    CHECK_THAT(refusal(with(with(llama(), scales), {{"scale_depth", nullptr}})),
               ContainsSubstring("'scale_depth' is missing"));
    CHECK_THAT(refusal(with(with(llama(), scales), {{"sparse_config", {{"topk", 64}}}})),
               ContainsSubstring("'sparse_config'"));
}

TEST_CASE("config.json: the ways in which weights lie") {
    const auto rule = [](const json& more) {
        return read_config(with(llama(), more), "config.json").weights;
    };
    const auto bitnet = [](const json& more) {
        return json{{"quantization_config", with({{"quant_method", "bitnet"}}, more)}};
    };
    // The default divides: files of Falcon and of HF1BitLLM name no class.
    CHECK(rule(bitnet(json::object())) == weight_rule::packed_divide);
    CHECK(rule(bitnet({{"linear_class", "bitlinear"}, {"quantization_mode", "offline"}})) ==
          weight_rule::packed_divide);
    CHECK(rule(bitnet({{"linear_class", "autobitlinear"}, {"quantization_mode", "offline"}})) ==
          weight_rule::packed_multiply);
    CHECK(rule(bitnet({{"linear_class", "autobitlinear"}, {"quantization_mode", "online"}})) ==
          weight_rule::absmean);
    CHECK(rule({{"quantization", {{"group_size", 128}, {"bits", 2}}}}) == weight_rule::affine);
    const json large = with(
        llama(), {{"architectures", {"BitnetForCausalLM"}}, {"weight_bits", 1}, {"input_bits", 8}});
    CHECK(read_config(large, "c").weights == weight_rule::absmean);
    CHECK_FALSE(read_config(large, "c").squared_relu);

    CHECK_THAT(refusal(with(llama(), bitnet({{"linear_class", "x"}}))),
               ContainsSubstring("'quantization_config.linear_class' is 'x'"));
    CHECK_THAT(refusal(with(llama(), bitnet({{"use_rms_norm", true}}))),
               ContainsSubstring("'quantization_config.use_rms_norm' is true"));
    CHECK_THAT(refusal(with(llama(), bitnet({{"surprise", 3}}))),
               ContainsSubstring("'quantization_config.surprise' is 3"));
    CHECK_THAT(refusal(with(llama(), {{"quantization_config", {{"quant_method", "gptq"}}}})),
               ContainsSubstring("'gptq'"));
    CHECK_THAT(refusal(with(llama(), {{"quantization", {{"group_size", 128}, {"bits", 3}}}})),
               ContainsSubstring("'quantization.bits' is 3"));
    CHECK_THAT(refusal(with(large, {{"weight_bits", 2}})), ContainsSubstring("weight_bits"));
}

TEST_CASE("config.json: RoPE is scaled in the ways that GGUF has") {
    for (const char* field : {"rope_scaling", "rope_parameters"}) {
        const auto rope = [&](const json& how) { return with(llama(), {{field, how}}); };
        const config yarn = read_config(
            rope(
                {{"rope_type", "yarn"}, {"factor", 4.0}, {"original_max_position_embeddings", 64}}),
            "c");
        CHECK((yarn.rope == rope_rule::yarn && yarn.rope_factor == 4 && yarn.rope_original == 64));
        CHECK(read_config(rope({{"type", "linear"}, {"factor", 2}}), "c").rope ==
              rope_rule::linear);
        CHECK(
            read_config(rope({{"rope_type", "default"}, {"rope_theta", 7777.0}}), "c").rope_base ==
            7777.0f);
        CHECK_THAT(refusal(rope({{"rope_type", "dynamic"}, {"factor", 2}})),
                   ContainsSubstring("'dynamic'"));
        const config longer = read_config(rope({{"rope_type", "longrope"},
                                                {"original_max_position_embeddings", 64},
                                                {"short_factor", std::vector<double>(32, 1.0)},
                                                {"long_factor", std::vector<double>(32, 2.5)}}),
                                          "c");
        CHECK((longer.rope == rope_rule::longrope && longer.rope_original == 64));
        CHECK((longer.rope_short.size() == 32 && longer.rope_long.back() == 2.5f));
        CHECK_THAT(refusal(rope({{"rope_type", "longrope"},
                                 {"short_factor", std::vector<double>(31, 1.0)},
                                 {"long_factor", std::vector<double>(32, 2.5)}})),
                   ContainsSubstring("short_factor' is no list of 32 numbers"));
        CHECK_THAT(refusal(rope({{"rope_type", "yarn"},
                                 {"factor", 4},
                                 {"original_max_position_embeddings", 64},
                                 {"mscale", 2}})),
                   ContainsSubstring("mscale' is 2"));
        CHECK_THAT(refusal(rope({{"rope_type", "llama3"}, {"factor", 8}})),
                   ContainsSubstring("original_max_position_embeddings' is missing"));
        CHECK_THAT(refusal(rope({{"rope_type", "linear"}, {"factor", 0}})),
                   ContainsSubstring("factor'"));
    }
}

TEST_CASE("config.json: what may change the graph is refused by its name") {
    struct fault {
        json more;
        const char* why;
    };
    const fault faults[] = {
        {{{"num_local_experts", 8}}, "'num_local_experts' is 8"},
        {{{"final_logit_softcapping", 30.0}}, "'final_logit_softcapping' is 30"},
        {{{"attention_bias", true}}, "'attention_bias' is true"},
        {{{"mlp_bias", true}}, "'mlp_bias' is true"},
        {{{"partial_rotary_factor", 0.5}}, "'partial_rotary_factor'"},
        {{{"sliding_window", 128}}, "'sliding_window' is 128"},
        {{{"layer_types", {"full_attention", "sliding_attention"}}}, "'sliding_attention'"},
        {{{"embedding_multiplier", 12.0}}, "'embedding_multiplier'"},
        {{{"hidden_act", "gelu"}}, "'gelu'"},
        {{{"hidden_act", "relu2"}}, "'relu2'"},
        {{{"something_new", {{"a", 1}}}}, "'something_new' is an object"},
        {{{"architectures", {"GemmaForCausalLM"}}}, "'GemmaForCausalLM', none of"},
        {{{"architectures", json::array()}}, "'architectures'"},
        {{{"hidden_size", nullptr}}, "'hidden_size' is missing"},
        {{{"hidden_size", "256"}}, "'hidden_size' is '256'"},
        {{{"hidden_size", 256.5}}, "'hidden_size' is 256.5"},
        {{{"hidden_size", -256}}, "'hidden_size' is -256"},
        {{{"hidden_size", 1u << 30}}, "not in 1.."},
        {{{"num_attention_heads", 3}, {"num_key_value_heads", 3}}, "does not divide hidden_size"},
        {{{"num_key_value_heads", 3}}, "does not divide"},
        {{{"num_key_value_heads", 8}}, "not in 1..4"},
        {{{"head_dim", 63}}, "'head_dim' is odd"},
        {{{"head_dim", 1u << 20}}, "'head_dim'"},
        {{{"rms_norm_eps", 2.0}}, "'rms_norm_eps'"},
        {{{"rope_theta", 0.5}}, "'rope_theta'"},
        {{{"eos_token_id", "x"}}, "'eos_token_id' is no token"},
        {{{"eos_token_id", {1, -5}}}, "'eos_token_id' is no token"},
        {{{"tie_word_embeddings", 1}}, "'tie_word_embeddings' is 1"},
    };
    for (const fault& f : faults) {
        INFO(f.more.dump());
        CHECK_THAT(refusal(with(llama(), f.more)), ContainsSubstring(f.why));
    }
    // Values that say that a thing is not there, and fields that change no logit.
    CHECK_NOTHROW(read_config(with(llama(), {{"num_local_experts", 0},
                                             {"sliding_window", nullptr},
                                             {"something", false},
                                             {"attention_dropout", 0.1},
                                             {"torch_dtype", "bfloat16"},
                                             {"logit_scale", 1},
                                             {"layer_types", {"full_attention", "full_attention"}},
                                             {"sliding_window", 512},
                                             {"pretraining_tp", 2}}),
                              "c"));
    CHECK_THAT(refusal(json::array()), ContainsSubstring("is not a JSON object"));
    CHECK_THAT(refusal(json(7)), ContainsSubstring("is not a JSON object"));
}

namespace {

json maple() {
    json c = with(llama(), {{"architectures", {"MapleForCausalLM"}},
                            {"head_dim", 128},
                            {"moe_intermediate_size", 64},
                            {"num_experts", 16},
                            {"num_experts_per_tok", 4},
                            {"partial_rotary_factor", 0.5},
                            {"nope_on_global_attention", true},
                            {"quantize", true},
                            {"sliding_window", 8},
                            {"layer_types", {"sliding_attention", "full_attention"}}});
    c.erase("model_type");
    return c;
}

json gemma() {
    return with(llama(), {{"architectures", {"Gemma3TextModel"}},
                          {"head_dim", 256},
                          {"hidden_act", nullptr},
                          {"hidden_activation", "gelu_pytorch_tanh"},
                          {"num_hidden_layers", 7},
                          {"rope_local_base_freq", 5000},
                          {"sliding_window", 8}});
}

}  // namespace

TEST_CASE("config.json: Maple's experts and windows") {
    const config c = read_config(maple(), "config.json");
    CHECK((c.family == "maple" && c.head_norms && !c.headless));
    CHECK((c.ffn == 64 && c.experts == 16 && c.experts_used == 4));
    CHECK((c.rope_dim == 64 && c.window == 8 && c.local == std::vector{true, false}));
    const auto changed = [](const char* name, const json& value) {
        return refusal(with(maple(), {{name, value}}));
    };
    CHECK_THAT(changed("num_experts", nullptr), ContainsSubstring("'num_experts' is missing"));
    CHECK_THAT(changed("num_experts", 1 << 13), ContainsSubstring("not in 1..4096"));
    CHECK_THAT(changed("num_experts_per_tok", 17), ContainsSubstring("not in 1..16"));
    CHECK_THAT(changed("num_shared_experts", 1), ContainsSubstring("'num_shared_experts' is 1"));
    CHECK_THAT(changed("moe_router_enable_expert_bias", true), ContainsSubstring("expert_bias"));
    CHECK_THAT(changed("norm_topk_prob", false), ContainsSubstring("'norm_topk_prob' is false"));
    CHECK_THAT(changed("router_dtype", "bf16"), ContainsSubstring("only 'fp32'"));
    CHECK_THAT(changed("partial_rotary_factor", 0.3), ContainsSubstring("no even part"));
    CHECK_THAT(changed("partial_rotary_factor", 1.5), ContainsSubstring("no even part"));
    CHECK_THAT(changed("nope_on_global_attention", false), ContainsSubstring("is not true"));
    CHECK_THAT(changed("sliding_window", nullptr),
               ContainsSubstring("'sliding_window' is missing"));
    CHECK_THAT(changed("layer_types", nullptr), ContainsSubstring("'layer_types' is missing"));
    CHECK_THAT(changed("layer_types", {"full_attention"}), ContainsSubstring("each of 2 layers"));
    CHECK_THAT(changed("layer_types", {"full_attention", "linear_attention"}),
               ContainsSubstring("'linear_attention'"));
    CHECK_THAT(changed("rope_scaling", {{"rope_type", "linear"}, {"factor", 2.0}}),
               ContainsSubstring("layers of two kinds"));
    CHECK_THAT(refusal(with(llama(), {{"num_experts", 8}})), ContainsSubstring("'num_experts'"));
    CHECK_THAT(refusal(with(llama(), {{"partial_rotary_factor", 0.5}})),
               ContainsSubstring("turns whole heads"));
}

TEST_CASE("config.json: Gemma 3, in the words of older and of newer files") {
    const config c = read_config(gemma(), "config.json");
    CHECK((c.family == "gemma3" && c.head_norms && c.post_norms && c.headless));
    CHECK((c.window == 8 && c.rope_base == 500000.0f && c.local_rope_base == 5000.0f));
    CHECK(c.local == std::vector{true, true, true, true, true, false, true});
    CHECK(read_config(with(gemma(), {{"_sliding_window_pattern", 2}}), "c").local[1] == false);
    const json both = {{"full_attention", {{"rope_type", "linear"}, {"factor", 8.0}}},
                       {"sliding_attention", {{"rope_type", "default"}, {"rope_theta", 7000}}}};
    const config newer = read_config(with(gemma(), {{"rope_parameters", both}}), "c");
    CHECK((newer.rope == rope_rule::linear && newer.rope_factor == 8));
    CHECK((newer.local_rope_base == 7000.0f && newer.rope_base == 500000.0f));
    const auto changed = [](const char* name, const json& value) {
        return refusal(with(gemma(), {{name, value}}));
    };
    CHECK_THAT(changed("hidden_activation", "silu"),
               ContainsSubstring("'gelu_pytorch_tanh' alone"));
    CHECK_THAT(changed("query_pre_attn_scalar", 168), ContainsSubstring("is not head_dim"));
    CHECK_THAT(changed("head_dim", 64), ContainsSubstring("'query_pre_attn_scalar'"));
    CHECK_THAT(changed("head_dim", nullptr), ContainsSubstring("'head_dim' is missing"));
    CHECK_THAT(changed("use_bidirectional_attention", true), ContainsSubstring("bidirectional"));
    CHECK_THAT(changed("final_logit_softcapping", 30.0), ContainsSubstring("softcapping"));
    CHECK_THAT(
        changed("rope_scaling",
                {{"rope_type", "yarn"}, {"factor", 2.0}, {"original_max_position_embeddings", 64}}),
        ContainsSubstring("layers of two kinds"));
    CHECK_THAT(changed("rope_parameters", {{"full_attention", {{"rope_type", "default"}}},
                                           {"sliding_attention", {{"rope_type", "linear"}}}}),
               ContainsSubstring("'rope_parameters.sliding_attention.rope_type'"));
}
