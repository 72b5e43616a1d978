// SPDX-License-Identifier: MIT
// Room examples/model. Enters: a GGUF file. Leaves: checked tensors in their places; see
// weights.hpp.
#include "model/weights.hpp"

#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <type_traits>
#include <utility>

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
    weights& all;
    float eps;
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
    loader(compute& cpu_, const gguf::reader& file_, trilobit::layout_id layout_, weights& all_,
           float eps_, const progress& report_)
        : cpu(cpu_), file(file_), layout(layout_), all(all_), eps(eps_), report(report_) {
        for (const gguf::tensor& t : file.tensors()) total += static_cast<double>(t.data.size());
    }

    const gguf::tensor& take(const std::string& name, std::int64_t rows, std::int64_t cols) {
        const gguf::tensor& t = file.require_tensor(name);
        const auto images = gguf::packed_images(file, t);
        const std::int64_t its_rows =
                               images.empty() ? t.rows() : std::ssize(images) * images[0].rows,
                           its_cols = images.empty() ? t.columns() : images[0].cols;
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
    void load(const gguf::tensor& t, linear& out, const selection& kept = {}) {
        out = load_linear(cpu, file, t, layout, [&](double part) { advance(t, part); }, kept);
        settle(out, all.arena);
        forget_packed(t);
        out.basis = all.bases->of(t.name);
        done += static_cast<double>(t.data.size());
        if (const gguf::tensor* scale = beside(t, ".scale"); scale != nullptr) {
            vector only;
            load(take(std::string(scale->name), 1, 1), only);
            out.scale *= only[0];
        }
        if (const gguf::tensor* its = beside(t, "_norm_in.weight"); its != nullptr) {
            auto in = std::make_unique<input_norm>();
            const std::int64_t width = kept.cols.empty() ? out.cols() : t.columns();
            load(take(std::string(its->name), 1, width), in->weights, {.cols = kept.cols});
            in->eps = eps;
            out.in = std::move(in);
        }
    }
    void load(const gguf::tensor& t, std::vector<linear>& out, std::int64_t count) {
        out = load_stack(cpu, file, t, count, layout, [&](double part) { advance(t, part); });
        for (linear& each : out) {
            settle(each, all.arena);
            each.basis = all.bases->of(t.name);
        }
        forget_packed(t);
        done += static_cast<double>(t.data.size());
    }
    /// What is packed is not read again: a model would be in memory twice.
    void forget_packed(const gguf::tensor& t) const {
        if (gguf::few_levels(t.type) != nullptr) file.forget(t);
    }
    /// The tensor that is named after a matrix; null where there is none.
    [[nodiscard]] const gguf::tensor* beside(const gguf::tensor& t, const char* ending) const {
        std::string name(t.name);
        name.replace(name.rfind(".weight"), std::string::npos, ending);
        return file.find_tensor(name);
    }
    void refuse_unused() const {
        for (const gguf::tensor& t : file.tensors())
            if (!used.contains(t.name))
                fail(t, "this program knows no use for it, and leaving it out would be wrong");
    }
};

using found_tensors =
    gguf::layer_tensors<const gguf::tensor*, const gguf::tensor*, const gguf::tensor*>;

// Not of experts, and not where neurons are mixed with others before they meet the weights.
bool may_prune(compute& cpu, const weights& w, const found_tensors& found) {
    return found.gate != nullptr && cpu.activations == activation_rule::token &&
           w.bases->of(found.down->name) == nullptr;
}

layer_weights load_layer(loader& from, compute& cpu, const gguf::reader& file, const config& c,
                         const weights& w, std::int64_t layer) {
    found_tensors found;
    const auto find = [&](const gguf::layer_tensor& t, const gguf::tensor*& place) {
        place = &from.take(t.name_in(layer), std::max<std::int64_t>(t.count, 1) * t.rows, t.cols);
    };
    gguf::each_tensor(c.widths(), find, found);
    std::vector<std::int32_t> neurons;
    if (may_prune(cpu, w, found))
        neurons = living_neurons(cpu, file, *found.gate, *found.up, *found.down);
    layer_weights l;
    const auto load = [&](const gguf::layer_tensor& as, const gguf::tensor* t, auto& place) {
        if constexpr (std::is_same_v<decltype(place), std::vector<linear>&>) {
            from.load(*t, place, as.count);
        } else {
            selection kept;
            if (t == found.gate || t == found.up) kept.rows = neurons;
            if (t == found.down || t == found.ffn_sub_norm) kept.cols = neurons;
            from.load(*t, place, kept);
        }
    };
    gguf::each_tensor(c.widths(), load, found, l);
    l.output.scale *= c.residual_scale;
    l.down.scale *= c.residual_scale;
    return l;
}

