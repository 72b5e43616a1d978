// SPDX-License-Identifier: MIT
// Room huggingface. Enters: tensors of safetensors. Leaves: rows of floats; see linear_rows.hpp.
#include "huggingface/linear_rows.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "formats/bytes.hpp"
#include "formats/gsq.hpp"
#include "formats/hf_bitnet.hpp"
#include "gguf/quoted.hpp"
#include "support/error.hpp"
#include "support/finite.hpp"
#include "trilobit/weights/quantize.hpp"

namespace tbx::huggingface {

namespace {

using safetensors::dtype;
using safetensors::tensor;

class opener {
    const safetensors::folder& files;
    const tensor& weight;

public:
    opener(const safetensors::folder& all, const tensor& which) : files(all), weight(which) {}

    [[noreturn]] void fail(const std::string& what) const {
        throw error(files.name(), "tensor " + gguf::quoted(weight.name) + " " + what);
    }
    const tensor& beside(const char* ending) const {
        std::string name = weight.name.substr(0, weight.name.rfind(".weight"));
        name += ending;
        const tensor* t = files.find(name);
        if (t == nullptr)
            fail("is " + std::string(safetensors::name_of(weight.type)) + ", and " +
                 gguf::quoted(name) + " is missing");
        return *t;
    }
    bool has_beside(const char* ending) const {
        return files.find(weight.name.substr(0, weight.name.rfind(".weight")) + ending) != nullptr;
    }
    void require_matrix(std::string_view what, dtype type) const {
        if (weight.shape.size() != 2 || weight.type != type)
            fail("is not the matrix of " + std::string(what) + " that the config promises");
    }

    stored_matrix plain() const {
        if (!is_float(weight.type) || weight.shape.empty() || weight.shape.size() > 2)
            fail("is " + std::string(safetensors::name_of(weight.type)) + " of " +
                 std::to_string(weight.shape.size()) +
                 " dimensions, where the config promises numbers");
        return {
            [t = &weight](std::int64_t row, std::span<float> out) { read_floats(*t, row, out); },
            weight.rows(),
            weight.columns(),
            {&weight}};
    }

    stored_matrix packed(bool multiply, std::int64_t rows) const {
        require_matrix("trits, four in a byte,", dtype::u8);
        const tensor& said = beside(".weight_scale");
        if (!is_float(said.type) || said.rows() * said.columns() != 1)
            fail("has a weight_scale that is not one number");
        const auto size = formats::hf_scale(safetensors::value_at(said, 0), multiply);
        if (!size || !(*size > 0)) fail("has a weight_scale that is no size");
        const formats::shape shape{rows, weight.columns()};
        if (formats::hf_bitnet.bytes(shape) != std::ssize(weight.data))
            fail("has " + std::to_string(weight.rows()) + " rows of four, where the model needs " +
                 std::to_string(rows) + " rows");
        const auto read = [self = *this, scale = *size, shape,
                           from = weight.data](std::int64_t row, std::span<float> out) {
            thread_local std::vector<std::int8_t> trits;
            trits.resize(out.size());
            if (formats::hf_bitnet.read(from, shape, row, trits.data(), nullptr) !=
                formats::fault::none)
                self.fail("holds a code that is none of -1, 0, +1 in row " + std::to_string(row));
            for (std::size_t i = 0; i < out.size(); ++i)
                out[i] = scale * static_cast<float>(trits[i]);
        };
        return {read, rows, shape.cols, {&weight, &said}};
    }

    // The model's own rule, as its class computes it: all in float32 but the mean's sum, and the
    // size rounded to the type of the masters, unless it `stays` a float.
    stored_matrix masters(bool stays) const {
        const stored_matrix from = plain();
        std::vector<float> row(static_cast<std::size_t>(from.cols));
        trilobit::unit_sums sums;
        for (std::int64_t r = 0; r < from.rows; ++r) {
            from.read(r, row);
            sums += trilobit::sum_weights(row.data(), from.cols);
        }
        if (!sums.finite()) fail("holds NaN or infinity");
        const float inverse = 1.0f / std::max(sums.absolute_mean(), 1e-5f);
        float size = 1.0f / inverse;
        if (!stays && weight.type == dtype::bf16)
            size = trilobit::bf16_to_f32(trilobit::f32_to_bf16(size));
        else if (!stays && weight.type == dtype::f16)
            size = trilobit::f16_to_f32(trilobit::f32_to_f16(size));
        const auto read = [from, inverse, size](std::int64_t r, std::span<float> out) {
            from.read(r, out);
            for (float& w : out) {
                const float scaled = w * inverse;
                // Beyond a half, which itself rounds to the even 0.
                w = scaled > 0.5f ? size : scaled < -0.5f ? -size : 0.0f;
            }
        };
        return {read, from.rows, from.cols, from.parts};
    }

