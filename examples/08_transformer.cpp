// SPDX-License-Identifier: MIT
// Lesson 8. Enters: a model in a GGUF file and the beginning of a text. Leaves: how the model goes
// on, token by token, always with the likeliest one: a whole transformer on one page.
//
// All of it is plain loops over floats but for the seven matrices of a layer, which are nearly all
// of the work: they are ternary, packed to 2 bits a weight and multiplied by trilobit::matmul.
// examples/model is the same with many tokens at once, threads and SIMD; `trilobit run` tells the
// same text until two tokens are so close that the rounding of a float decides.
//
//   08_transformer examples/models/stories-ternary.gguf "Once upon a time" 200
#include <trilobit/trilobit.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "gguf/dequantize.hpp"
#include "gguf/reader.hpp"
#include "gguf/weight_rows.hpp"
#include "model/config.hpp"
#include "tokenizer/tokenizer.hpp"

namespace lesson {

using namespace tbx;
using floats = std::vector<float>;

/// (rows, cols): a row for each output, a column for each input.
struct matrix {
    size_t rows = 0, cols = 0;
    floats numbers;  // of the embedding, and of every matrix of a model of floats; or
    trilobit::packed_matrix<trilobit::layout::ternary_2bit> trits;
};

floats multiply(const matrix& w, const floats& x) {
    floats y(w.rows);
    if (w.numbers.empty()) {
        const auto s =
            trilobit::matmul(w.trits, {x.data(), 1, std::ssize(x)}, {y.data(), 1, std::ssize(y)});
        if (!s.ok()) throw error("matmul", s.text);
        return y;
    }
    for (size_t r = 0; r < w.rows; ++r)
        for (size_t c = 0; c < w.cols; ++c) y[r] += w.numbers[r * w.cols + c] * x[c];
    return y;
}

void add(floats& x, const floats& y) {
    for (size_t i = 0; i < x.size(); ++i) x[i] += y[i];
}

class transformer {
    model::config c;         // widths, heads and the like
    matrix embedding, head;  // (vocabulary, dim); no head: the embedding serves as one
    std::vector<gguf::layer_tensors<matrix, floats>> layers;
    floats output_norm;
    std::vector<std::vector<floats>> keys, values;  // of each layer and position

    // x / sqrt(mean(x^2) + eps) * w
    floats rms_norm(floats x, const floats& w) const {
        float squares = 0;
        for (const float v : x) squares += v * v;
        const float scale = 1 / std::sqrt(squares / float(x.size()) + c.norm_eps);
        for (size_t i = 0; i < x.size(); ++i) x[i] *= scale * w[i];
        return x;
    }

    // RoPE: pairs of each head's numbers turn by angles that grow with the position, the first pair
    // fastest.
    void turn(floats& x, size_t position) const {
        const auto width = size_t(c.key_dim), half = size_t(c.rope_dim) / 2;
        const bool neighbours = c.pairing == model::rope_pairing::interleaved;
        for (size_t first = 0; first < x.size(); first += width)
            for (size_t i = 0; i < half; ++i) {
                const float speed = std::pow(c.rope_base, -float(i) / float(half));
                const float angle = float(position) / c.rope_divisor * speed;
                float& a = x[first + (neighbours ? 2 * i : i)];
                float& b = x[first + (neighbours ? 2 * i + 1 : i + half)];
                const float turned = a * std::cos(angle) - b * std::sin(angle);
                b = a * std::sin(angle) + b * std::cos(angle);
                a = turned;
            }
    }

    // For each head: the mean of all values, each weighed by how well its key fits the query.
    floats attend(const floats& q, const std::vector<floats>& k,
                  const std::vector<floats>& v) const {
        const auto key = size_t(c.key_dim), value = size_t(c.value_dim), heads = size_t(c.heads);
        floats found(heads * value), weight(k.size());
        for (size_t h = 0; h < heads; ++h) {
            const size_t shared = h / (heads / size_t(c.kv_heads));  // by several heads
            for (size_t p = 0; p < k.size(); ++p) {
                float fit = 0;
                for (size_t i = 0; i < key; ++i) fit += q[h * key + i] * k[p][shared * key + i];
                weight[p] = fit / std::sqrt(float(key));
            }
            // Softmax; without its largest number subtracted from all, exp might overflow.
            const float most = *std::max_element(weight.begin(), weight.end());
            float total = 0;
            for (float& w : weight) total += w = std::exp(w - most);
            for (size_t p = 0; p < v.size(); ++p)
                for (size_t i = 0; i < value; ++i)
                    found[h * value + i] += weight[p] / total * v[p][shared * value + i];
        }
        return found;
    }

public:
    explicit transformer(const gguf::reader& file);

    /// Tokens that may still come: it was trained for no more.
    [[nodiscard]] std::int64_t room_left() const { return c.context - std::ssize(keys[0]); }

