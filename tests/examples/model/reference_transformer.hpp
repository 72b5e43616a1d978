// SPDX-License-Identifier: MIT
// Tests of examples/model. Enters: a GGUF file of float weights. Leaves: its logits by the
// textbook, in double, one token after another, with nothing shared with the code under test but
// the file reader.
#pragma once

#include <cmath>
#include <string>
#include <vector>

#include "gguf/dequantize.hpp"
#include "gguf/reader.hpp"

namespace tbx::testing {

using numbers = std::vector<double>;

class reference_transformer {
    const gguf::reader& file;
    std::string arch;
    std::vector<std::vector<numbers>> keys, values;  // [layer][position]

    [[nodiscard]] double setting(const char* key) const {
        return file.get<double>(arch + "." + key);
    }
    [[nodiscard]] numbers row(const std::string& name, std::int64_t r) const {
        const gguf::tensor& t = file.require_tensor(name);
        std::vector<float> raw(static_cast<std::size_t>(t.columns()));
        gguf::dequantize_row(t, r, raw);
        return {raw.begin(), raw.end()};
    }
    [[nodiscard]] numbers product(const std::string& name, const numbers& x) const {
        numbers y;
        for (std::int64_t r = 0; r < file.require_tensor(name).rows(); ++r) {
            const numbers w = row(name, r);
            double sum = 0;
            for (std::size_t i = 0; i < x.size(); ++i) sum += w[i] * x[i];
            y.push_back(sum);
        }
        return y;
    }
    [[nodiscard]] numbers normed(const std::string& name, numbers x) const {
        double squares = 0;
        for (const double v : x) squares += v * v;
        const double scale = 1.0 / std::sqrt(squares / static_cast<double>(x.size()) +
                                             setting("attention.layer_norm_rms_epsilon"));
        const numbers w = row(name, 0);
        for (std::size_t i = 0; i < x.size(); ++i) x[i] *= scale * w[i];
        return x;
    }
    void turn(numbers& x, std::size_t heads, std::size_t position) const {
        const std::size_t width = x.size() / heads;
        for (std::size_t h = 0; h < heads; ++h)
            for (std::size_t i = 0; i < width / 2; ++i) {
                const double angle =
                    static_cast<double>(position) *
                    std::pow(setting("rope.freq_base"),
                             -2.0 * static_cast<double>(i) / static_cast<double>(width));
                double& a = x[h * width + (arch == "llama" ? 2 * i : i)];
                double& b = x[h * width + (arch == "llama" ? 2 * i + 1 : i + width / 2)];
                const double turned = a * std::cos(angle) - b * std::sin(angle);
                b = a * std::sin(angle) + b * std::cos(angle);
                a = turned;
            }
    }

public:
    explicit reference_transformer(const gguf::reader& from)
        : file(from), arch(from.get<std::string>("general.architecture")) {}

    [[nodiscard]] numbers next(std::int32_t token) {
        const auto layers = static_cast<std::size_t>(setting("block_count"));
        const auto heads = static_cast<std::size_t>(setting("attention.head_count"));
        const auto kv_heads = static_cast<std::size_t>(setting("attention.head_count_kv"));
        keys.resize(layers);
        values.resize(layers);
        numbers x = row("token_embd.weight", token);
        for (std::size_t layer = 0; layer < layers; ++layer) {
            const std::string blk = "blk." + std::to_string(layer) + ".";
            numbers h = normed(blk + "attn_norm.weight", x);
            numbers q = product(blk + "attn_q.weight", h);
            numbers k = product(blk + "attn_k.weight", h);
            const std::size_t width = q.size() / heads;
            const std::size_t position = keys[layer].size();
            turn(q, heads, position);
            turn(k, kv_heads, position);
            keys[layer].push_back(k);
            values[layer].push_back(product(blk + "attn_v.weight", h));
            numbers found(x.size());
            for (std::size_t head = 0; head < heads; ++head) {
                const std::size_t kv = head / (heads / kv_heads);
                numbers weight;
                double total = 0;
                for (const numbers& key : keys[layer]) {
                    double score = 0;
                    for (std::size_t i = 0; i < width; ++i)
                        score += q[head * width + i] * key[kv * width + i];
                    weight.push_back(std::exp(score / std::sqrt(static_cast<double>(width))));
                    total += weight.back();
                }
                for (std::size_t p = 0; p < weight.size(); ++p)
                    for (std::size_t i = 0; i < width; ++i)
                        found[head * width + i] +=
                            weight[p] / total * values[layer][p][kv * width + i];
            }
            const bool sub_norms = file.find_tensor(blk + "attn_sub_norm.weight") != nullptr;
            if (sub_norms) found = normed(blk + "attn_sub_norm.weight", found);
            const numbers attention = product(blk + "attn_output.weight", found);
            for (std::size_t i = 0; i < x.size(); ++i) x[i] += attention[i];

            h = normed(blk + "ffn_norm.weight", x);
            numbers g = product(blk + "ffn_gate.weight", h);
            const numbers u = product(blk + "ffn_up.weight", h);
            for (std::size_t i = 0; i < g.size(); ++i)
                g[i] = (arch == "bitnet-b1.58" ? std::max(g[i], 0.0) * std::max(g[i], 0.0)
                                               : g[i] / (1.0 + std::exp(-g[i]))) *
                       u[i];
            if (sub_norms) g = normed(blk + "ffn_sub_norm.weight", g);
            const numbers thought = product(blk + "ffn_down.weight", g);
            for (std::size_t i = 0; i < x.size(); ++i) x[i] += thought[i];
        }
        const bool tied = file.find_tensor("output.weight") == nullptr;
        return product(tied ? "token_embd.weight" : "output.weight",
                       normed("output_norm.weight", x));
    }
};

}  // namespace tbx::testing
