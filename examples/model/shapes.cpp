// SPDX-License-Identifier: MIT
// Room examples/model. Enters: a name. Leaves: a shape. Figures are those of the published
// config.json files; embedding and head count no weights here.
#include "model/shapes.hpp"

#include <cmath>

#include "gguf/graph_keys.hpp"
#include "support/error.hpp"
#include "support/names.hpp"

namespace tbx::model {
namespace {

struct shape {
    const char* name;
    const char* architecture;
    std::int64_t layers, dim, ffn, heads, kv_heads, head_dim, vocab;
    bool tied;
    float rope_base;
    std::int64_t context;
};

// clang-format off
constexpr shape shapes[] = {
// name                  architecture    L   dim   ffn   q kv  hd   vocab  tied   theta   ctx
{"tiny",                "bitnet-b1.58", 2,  256,   512,  4,  2,  64,    512,  true,   10000,   512},
{"tiny-llama",          "llama",        2,  256,   512,  4,  2,  64,    512, false,   10000,   512},
{"tiny-qwen2",          "qwen2",        2,  256,   512,  4,  2,  64,    512,  true, 1000000,   512},
{"tiny-qwen3",          "qwen3",        2,  256,   512,  4,  2, 128,    512,  true, 1000000,   512},
{"tiny-minicpm",        "minicpm",      2,  256,   512,  4,  2,  64,    512,  true,   10000,   512},
{"tiny-maple",          "maple",        4,  256,   256,  4,  2,  64,    512, false,   10000,   512},
{"tiny-gemma3",         "gemma3",       7,  256,   512,  4,  1,  64,    512,  true, 1000000,   512},
{"small",               "bitnet-b1.58", 6,  512,  1536,  8,  4,  64,   4096,  true,   10000,  1024},
{"bitnet-b1.58-2B-4T",  "bitnet-b1.58",30, 2560,  6912, 20,  5, 128, 128256,  true,  500000,  4096},
{"bitnet_b1_58-large",  "bitnet",      24, 1536,  4096, 16, 16,  96,  32002,  true,   10000,  2048},
{"bitnet_b1_58-xl",     "bitnet",      24, 2048,  5460, 32, 32,  64,  32002,  true,   10000,  2048},
{"bitnet_b1_58-3B",     "bitnet",      26, 3200,  8640, 32, 32, 100,  32002,  true,   10000,  2048},
{"Llama3-8B-1.58",      "llama",       32, 4096, 14336, 32,  8, 128, 128256, false,  500000,  8192},
{"Falcon3-1B-1.58bit",  "llama",       18, 2048,  8192,  8,  4, 256, 131072, false, 1000042,  4096},
{"Falcon3-3B-1.58bit",  "llama",       22, 3072,  9216, 12,  4, 256, 131072, false, 1000042, 32768},
{"Falcon3-7B-1.58bit",  "llama",       28, 3072, 23040, 12,  4, 256, 131072, false, 1000042, 32768},
{"Falcon3-10B-1.58bit", "llama",       40, 3072, 23040, 12,  4, 256, 131072, false, 1000042, 32768},
{"Falcon-E-1B",         "llama",       24, 2048,  9216, 16,  2, 128,  32768, false, 1000000, 32768},
{"Falcon-E-3B",         "llama",       32, 2048, 13312, 16,  2, 128,  32768, false, 1000000, 32768},
{"TriLM-99M",           "llama",       16,  512,  1280,  8,  8,  64,  50304, false,   10000,  2048},
{"TriLM-190M",          "llama",       16,  768,  2048, 12, 12,  64,  50304, false,   10000,  2048},
{"TriLM-390M",          "llama",       24, 1024,  2560, 16, 16,  64,  50304, false,   10000,  2048},
{"TriLM-560M",          "llama",       24, 1280,  3072, 20, 20,  64,  50304, false,   10000,  2048},
{"TriLM-830M",          "llama",       24, 1536,  4096, 24, 24,  64,  50304, false,   10000,  2048},
{"TriLM-1.1B",          "llama",       24, 1792,  5120, 28, 28,  64,  50432, false,   10000,  2048},
{"TriLM-1.5B",          "llama",       24, 2048,  6144, 32, 32,  64,  50432, false,   10000,  2048},
{"TriLM-2.4B",          "llama",       30, 2304,  7680, 36, 36,  64,  50304, false,   10000,  2048},
{"TriLM-3.9B",          "llama",       30, 3072,  9216, 24, 24, 128,  50688, false,   10000,  2048},
{"VibeVoice-ASR-LM",    "qwen2",       28, 1536,  8960, 12,  2, 128, 151936,  true, 1000000, 32768},
{"Bonsai-1.7B",         "qwen3",       28, 2048,  6144, 16,  8, 128, 151669,  true, 1000000, 65536},
{"Bonsai-4B",           "qwen3",       36, 2560,  9728, 32,  8, 128, 151669,  true, 1000000, 65536},
{"Bonsai-8B",           "qwen3",       36, 4096, 12288, 32,  8, 128, 151669, false, 1000000, 65536},
{"BitCPM4-CANN-0.5B",   "minicpm",     24, 1024,  4096, 16,  2,  64,  73448,  true,   10000, 32768},
{"BitCPM4-CANN-8B",     "minicpm",     32, 4096, 16384, 32,  2, 128,  73448, false,   10000, 32768},
{"Maple-20B-A1B",       "maple",       24, 2048,   512, 16,  4, 128, 151936, false,   10000,131072},
{"bitnet-embedding-0.6B","qwen3",      28, 1024,  3072, 16,  8, 128, 151936,  true, 1000000, 32768},
{"bitnet-embedding-270M","gemma3",     18,  640,  2048,  4,  1, 256, 262144,  true, 1000000, 32768},
// Not published: 10^11 weights, dense, and as experts of which a token uses 3 * 10^9 weights.
{"100B",                "llama",       75,10240, 35840, 80,  8, 128,  32768,  true,  500000,  4096},
{"100B-A3B",            "maple",       48, 2560,   640, 32,  4, 128,  32768,  true,  500000,  4096},
};
// clang-format on

// What the numbers of a shape do not say.
void add_parts(config& c, std::string_view name) {
    c.local_rope_base = c.rope_base;
    // Bonsai's: Qwen3, made four times as long.
    if (name.starts_with("Bonsai") || name == "tiny-qwen3") {
        c.yarn.original = c.context / 4;
        c.rope_divisor = 4;
        c.rope_magnitude = gguf::yarn_magnitude(c.rope_divisor);
    }
    if (c.architecture == "minicpm") {
        c.embedding_scale = 12;
        c.residual_scale = 1.4f / std::sqrt(static_cast<float>(c.layers));
        c.logit_scale = static_cast<float>(c.dim) / 256;
    }
    std::int64_t period = 0;
    if (c.architecture == "maple") {
        c.experts = name.starts_with("tiny") ? 8 : 256;
        if (name == "100B-A3B") c.experts = 420;
        c.experts_used = name.starts_with("tiny") ? 2 : 8;
        c.gate_limit = 7;
        if (name.starts_with("Maple")) c.rope_dim = c.key_dim / 2;
        c.window = name.starts_with("tiny") ? 8 : 512;
        period = 4;
    }
    if (c.architecture == "gemma3") {
        c.embedding_scale = std::sqrt(static_cast<float>(c.dim));
        c.local_rope_base = 10000;
        c.window = name.starts_with("tiny") ? 8 : 512;
        period = 6;
    }
    for (std::int64_t i = 0; period > 0 && i < c.layers; ++i)
        c.local.push_back((i + 1) % period != 0);
    if (name.starts_with("bitnet-embedding")) {
        c.input_norms = true;
        c.pooling = pooling_rule::last;
    }
}

}  // namespace

std::vector<std::string_view> shape_names() {
    std::vector<std::string_view> names;
    for (const shape& s : shapes) names.emplace_back(s.name);
    return names;
}

config config_of_shape(std::string_view name) {
    for (const shape& s : shapes) {
        if (name != s.name) continue;
        config c = config_of_architecture(s.architecture);
        c.name = std::string(name) + ", random weights";
        c.layers = s.layers;
        c.dim = s.dim;
        c.ffn = s.ffn;
        c.heads = s.heads;
        c.kv_heads = s.kv_heads;
        c.key_dim = c.value_dim = c.rope_dim = s.head_dim;
        c.vocab = s.vocab;
        c.tied_head = s.tied;
        c.rope_base = s.rope_base;
        c.context = s.context;
        add_parts(c, name);
        return c;
    }
    std::vector<std::string> names;
    for (const shape& s : shapes) names.emplace_back(s.name);
    throw error("--shape", support::none_of(name, names));
}

}  // namespace tbx::model