    /// What the model thinks of every token that may come after this one.
    floats next(size_t token) {
        if (token >= embedding.rows) throw error("vocabulary", "it is larger than the model's");
        const float* row = embedding.numbers.data() + token * embedding.cols;
        floats x(row, row + embedding.cols);  // (dim)
        const size_t position = keys[0].size();
        const bool relu = c.gate == model::gate_function::squared_relu;
        for (size_t i = 0; i < layers.size(); ++i) {
            const auto& l = layers[i];

            // Attention: the token looks at itself and at all tokens before it.
            floats h = rms_norm(x, l.attention_norm);  // (dim)
            floats q = multiply(l.q, h);               // (heads * key_dim)
            floats k = multiply(l.k, h);               // (kv_heads * key_dim)
            floats v = multiply(l.v, h);               // (kv_heads * value_dim)
            turn(q, position);
            turn(k, position);
            keys[i].push_back(k);
            values[i].push_back(v);
            floats a = attend(q, keys[i], values[i]);  // (heads * value_dim)
            if (c.sub_norms) a = rms_norm(a, l.attention_sub_norm);
            add(x, multiply(l.output, a));

            // Feed-forward: it thinks about what it found.
            h = rms_norm(x, l.ffn_norm);
            floats g = multiply(l.gate, h);  // (ffn)
            const floats u = multiply(l.up, h);
            for (size_t n = 0; n < g.size(); ++n) {
                const float positive = std::max(g[n], 0.0f);
                g[n] = u[n] * (relu ? positive * positive : g[n] / (1 + std::exp(-g[n])));
            }
            if (c.sub_norms) g = rms_norm(g, l.ffn_sub_norm);
            add(x, multiply(l.down, g));
        }
        const matrix& last = c.tied_head ? embedding : head;
        return multiply(last, rms_norm(x, output_norm));  // (vocabulary)
    }
};

transformer::transformer(const gguf::reader& file) : c(model::read_config(file)) {
    const bool known = c.architecture == "llama" || c.architecture.starts_with("bitnet");
    if (!known || c.biases || c.head_norms || c.rope_magnitude != 1 || c.yarn.original > 0 ||
        file.has("prism.hadamard.version"))
        file.fail("it has parts beyond plain llama and bitnet, which this lesson does not know");
    std::int64_t unknown = std::ssize(file.tensors());
    const auto load = [&](const std::string& name, std::int64_t rows, std::int64_t cols) {
        const gguf::tensor& t = file.require_tensor(name);
        if (t.rows() != rows || t.columns() != cols) file.fail(name + ": it has another shape");
        matrix w{size_t(rows), size_t(cols), floats(size_t(rows * cols)), {}};
        for (std::int64_t r = 0; r < rows; ++r)
            gguf::dequantize_row(t, r, std::span(w.numbers).subspan(size_t(r * cols), w.cols));
        --unknown;
        if (gguf::few_levels(t.type) == nullptr || !name.starts_with("blk.") || rows == 1) return w;
        // Packing keeps the size of weights that are -s, 0 and +s already, where there is one.
        if (!trilobit::values_of(w.numbers.data(), rows * cols).fit<trilobit::ternary>())
            file.fail(name + ": it has several scales, and this lesson keeps one");
        w.trits = trilobit::pack<trilobit::layout::ternary_2bit>({w.numbers.data(), rows, cols});
        w.numbers = {};
        return w;
    };
    for (std::int64_t i = 0; i < c.layers; ++i)
        gguf::each_tensor(
            c.widths(),
            [&](const gguf::layer_tensor& t, auto& place) {
                auto loaded = load(t.name_in(i), t.rows, t.cols);
                if constexpr (std::is_same_v<decltype(place), matrix&>)
                    place = std::move(loaded);
                else if constexpr (std::is_same_v<decltype(place), floats&>)
                    place = std::move(loaded.numbers);
            },
            layers.emplace_back());
    embedding = load("token_embd.weight", c.vocab, c.dim);
    head = c.tied_head ? matrix{} : load("output.weight", c.vocab, c.dim);
    output_norm = load("output_norm.weight", 1, c.dim).numbers;
    if (unknown != 0) file.fail("it has tensors that this lesson does not know");
    keys.resize(layers.size());
    values.resize(layers.size());
}

/// Says the beginning of a text, and then what follows, up to `most` tokens of it.
template <class Say>
void tell(const gguf::reader& file, const std::string& beginning, std::int64_t most, Say say) {
    const auto words = tokenizer::tokenizer::from_gguf(file);
    tokenizer::text_stream text(words, true);
    transformer model(file);
    auto tokens = words.encode(beginning);
    most += std::ssize(tokens);
    for (size_t i = 0; i < tokens.size(); ++i) {
        say(text.push(tokens[i]));
        if (std::ssize(tokens) >= most || model.room_left() == 0) continue;
        const floats logits = model.next(size_t(tokens[i]));
        const auto likeliest = std::max_element(logits.begin(), logits.end()) - logits.begin();
        const bool last = i + 1 == tokens.size();  // the others are known already
        if (last && !words.vocab().is_end(std::int32_t(likeliest)))
            tokens.push_back(std::int32_t(likeliest));
    }
    say(text.flush() + "\n");
}

}  // namespace lesson

int main(int argc, char** argv) try {
    if (argc < 3) return std::puts("usage: 08_transformer MODEL.gguf TEXT [TOKENS]"), 1;
    const tbx::gguf::reader file(argv[1]);
    const auto say = [](const std::string& s) {
        std::fputs(s.c_str(), stdout), std::fflush(stdout);
    };
    lesson::tell(file, argv[2], argc > 3 ? std::atoll(argv[3]) : 200, say);
    return 0;
} catch (const std::exception& e) {
    return std::fprintf(stderr, "08_transformer: %s\n", e.what()), 1;
}
