// SPDX-License-Identifier: MIT
// Room huggingface. Enters: a folder's tensors. Leaves: those of the model; see tensors.hpp.
#include "huggingface/tensors.hpp"

#include <algorithm>
#include <cmath>
#include <memory>
#include <set>
#include <utility>

#include "gguf/quoted.hpp"
#include "huggingface/linear_rows.hpp"
#include "huggingface/names.hpp"
#include "support/error.hpp"
#include "trilobit/core/float16.hpp"

namespace tbx::huggingface {

namespace {

using gguf::tensor_type;
using safetensors::dtype;
using safetensors::tensor;

class finder {
    const config& c;
    const safetensors::folder& files;
    std::set<const tensor*> used;

    [[noreturn]] void fail(const tensor& t, const std::string& what) const {
        throw error(files.name(), "tensor " + gguf::quoted(t.name) + " " + what);
    }

public:
    finder(const config& of, const safetensors::folder& in) : c(of), files(in) {}

    const tensor* find(const wanted_tensor& w) const {
        for (const std::string& name : w.spelt)
            if (const tensor* t = files.find(name); t != nullptr) return t;
        if (w.optional) return nullptr;
        throw error(files.name(), "lacks tensor " + gguf::quoted(w.spelt.front()));
    }

    stored_matrix open_checked(const wanted_tensor& w, const tensor& t) {
        stored_matrix m = open_matrix(files, t, c, w.what == role::linear, w.rows);
        for (const tensor* part : m.parts) used.insert(part);
        if (m.rows != w.rows || m.cols != w.cols)
            fail(t, "has " + std::to_string(m.rows) + " x " + std::to_string(m.cols) +
                        " values where the model needs " + std::to_string(w.rows) + " x " +
                        std::to_string(w.cols));
        return m;
    }

    // Those of all experts, one below the other.
    gguf::float_rows open_stack(const wanted_tensor& w) {
        auto each = std::make_shared<std::vector<stored_matrix>>();
        for (std::int64_t i = 0; i < w.count; ++i) {
            const tensor* t = files.find(w.expert(i));
            if (t == nullptr)
                throw error(files.name(), "lacks tensor " + gguf::quoted(w.expert(i)));
            each->push_back(open_checked(w, *t));
        }
        gguf::float_rows out;
        out.name = w.name;
        out.rows = w.count * w.rows;
        out.cols = w.cols;
        out.linear = true;
        out.extent = {w.cols, w.rows, w.count};
        out.read = [each, rows = w.rows](std::int64_t row, std::span<float> to) {
            (*each)[static_cast<std::size_t>(row / rows)].read(row % rows, to);
        };
        out.forget = [each, all = &files] {
            for (const stored_matrix& m : *each)
                for (const tensor* part : m.parts) all->forget(*part);
        };
        return out;
    }

    gguf::float_rows open(const wanted_tensor& w, const tensor& t) {
        stored_matrix m = open_checked(w, t);
        gguf::float_rows out;
        out.name = w.name;
        out.rows = w.rows;
        out.cols = w.cols;
        out.linear = w.what == role::linear;
        out.extent = w.what == role::vector ? std::vector{w.cols} : std::vector{w.cols, w.rows};
        out.read = std::move(m.read);
        if (w.permuted_heads > 0)
            out.read = [from = std::move(out.read), width = w.rows / w.permuted_heads](
                           std::int64_t row, std::span<float> to) { from(row_of(row, width), to); };
        if (w.added != 0)
            out.read = [from = std::move(out.read), plus = w.added](std::int64_t row,
                                                                    std::span<float> to) {
                from(row, to);
                for (float& number : to) number += plus;
            };
        out.forget = [parts = m.parts, all = &files] {
            for (const tensor* part : parts) all->forget(*part);
        };
        if (w.what == role::table) keep_bytes(t, out);
        return out;
    }

    // Tables of numbers stay as they lie; vectors are F32 in GGUF, which holds them all.
    void keep_bytes(const tensor& t, gguf::float_rows& out) const {
        if (t.type == dtype::f16)
            out.type = tensor_type::f16;
        else if (t.type == dtype::bf16)
            out.type = tensor_type::bf16;
        else if (t.type == dtype::u32)
            return choose_half(out);
        if (t.type != dtype::f64) out.bytes = t.data;
    }

