// SPDX-License-Identifier: MIT
// Room examples/model. Enters: a GGUF file. Leaves: checked tensors in their places; see
// weights.hpp.
#include "model/weights.hpp"

#include <set>
#include <string>

#include "gguf/dequantize.hpp"
#include "gguf/finite.hpp"
#include "gguf/reader.hpp"

namespace tbx::model {
namespace {

class loader {
    compute& cpu;
    const gguf::reader& file;
    trilobit::layout_id layout;
    trilobit::page_arena& arena;
    const progress& report;
    std::set<std::string_view> used;
    double done = 0;
    double total = 0;

    [[noreturn]] void fail(const gguf::tensor& t, const std::string& what) const {
        file.fail(std::string(t.name) + ": " + what);
    }
    const gguf::tensor& take(const std::string& name, std::int64_t rows, std::int64_t cols) {
        const gguf::tensor& t = file.require_tensor(name);
        if (t.rows() != rows || t.columns() != cols)
            fail(t, "it has " + std::to_string(t.rows()) + " x " + std::to_string(t.columns()) +
                        " values where the model needs " + std::to_string(rows) + " x " +
                        std::to_string(cols));
        used.insert(t.name);
        return t;
    }
    void advance(const gguf::tensor& t, double part) const {
        if (report) report((done + part * static_cast<double>(t.data.size())) / total);
    }

public:
    loader(compute& cpu_, const gguf::reader& file_, trilobit::layout_id layout_,
           trilobit::page_arena& arena_, const progress& report_)
        : cpu(cpu_), file(file_), layout(layout_), arena(arena_), report(report_) {
        for (const gguf::tensor& t : file.tensors()) total += static_cast<double>(t.data.size());
    }

    vector numbers(const std::string& name, std::int64_t count) {
        const gguf::tensor& t = take(name, 1, count);
        gguf::require_finite(file, t);
        vector out(static_cast<std::size_t>(count));
        gguf::dequantize_row(t, 0, out);
        return out;
    }
    vector optional_numbers(const std::string& name, std::int64_t count) {
        return file.find_tensor(name) != nullptr ? numbers(name, count) : vector{};
    }
    dense_matrix dense(const std::string& name, std::int64_t rows, std::int64_t cols) {
        const gguf::tensor& t = take(name, rows, cols);
        dense_matrix m = load_dense(cpu, file, t);
        done += static_cast<double>(t.data.size());
        return m;
    }
    linear matrix(const std::string& name, std::int64_t rows, std::int64_t cols) {
        const gguf::tensor& t = take(name + ".weight", rows, cols);
        linear m = load_linear(cpu, file, t, layout, [&](double part) { advance(t, part); });
        settle(m, arena);
        done += static_cast<double>(t.data.size());
        if (const vector s = optional_numbers(name + ".scale", 1); !s.empty()) m.scale = s[0];
        return m;
    }
    void refuse_unused() const {
        for (const gguf::tensor& t : file.tensors())
            if (!used.contains(t.name))
                fail(t, "this program knows no use for it, and leaving it out would be wrong");
    }
};

layer_weights load_layer(loader& from, const config& c, std::int64_t layer) {
    const std::string blk = "blk." + std::to_string(layer) + ".";
    layer_weights w;
    w.attention_norm = from.numbers(blk + "attn_norm.weight", c.dim);
    w.q = from.matrix(blk + "attn_q", c.q_width(), c.dim);
    w.k = from.matrix(blk + "attn_k", c.k_width(), c.dim);
    w.v = from.matrix(blk + "attn_v", c.v_width(), c.dim);
    w.output = from.matrix(blk + "attn_output", c.dim, c.attention_width());
    w.ffn_norm = from.numbers(blk + "ffn_norm.weight", c.dim);
    w.gate = from.matrix(blk + "ffn_gate", c.ffn, c.dim);
    w.up = from.matrix(blk + "ffn_up", c.ffn, c.dim);
    w.down = from.matrix(blk + "ffn_down", c.dim, c.ffn);
    if (c.sub_norms) {
        w.attention_sub_norm = from.numbers(blk + "attn_sub_norm.weight", c.attention_width());
        w.ffn_sub_norm = from.numbers(blk + "ffn_sub_norm.weight", c.ffn);
    }
    return w;
}

}  // namespace

std::int64_t weights::bytes_per_token() const noexcept {
    std::int64_t bytes =
        head.bytes() + static_cast<std::int64_t>(output_norm.size() * sizeof(float));
    for (const layer_weights& l : layers) {
        for (const linear* m : {&l.q, &l.k, &l.v, &l.output, &l.gate, &l.up, &l.down})
            bytes += m->bytes();
        for (const vector* n :
             {&l.attention_norm, &l.attention_sub_norm, &l.ffn_norm, &l.ffn_sub_norm})
            bytes += static_cast<std::int64_t>(n->size() * sizeof(float));
    }
    return bytes;
}

transformer load_transformer(compute& cpu, const gguf::reader& file, trilobit::layout_id layout,
                             const progress& report) {
    transformer out;
    out.name = file.name();
    config& c = out.config;
    c = read_config(file);
    weights& w = out.weights;
    loader from(cpu, file, layout, w.arena, report);
    w.embedding = from.dense("token_embd.weight", c.vocab, c.dim);
    for (std::int64_t layer = 0; layer < c.layers; ++layer)
        w.layers.push_back(load_layer(from, c, layer));
    w.output_norm = from.numbers("output_norm.weight", c.dim);
    w.head = c.tied_head ? linear{w.embedding.view()} : from.matrix("output", c.vocab, c.dim);
    w.rope_divisors = from.optional_numbers("rope_freqs.weight", c.rope_dim / 2);
    for (const float divisor : w.rope_divisors)
        if (!(divisor > 0.0f)) file.fail("rope_freqs.weight: a divisor is not above 0");
    from.refuse_unused();
    file.require_whole();
    return out;
}

}  // namespace tbx::model
