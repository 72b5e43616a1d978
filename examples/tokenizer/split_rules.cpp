// SPDX-License-Identifier: MIT
// Room tokenizer. Enters: a name. Leaves: its rule; see split_rules.hpp.
#include "tokenizer/split_rules.hpp"

#include <array>

#include "tokenizer/split_patterns.hpp"

namespace tbx::tokenizer {

namespace {

struct named_rule {
    std::string_view pre;
    split_rule rule;
};

constexpr split_rule bailingmoe_rule{"bailingmoe", patterns::bailingmoe};
constexpr split_rule bloom_rule{"bloom", patterns::bloom};
constexpr split_rule deepseek_coder_rule{"deepseek-coder", patterns::deepseek_coder};
constexpr split_rule deepseek_llm_rule{"deepseek-llm", patterns::deepseek_llm};
constexpr split_rule deepseek_v3_rule{"deepseek-v3", patterns::deepseek_v3};
constexpr split_rule default_rule{"default", patterns::fallback};
constexpr split_rule falcon_rule{"falcon", patterns::falcon};
// The pattern of Llama 3, and one of its habits or neither.
constexpr split_rule glm4_rule{"glm4", patterns::llama_bpe, true};
constexpr split_rule smaug_rule{"smaug-bpe", patterns::llama_bpe};
constexpr split_rule gpt_2_rule{"gpt-2", patterns::gpt_2};
constexpr split_rule gpt_4o_rule{"gpt-4o", patterns::gpt_4o};
constexpr split_rule llama_bpe_rule{"llama-bpe", patterns::llama_bpe, true, true};
constexpr split_rule minicpm5_rule{"minicpm5", patterns::minicpm5, true};
constexpr split_rule qwen2_rule{"qwen2", patterns::qwen2};
constexpr split_rule qwen35_rule{"qwen35", patterns::qwen35};
constexpr split_rule seed_coder_rule{"seed-coder", patterns::seed_coder};
constexpr split_rule starcoder_rule{"starcoder", patterns::starcoder};
constexpr split_rule tekken_rule{"tekken", patterns::tekken, true, true};
constexpr split_rule viking_rule{"viking", patterns::viking};

// llama.cpp's names (llama-vocab.cpp, July 2026) whose patterns and habits are those of a rule.
constexpr std::array rules{
    named_rule{"bailingmoe", bailingmoe_rule},
    named_rule{"bailingmoe2", bailingmoe_rule},
    named_rule{"llada-moe", bailingmoe_rule},
    named_rule{"bloom", bloom_rule},
    named_rule{"gpt3-finnish", bloom_rule},
    named_rule{"poro-chat", bloom_rule},
    named_rule{"deepseek-coder", deepseek_coder_rule},
    named_rule{"deepseek-llm", deepseek_llm_rule},
    named_rule{"deepseek-v3", deepseek_v3_rule},
    named_rule{"hunyuan-dense", deepseek_v3_rule},
    named_rule{"joyai-llm", deepseek_v3_rule},
    named_rule{"default", default_rule},
    named_rule{"falcon", falcon_rule},
    named_rule{"glm4", glm4_rule},
    named_rule{"gpt-2", gpt_2_rule},
    named_rule{"gpt2", gpt_2_rule},  // not llama.cpp's; it can mean nothing else
    named_rule{"phi-2", gpt_2_rule},
    named_rule{"olmo", gpt_2_rule},  // GPT-NeoX's vocabulary, which TriLM has
    named_rule{"mpt", gpt_2_rule},
    named_rule{"jais", gpt_2_rule},
    named_rule{"trillion", gpt_2_rule},
    named_rule{"granite-docling", gpt_2_rule},
    named_rule{"exaone4", gpt_2_rule},
    named_rule{"gigachat", gpt_2_rule},
    named_rule{"mellum", gpt_2_rule},
    named_rule{"a.x-4.0", gpt_2_rule},
    named_rule{"modern-bert", gpt_2_rule},
    named_rule{"jina-es", gpt_2_rule},
    named_rule{"jina-de", gpt_2_rule},
    named_rule{"jina-v2-es", gpt_2_rule},
    named_rule{"jina-v2-de", gpt_2_rule},
    named_rule{"gpt-4o", gpt_4o_rule},
    named_rule{"llama4", gpt_4o_rule},
    named_rule{"kanana2", gpt_4o_rule},
    named_rule{"minimax-m2", gpt_4o_rule},
    named_rule{"llama-bpe", llama_bpe_rule},
    named_rule{"llama3", llama_bpe_rule},
    named_rule{"llama-v3", llama_bpe_rule},
    named_rule{"falcon3", llama_bpe_rule},
    named_rule{"falcon-h1", llama_bpe_rule},
    named_rule{"falcon_e", llama_bpe_rule},  // Falcon-E's own files; llama.cpp refuses the name
    named_rule{"falcon-e", llama_bpe_rule},
    named_rule{"pixtral", llama_bpe_rule},
    named_rule{"midm-2.0", llama_bpe_rule},
    named_rule{"lfm2", llama_bpe_rule},
    named_rule{"jina-v5-nano", llama_bpe_rule},
    named_rule{"minicpm5", minicpm5_rule},
    named_rule{"qwen2", qwen2_rule},
    named_rule{"deepseek-r1-qwen", qwen2_rule},
    named_rule{"kormo", qwen2_rule},
    named_rule{"f2llmv2", qwen2_rule},
    named_rule{"megrez", qwen2_rule},
    named_rule{"stablelm2", qwen2_rule},
    named_rule{"hunyuan", qwen2_rule},
    named_rule{"solar-open", qwen2_rule},
    named_rule{"grok-2", qwen2_rule},
    named_rule{"qwen35", qwen35_rule},
    named_rule{"seed-coder", seed_coder_rule},
    named_rule{"smaug-bpe", smaug_rule},
    named_rule{"dbrx", smaug_rule},
    named_rule{"chatglm-bpe", smaug_rule},
    named_rule{"starcoder", starcoder_rule},
    named_rule{"refact", starcoder_rule},
    named_rule{"command-r", starcoder_rule},
    named_rule{"smollm", starcoder_rule},
    named_rule{"codeshell", starcoder_rule},
    named_rule{"exaone", starcoder_rule},
    named_rule{"minerva-7b", starcoder_rule},
    named_rule{"mellum2", starcoder_rule},
    named_rule{"tekken", tekken_rule},
    named_rule{"viking", viking_rule},
};

}  // namespace

std::optional<split_rule> find_split_rule(std::string_view pre) {
    for (const named_rule& each : rules)
        if (each.pre == pre) return each.rule;
    return std::nullopt;
}

std::string_view split_rule_names() noexcept {
    return "bailingmoe, bloom, deepseek-coder, deepseek-llm, deepseek-v3, default, falcon, glm4, "
           "gpt-2, gpt-4o, llama-bpe, minicpm5, qwen2, qwen35, seed-coder, smaug-bpe, starcoder, "
           "tekken, viking";
}

}  // namespace tbx::tokenizer