    // A table of MLX codes: in halves if these hold it.
    static void choose_half(gguf::float_rows& out) {
        std::vector<float> row(static_cast<std::size_t>(out.cols));
        for (std::int64_t r = 0; r < out.rows; ++r) {
            out.read(r, row);
            for (const float w : row)
                if (trilobit::f16_to_f32(trilobit::f32_to_f16(w)) != w) return;
        }
        out.type = tensor_type::f16;
    }

    // One of a tied model must be the embedding, or the config is wrong of it.
    void skip_tied(const tensor& head, const tensor& embedding) {
        used.insert(&head);
        if (head.type != embedding.type || !std::ranges::equal(head.data, embedding.data))
            fail(head, "differs from the embedding, and the config says that they are tied");
    }

    void refuse_unused() const {
        for (const safetensors::file& part : files.parts())
            for (const tensor& t : part.tensors()) {
                // Made of the config by whoever loads the model.
                if (used.contains(&t) || t.name.ends_with(".rotary_emb.inv_freq")) continue;
                fail(t, "has no place in a " + c.architecture +
                            " here, and leaving it out would be wrong");
            }
    }
};

// Llama 3.1's: long waves are slowed by the factor, short ones are not, in between there is a ramp.
gguf::float_rows rope_divisors(const config& c) {
    auto values = std::make_shared<std::vector<float>>();
    constexpr double pi = 3.14159265358979323846;
    const auto original = static_cast<double>(c.rope_original);
    const double longest = original / c.rope_low, shortest = original / c.rope_high;
    for (std::int64_t i = 0; i < c.rope_dim; i += 2) {
        const double wave =
            2 * pi *
            std::pow(double{c.rope_base}, static_cast<double>(i) / static_cast<double>(c.rope_dim));
        const double smooth = (original / wave - c.rope_low) / (c.rope_high - c.rope_low);
        values->push_back(static_cast<float>(wave < shortest ? 1.0
                                             : wave > longest
                                                 ? c.rope_factor
                                                 : 1 / ((1 - smooth) / c.rope_factor + smooth)));
    }
    gguf::float_rows out;
    out.name = "rope_freqs.weight";
    out.rows = 1;
    out.cols = std::ssize(*values);
    out.extent = {out.cols};
    out.read = [values](std::int64_t, std::span<float> to) {
        std::ranges::copy(*values, to.begin());
    };
    return out;
}

gguf::float_rows vector_of(const char* name, const std::vector<float>& values) {
    gguf::float_rows out;
    out.name = name;
    out.rows = 1;
    out.cols = std::ssize(values);
    out.extent = {out.cols};
    out.read = [&values](std::int64_t, std::span<float> to) {
        std::ranges::copy(values, to.begin());
    };
    return out;
}

}  // namespace

std::vector<gguf::float_rows> tensors_of(const config& c, const safetensors::folder& files) {
    finder from(c, files);
    std::vector<gguf::float_rows> all;
    const tensor* embedding = nullptr;
    for (const wanted_tensor& w : tensors_of(c)) {
        if (w.count > 0) {
            all.push_back(from.open_stack(w));
            continue;
        }
        const tensor* t = from.find(w);
        if (w.name == "token_embd.weight") embedding = t;
        if (w.optional) {
            if (t == nullptr && !c.tied.value_or(true))
                throw error(files.name(), "lacks tensor " + gguf::quoted(w.spelt.front()) +
                                              ", and the config says that it is not tied");
            if (t != nullptr && c.tied.value_or(false)) {
                from.skip_tied(*t, *embedding);
                continue;
            }
        }
        if (t != nullptr) all.push_back(from.open(w, *t));
    }
    if (c.rope == rope_rule::llama3) all.push_back(rope_divisors(c));
    if (c.rope == rope_rule::longrope) {
        all.push_back(vector_of("rope_factors_long.weight", c.rope_long));
        all.push_back(vector_of("rope_factors_short.weight", c.rope_short));
    }
    from.refuse_unused();
    return all;
}

}  // namespace tbx::huggingface