    stored_matrix affine(int bits, int group) const {
        require_matrix("codes in words", dtype::u32);
        const tensor &scales = beside(".scales"), &biases = beside(".biases");
        const std::int64_t rows = weight.rows(), cols = weight.columns() * (32 / bits);
        for (const tensor* t : {&scales, &biases})
            if (!is_float(t->type) || t->shape.size() != 2 || t->rows() != rows ||
                cols % group != 0 || t->columns() != cols / group)
                fail("has no scale and bias for each " + std::to_string(group) + " columns");
        const auto read = [bits, group, t = &weight, s = &scales,
                           b = &biases](std::int64_t row, std::span<float> out) {
            const std::int64_t words = t->columns(), groups = s->columns();
            const std::byte* from = t->data.data() + row * words * 4;
            const unsigned mask = (1u << bits) - 1u;
            std::size_t at = 0;
            float scale = 0, bias = 0;
            for (std::int64_t w = 0; w < words; ++w) {
                auto word = formats::load_as<std::uint32_t>(from + 4 * w);
                for (int i = 0; i < 32; i += bits, word >>= bits, ++at) {
                    const auto column = static_cast<std::int64_t>(at);
                    if (column % group == 0) {
                        scale = safetensors::value_at(*s, row * groups + column / group);
                        bias = safetensors::value_at(*b, row * groups + column / group);
                    }
                    out[at] = scale * static_cast<float>(word & mask) + bias;
                }
            }
        };
        return {read, rows, cols, {&weight, &scales, &biases}};
    }

    // Codes of two bits, the lowest first, with 2 for 0; a scale for each group, or for the row.
    stored_matrix words(int group) const {
        require_matrix("codes in words", dtype::i32);
        const tensor& scales = beside(".weight_scale");
        const std::int64_t rows = weight.rows(), cols = weight.columns() * 16;
        const std::int64_t width = group == 0 ? cols : group;
        if (!is_float(scales.type) || scales.shape.size() != 2 || scales.rows() != rows ||
            cols % width != 0 || scales.columns() != cols / width)
            fail("has no weight_scale for each " + std::to_string(width) + " columns");
        const auto read = [shape = formats::shape{rows, cols}, width, from = weight.data,
                           s = &scales](std::int64_t row, std::span<float> out) {
            thread_local std::vector<std::int8_t> codes;
            codes.resize(out.size());
            (void)formats::gsq.read(from, shape, row, codes.data(), nullptr);  // all have a meaning
            for (std::int64_t c = 0; c < shape.cols; ++c) {
                const auto at = static_cast<std::size_t>(c);
                const float scale = safetensors::value_at(*s, row * s->columns() + c / width);
                out[at] = scale * static_cast<float>(codes[at]);
            }
        };
        return {read, rows, cols, {&weight, &scales}};
    }
};

}  // namespace

void read_floats(const tensor& t, std::int64_t row, std::span<float> out) noexcept {
    const std::int64_t first = row * t.columns();
    const auto each = [&](auto read) {
        for (std::size_t i = 0; i < out.size(); ++i)
            out[i] = read(first + static_cast<std::int64_t>(i));
    };
    const std::byte* from = t.data.data();
    if (t.type == dtype::bf16)
        each([&](std::int64_t i) {
            return trilobit::bf16_to_f32(formats::load_as<std::uint16_t>(from + 2 * i));
        });
    else if (t.type == dtype::f16)
        each([&](std::int64_t i) { return formats::load_f16(from + 2 * i); });
    else
        each([&](std::int64_t i) { return safetensors::value_at(t, i); });
}

stored_matrix open_matrix(const safetensors::folder& files, const tensor& weight, const config& c,
                          bool linear, std::int64_t expected_rows) {
    const opener open(files, weight);
    // MLX leaves out of its config which modules it left alone: the tensors say it.
    if (c.weights == weight_rule::affine && open.has_beside(".scales"))
        return open.affine(c.bits, c.group);
    const bool kept = std::ranges::any_of(c.unconverted, [&](const std::string& part) {
        return !part.empty() && weight.name.find(part) != std::string::npos;
    });
    if (!linear || (kept && is_float(weight.type))) return open.plain();
    switch (c.weights) {
        case weight_rule::packed_multiply:
            return open.packed(true, expected_rows);
        case weight_rule::packed_divide:
            return open.packed(false, expected_rows);
        case weight_rule::absmean:
            return open.masters(false);
        case weight_rule::absmean_float:
            return open.masters(true);
        case weight_rule::words:
            return open.words(c.group);
        default:
            return open.plain();
    }
}

}  // namespace tbx::huggingface