std::int64_t bytes_of(const linear& m) noexcept { return m.bytes(); }
std::int64_t bytes_of(const norm& n) noexcept {
    return static_cast<std::int64_t>(n.weights.size() * sizeof(float));
}

// RoPE's divisors, if the file has them.
void load_divisors(loader& from, const gguf::reader& file, const config& c, const char* name,
                   vector& to, double& least) {
    if (file.find_tensor(name) == nullptr) return;
    from.load(from.take(name, 1, c.rope_dim / 2), to);
    for (const float divisor : to) {
        if (!(divisor > 0.0f)) file.fail(std::string(name) + ": a divisor is not above 0");
        least = std::min(least, double{divisor});
    }
}

}  // namespace

std::int64_t transformer::bytes_per_token() const noexcept {
    std::int64_t bytes = bytes_of(weights.head) + bytes_of(weights.output_norm);
    const auto add = [&](const gguf::layer_tensor&, const auto& t) {
        if constexpr (std::is_same_v<decltype(t), const std::vector<linear>&>)
            bytes += config.experts_used * bytes_of(t.front());
        else
            bytes += bytes_of(t);
    };
    for (const layer_weights& l : weights.layers) gguf::each_tensor(config.widths(), add, l);
    return bytes;
}

std::int64_t transformer::pruned_neurons() const noexcept {
    std::int64_t pruned = 0;
    for (const layer_weights& l : weights.layers)
        if (config.experts == 0) pruned += config.ffn - l.gate.rows();
    return pruned;
}

transformer load_transformer(compute& cpu, const gguf::reader& file, trilobit::layout_id layout,
                             const progress& report) {
    transformer out;
    out.name = file.name();
    config& c = out.config;
    c = read_config(file);
    weights& w = out.weights;
    w.bases = std::make_unique<const rotations>(file);
    loader from(cpu, file, layout, w, c.norm_eps, report);
    const gguf::tensor& table = from.take("token_embd.weight", c.vocab, c.dim);
    from.load(table, w.embedding);
    w.embedding.basis = w.bases->of_rows();
    for (std::int64_t layer = 0; layer < c.layers; ++layer)
        w.layers.push_back(load_layer(from, cpu, file, c, w, layer));
    from.load(from.take("output_norm.weight", 1, c.dim), w.output_norm);
    if (!c.tied_head)
        from.load(from.take("output.weight", c.vocab, c.dim), w.head);
    else if (const dense_matrix* numbers = w.embedding.dense())
        w.head = linear{numbers->view()};
    else
        from.load(table, w.head);
    if (c.tied_head) w.head.basis = w.bases->of_tied_head();
    w.head.scale /= c.logit_scale;
    double least = 1.0;
    if (c.long_rope > 0) {
        load_divisors(from, file, c, "rope_factors_short.weight", w.rope_divisors, least);
        load_divisors(from, file, c, "rope_factors_long.weight", w.long_rope_divisors, least);
        if (w.rope_divisors.empty() || w.long_rope_divisors.empty())
            file.fail("RoPE's divisors for short or for long contexts are missing");
    } else {
        load_divisors(from, file, c, "rope_freqs.weight", w.rope_divisors, least);
    }
    const double slowed = c.yarn.original > 0 ? 1.0 : double{c.rope_divisor};
    if (!(static_cast<double>(c.context) <= most_angle * slowed * least))
        file.fail("RoPE's divisors are so small that the last position turns by more than 2^27");
    from.refuse_unused();
    file.require_whole();
    return out;
}

}  // namespace tbx::model
