// SPDX-License-Identifier: MIT
// Room examples/model. Enters: a shape. Leaves: a GGUF file of random weights; see
// random_weights.hpp.
#include <cmath>
#include <cstdio>
#include <functional>
#include <vector>

#include "gguf/quantize.hpp"
#include "gguf/writer.hpp"
#include "model/random_weights.hpp"
#include "model/sampler.hpp"

namespace tbx::model {
namespace {

/// A tensor and the function that makes its bytes when its turn comes.
struct planned {
    std::string name;
    gguf::tensor_type type;
    std::int64_t cols, rows;  // rows == 0: a vector
    std::function<std::vector<std::byte>()> make;
    std::int64_t count = 0;  // above 0: the rows are those of so many matrices
};

constexpr const char* space = "\xe2\x96\x81";  // U+2581

// The space and the letters, then words of syllables, each token a different one.
std::string made_up_word(std::int64_t i) {
    if (i < 27) return i == 0 ? space : std::string(1, static_cast<char>('a' + i - 1));
    i -= 27;
    static constexpr const char* syllables[] = {"ka", "lo", "mi", "ne", "ru", "sa", "ti", "vo",
                                                "be", "da", "fu", "go", "hi", "ju", "pe", "zo"};
    std::string word = space;
    do word += syllables[i % 16];
    while ((i = i / 16 - 1) >= 0);
    return word;
}

void write_vocabulary(gguf::writer& out, std::int64_t size) {
    std::vector<std::string> tokens;
    std::vector<float> scores;
    std::vector<std::int32_t> kinds;
    for (std::int64_t i = 0; i < size; ++i) {
        char byte[8] = {};
        (void)std::snprintf(byte, sizeof byte, "<0x%02X>", static_cast<unsigned>(i - 3) & 255u);
        tokens.push_back(i == 0    ? "<unk>"
                         : i == 1  ? "<s>"
                         : i == 2  ? "</s>"
                         : i < 259 ? byte
                                   : made_up_word(i - 259));
        scores.push_back(i < 259 ? 0.0f : static_cast<float>(259 - i));
        kinds.push_back(i == 0 ? 2 : i < 3 ? 3 : i < 259 ? 6 : 1);
    }
    out.set("tokenizer.ggml.model", "llama");
    out.set_array("tokenizer.ggml.tokens", tokens);
    out.set_array("tokenizer.ggml.scores", scores);
    out.set_array("tokenizer.ggml.token_type", kinds);
    out.set("tokenizer.ggml.bos_token_id", std::uint32_t{1});
    out.set("tokenizer.ggml.eos_token_id", std::uint32_t{2});
    out.set("tokenizer.ggml.unknown_token_id", std::uint32_t{0});
    out.set("tokenizer.ggml.add_bos_token", true);
    out.set("tokenizer.ggml.add_eos_token", false);
    out.set("tokenizer.ggml.add_space_prefix", true);
}

void write_config(gguf::writer& out, const config& c) {
    const std::string p = c.architecture + ".";
    const auto count = [&](const char* key, std::int64_t value) {
        out.set(p + key, static_cast<std::uint32_t>(value));
    };
    out.set("general.architecture", c.architecture);
    out.set("general.name", c.name);
    count("context_length", c.context);
    count("embedding_length", c.dim);
    count("block_count", c.layers);
    if (c.experts > 0) {
        count("expert_feed_forward_length", c.ffn);
        count("expert_count", c.experts);
        count("expert_used_count", c.experts_used);
        out.set(p + "swiglu_clamp_exp", c.gate_limit);
    } else {
        count("feed_forward_length", c.ffn);
    }
    if (c.window > 0) {
        const std::vector<std::int32_t> local(c.local.begin(), c.local.end());
        count("attention.sliding_window", c.window);
        if (c.architecture != "gemma3")
            out.set_array(p + "attention.sliding_window_pattern", local);
        out.set(p + "rope.freq_base_swa", c.local_rope_base);
    }
    if (c.architecture == "minicpm") {
        out.set(p + "embedding_scale", c.embedding_scale);
        out.set(p + "residual_scale", c.residual_scale);
        out.set(p + "logit_scale", c.logit_scale);
    }
    if (c.pooling != pooling_rule::none)
        count("pooling_type", static_cast<std::int64_t>(c.pooling));
    count("vocab_size", c.vocab);
    count("attention.head_count", c.heads);
    count("attention.head_count_kv", c.kv_heads);
    count("attention.key_length", c.key_dim);
    count("attention.value_length", c.value_dim);
    count("rope.dimension_count", c.rope_dim);
    out.set(p + "rope.freq_base", c.rope_base);
    out.set(p + "attention.layer_norm_rms_epsilon", c.norm_eps);
    if (c.yarn.original > 0) {
        out.set(p + "rope.scaling.type", "yarn");
        out.set(p + "rope.scaling.factor", c.rope_divisor);
        count("rope.scaling.original_context_length", c.yarn.original);
    }
    if (c.architecture.starts_with("bitnet"))
        out.set(p + "hidden_activation", c.gate == gate_function::squared_relu ? "relu2" : "silu");
}

std::vector<std::byte> ones(std::int64_t count) {
    return gguf::quantize(gguf::tensor_type::f32,
                          std::vector<float>(static_cast<std::size_t>(count), 1.0f), count);
}

// From -1/2 to 1/2: as large as what they are added to, or a forgotten one would not show.
std::vector<std::byte> biases(std::uint64_t seed, std::int64_t count) {
    random_numbers random(seed);
    std::vector<float> values(static_cast<std::size_t>(count));
    for (float& v : values) v = random.uniform() - 0.5f;
    return gguf::quantize(gguf::tensor_type::f32, values, count);
}

std::vector<std::byte> floats(std::uint64_t seed, std::int64_t rows, std::int64_t cols) {
    random_numbers random(seed);
    std::vector<float> values(static_cast<std::size_t>(rows * cols));
    const float size = 3.46f / std::sqrt(static_cast<float>(cols));
    for (float& v : values) v = (random.uniform() - 0.5f) * size;
    return gguf::quantize(gguf::tensor_type::f16, values, cols);
}

/// A scale with which an input of mean square 1 gives an output of about that, two of three random
/// trits not being 0.
float level_scale(std::int64_t cols) {
    return 1.0f / std::sqrt(static_cast<float>(cols) * (2.0f / 3.0f));
}

/// Random trits made values of a format: of binary ones zeros are +1; of four levels every fourth
/// +1 is +2, where the format is the one that has four for their own sake; and STQ1_0 has one zero
/// of each four that it stores together.
void fit_to_format(gguf::tensor_type type, std::span<std::int8_t> row) {
    if (type == gguf::tensor_type::q1_0)
        for (std::int8_t& v : row) v = v < 0 ? -1 : 1;
    int ones = 0;
    if (type == gguf::tensor_type::q2_0)
        for (std::int8_t& v : row) v = v == 1 && ++ones % 4 == 0 ? 2 : v;
    if (type != gguf::tensor_type::stq1_0) return;
    for (std::size_t first = 0; first + 48 < row.size(); first += first % 64 == 15 ? 49 : 1) {
        const int zero = (row[first] + 2 * row[first + 16] + row[first + 32] + 4) % 4;
        for (int p = 0; p < 4; ++p) {
            std::int8_t& v = row[first + static_cast<std::size_t>(16 * p)];
            v = p == zero ? 0 : v < 0 ? -1 : 1;
        }
    }
}

std::vector<std::byte> levels(gguf::tensor_type type, std::uint64_t seed, std::uint64_t which,
                              std::int64_t rows, std::int64_t cols) {
    std::vector<std::int8_t> values(static_cast<std::size_t>(rows * cols));
    for (std::int64_t r = 0; r < rows; ++r) {
        const std::span row(values.data() + r * cols, static_cast<std::size_t>(cols));
        random_trits(seed, which, r, row);
        fit_to_format(type, row);
    }
    const float scale = level_scale(cols);
    if (gguf::few_levels(type) != nullptr) return gguf::encode_ternary(type, values, cols, scale);
    std::vector<float> wide(values.begin(), values.end());
    for (float& v : wide) v *= scale;
    return gguf::quantize(type, wide, cols);
}

/// Random codes of a format that nobody writes here, and scales that centre them: the largest code
/// times the largest scale is several times `unit`, as sixty-fourths of it say.
std::vector<std::byte> codes(gguf::tensor_type type, std::uint64_t seed, std::uint64_t which,
                             std::int64_t rows, std::int64_t cols) {
    struct scales {
        gguf::tensor_type type;
        float d, dmin;  // of a unit
    };
    constexpr scales of_types[] = {{gguf::tensor_type::q4_0, 1 / 4.6f, 0},
                                   {gguf::tensor_type::iq4_nl, 1 / 65.0f, 0},
                                   {gguf::tensor_type::q4_k, 1 / 180.0f, 7.5f / 180},
                                   {gguf::tensor_type::q5_k, 1 / 360.0f, 15.5f / 360},
                                   {gguf::tensor_type::q6_k, 1 / 1300.0f, 0}};
    const formats::dense_format& of = *gguf::numbers(type);
    std::vector<std::byte> bytes(
        static_cast<std::size_t>(gguf::tensor_bytes(type, cols, rows).value()));
    random_numbers random(seed ^ (which << 40));
    for (std::byte& b : bytes) b = static_cast<std::byte>(random.bits() >> 56);
    const float unit = level_scale(cols);
    for (const scales& s : of_types) {
        if (s.type != type) continue;
        for (std::size_t at = 0; at < bytes.size(); at += static_cast<std::size_t>(of.bytes)) {
            std::byte* to = bytes.data() + at + of.first;
            formats::store_as(to, trilobit::f32_to_f16(unit * s.d));
            if (of.count > 1) formats::store_as(to + 2, trilobit::f32_to_f16(unit * s.dmin));
        }
    }
    return bytes;
}

/// Of any type, the same bytes for the same arguments.
std::vector<std::byte> matrix_of(gguf::tensor_type type, std::uint64_t seed, std::uint64_t which,
                                 std::int64_t rows, std::int64_t cols) {
    const formats::dense_format* of = gguf::numbers(type);
    return of != nullptr && of->encode == nullptr ? codes(type, seed, which, rows, cols)
                                                  : levels(type, seed, which, rows, cols);
}

std::vector<planned> plan(const config& c, gguf::tensor_type linears, gguf::tensor_type tables,
                          std::uint64_t seed) {
    std::vector<planned> all;
    const auto norm = [&](std::string name, std::int64_t n) {
        all.push_back({std::move(name), gguf::tensor_type::f32, n, 0, [=] { return ones(n); }});
    };
    const auto table = [&](std::string name, std::uint64_t id) {
        all.push_back({std::move(name), tables, c.dim, c.vocab, [=, &c] {
                           return tables == gguf::tensor_type::f16
                                      ? floats(seed + id, c.vocab, c.dim)
                                      : matrix_of(tables, seed, id, c.vocab, c.dim);
                       }});
    };
    table("token_embd.weight", 0);
    for (std::int64_t layer = 0; layer < c.layers; ++layer) {
        std::uint64_t id = first_matrix_of(layer);
        gguf::each_tensor(c.widths(), [&](const gguf::layer_tensor& t) {
            if (t.is_bias()) {
                all.push_back({t.name_in(layer), gguf::tensor_type::f32, t.cols, 0,
                               [=, cols = t.cols, which = ~id + all.size()] {
                                   return biases(seed ^ which, cols);
                               }});
                return;
            }
            if (t.is_vector) return norm(t.name_in(layer), t.cols);
            const std::int64_t rows = std::max<std::int64_t>(t.count, 1) * t.rows;
            const auto type = t.is_router ? gguf::tensor_type::f32 : linears;
            all.push_back({t.name_in(layer), type, t.cols, rows,
                           [=, cols = t.cols] { return matrix_of(type, seed, id, rows, cols); },
                           t.count});
            if (c.input_norms && !t.is_router)
                norm("blk." + std::to_string(layer) + "." + t.name + "_norm_in.weight", t.cols);
            ++id;
        });
    }
    norm("output_norm.weight", c.dim);
    if (!c.tied_head) table("output.weight", 1);
    return all;
}

}  // namespace

void write_dummy(const std::string& path, const config& shape, gguf::tensor_type linears,
                 std::uint64_t seed, const progress& report, gguf::tensor_type tables) {
    gguf::writer out(path);
    write_config(out, shape);
    write_vocabulary(out, shape.vocab);
    const std::vector<planned> all = plan(shape, linears, tables, seed);
    double total = 0, done = 0;
    for (const planned& t : all) {
        if (t.rows == 0)
            out.add_tensor(t.name, t.type, {t.cols});
        else if (t.count > 0)
            out.add_tensor(t.name, t.type, {t.cols, t.rows / t.count, t.count});
        else
            out.add_tensor(t.name, t.type, {t.cols, t.rows});
        total += static_cast<double>(t.cols * std::max<std::int64_t>(t.rows, 1));
    }
    for (const planned& t : all) {
        out.append(t.make());
        done += static_cast<double>(t.cols * std::max<std::int64_t>(t.rows, 1));
        if (report) report(done / total);
    }
    out.finish();
}

}  // namespace tbx::model
