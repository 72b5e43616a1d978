// SPDX-License-Identifier: MIT
// Room examples/model. Enters: a GGUF file. Leaves: checked tensors in their places; see
// weights.hpp.
#include "model/weights.hpp"

#include <algorithm>
#include <set>
#include <string>

#include "gguf/dequantize.hpp"
#include "gguf/finite.hpp"
#include "gguf/packed.hpp"
#include "gguf/reader.hpp"
#include "model/elementary.hpp"
#include "model/prune.hpp"

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
    void advance(const gguf::tensor& t, double part) const {
        if (report) report((done + part * static_cast<double>(t.data.size())) / total);
    }

public:
    loader(compute& cpu_, const gguf::reader& file_, trilobit::layout_id layout_,
           trilobit::page_arena& arena_, const progress& report_)
        : cpu(cpu_), file(file_), layout(layout_), arena(arena_), report(report_) {
        for (const gguf::tensor& t : file.tensors()) total += static_cast<double>(t.data.size());
    }

    const gguf::tensor& take(const std::string& name, std::int64_t rows, std::int64_t cols) {
        const gguf::tensor& t = file.require_tensor(name);
        const auto image = gguf::packed_image(file, t);
        const std::int64_t its_rows = image ? image->rows : t.rows(),
                           its_cols = image ? image->cols : t.columns();
        if (its_rows != rows || its_cols != cols)
            fail(t, "it has " + std::to_string(its_rows) + " x " + std::to_string(its_cols) +
                        " values where the model needs " + std::to_string(rows) + " x " +
                        std::to_string(cols));
        used.insert(t.name);
        return t;
    }
    void load(const gguf::tensor& t, vector& to) const {
        gguf::require_finite(file, t);
        to.resize(static_cast<std::size_t>(t.columns()));
        gguf::dequantize_row(t, 0, to);
    }
    void load(const gguf::tensor& t, norm& to, const selection& kept = {}) const {
        load(t, to.weights);
        to.width = t.columns();
        to.places.assign(kept.cols.begin(), kept.cols.end());
        if (to.places.empty()) return;
        vector some;
        for (const std::int32_t i : to.places)
            some.push_back(to.weights[static_cast<std::size_t>(i)]);
        to.weights = std::move(some);
    }
    void load(const gguf::tensor& t, embedding& to) {
        to = gguf::few_levels(t.type) != nullptr ? embedding(cpu, file, t)
                                                 : embedding(load_dense(cpu, file, t));
        done += static_cast<double>(t.data.size());
    }
    void load(const gguf::tensor& t, linear& to, const selection& kept = {}) {
        to = load_linear(cpu, file, t, layout, [&](double part) { advance(t, part); }, kept);
        settle(to, arena);
        done += static_cast<double>(t.data.size());
        std::string scale(t.name);
        scale.replace(scale.rfind(".weight"), std::string::npos, ".scale");
        if (file.find_tensor(scale) == nullptr) return;
        vector only;
        load(take(scale, 1, 1), only);
        to.scale = only[0];
    }
    void refuse_unused() const {
        for (const gguf::tensor& t : file.tensors())
            if (!used.contains(t.name))
                fail(t, "this program knows no use for it, and leaving it out would be wrong");
    }
};

layer_weights load_layer(loader& from, compute& cpu, const gguf::reader& file, const config& c,
                         std::int64_t layer) {
    gguf::layer_tensors<const gguf::tensor*, const gguf::tensor*> found;
    const auto find = [&](const gguf::layer_tensor& t, const gguf::tensor*& place) {
        place = &from.take(t.name_in(layer), t.rows, t.cols);
    };
    gguf::each_tensor(c.widths(), find, found);
    const auto neurons = living_neurons(cpu, file, *found.gate, *found.up, *found.down);
    layer_weights l;
    const auto load = [&](const auto&, const gguf::tensor* t, auto& place) {
        selection kept;
        if (t == found.gate || t == found.up) kept.rows = neurons;
        if (t == found.down || t == found.ffn_sub_norm) kept.cols = neurons;
        from.load(*t, place, kept);
    };
    gguf::each_tensor(c.widths(), load, found, l);
    return l;
}

std::int64_t bytes_of(const linear& m) noexcept { return m.bytes(); }
std::int64_t bytes_of(const norm& n) noexcept {
    return static_cast<std::int64_t>(n.weights.size() * sizeof(float));
}

}  // namespace

std::int64_t weights::bytes_per_token() const noexcept {
    std::int64_t bytes = bytes_of(head) + bytes_of(output_norm);
    for (const layer_weights& l : layers)
        gguf::each_tensor(
            gguf::layer_widths::all(), [&](const auto&, const auto& t) { bytes += bytes_of(t); },
            l);
    return bytes;
}

std::int64_t transformer::pruned_neurons() const noexcept {
    std::int64_t pruned = 0;
    for (const layer_weights& l : weights.layers) pruned += config.ffn - l.gate.rows();
    return pruned;
}

transformer load_transformer(compute& cpu, const gguf::reader& file, trilobit::layout_id layout,
                             const progress& report) {
    transformer out;
    out.name = file.name();
    config& c = out.config;
    c = read_config(file);
    weights& w = out.weights;
    loader from(cpu, file, layout, w.arena, report);
    const gguf::tensor& table = from.take("token_embd.weight", c.vocab, c.dim);
    from.load(table, w.embedding);
    for (std::int64_t layer = 0; layer < c.layers; ++layer)
        w.layers.push_back(load_layer(from, cpu, file, c, layer));
    from.load(from.take("output_norm.weight", 1, c.dim), w.output_norm);
    if (!c.tied_head)
        from.load(from.take("output.weight", c.vocab, c.dim), w.head);
    else if (const dense_matrix* numbers = w.embedding.dense())
        w.head = linear{numbers->view()};
    else
        from.load(table, w.head);
    if (file.find_tensor("rope_freqs.weight") != nullptr)
        from.load(from.take("rope_freqs.weight", 1, c.rope_dim / 2), w.rope_divisors);
    double least = 1.0;
    for (const float divisor : w.rope_divisors) {
        if (!(divisor > 0.0f)) file.fail("rope_freqs.weight: a divisor is not above 0");
        least = std::min(least, double{divisor});
    }
    const double slowed = c.yarn.original > 0 ? 1.0 : double{c.rope_divisor};
    if (!(static_cast<double>(c.context) <= most_angle * slowed * least))
        file.fail("RoPE's divisors are so small that the last position turns by more than 2^27");
    from.refuse_unused();
    file.require_whole();
    return out;
}

}  // namespace tbx::model
