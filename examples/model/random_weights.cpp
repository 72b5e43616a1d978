// SPDX-License-Identifier: MIT
// Room examples/model. Enters: a shape. Leaves: random weights of it; see random_weights.hpp.
#include "model/random_weights.hpp"

#include <atomic>
#include <cmath>
#include <cstring>
#include <functional>

#include <trilobit/pack/pack.hpp>

#include "gguf/quantize.hpp"
#include "gguf/writer.hpp"
#include "model/sampler.hpp"

namespace tbx::model {
namespace {

/// A matrix of the model: its tensor's name, shape, and place.
struct matrix_plan {
    std::string name;
    std::int64_t rows, cols;
    linear layer_weights::* place;
};

std::vector<matrix_plan> plan_layer(const config& c) {
    return {{"attn_q", c.q_width(), c.dim, &layer_weights::q},
            {"attn_k", c.k_width(), c.dim, &layer_weights::k},
            {"attn_v", c.v_width(), c.dim, &layer_weights::v},
            {"attn_output", c.dim, c.attention_width(), &layer_weights::output},
            {"ffn_gate", c.ffn, c.dim, &layer_weights::gate},
            {"ffn_up", c.ffn, c.dim, &layer_weights::up},
            {"ffn_down", c.dim, c.ffn, &layer_weights::down}};
}

std::uint64_t number_of(std::int64_t layer, std::size_t index) noexcept {
    return static_cast<std::uint64_t>(layer) * 16 + index + 16;
}

random_numbers stream_of(std::uint64_t seed, std::uint64_t which, std::int64_t row) noexcept {
    random_numbers mix(seed ^ (which << 40));
    return random_numbers(mix.bits() + static_cast<std::uint64_t>(row) * 0x9e3779b97f4a7c15u *
                                           0xd1342543de82ef95u);
}

// Two thirds of random trits are not zero: with this scale, an input of mean square 1 gives an
// output of mean square 1, whatever the width.
float unit_scale(std::int64_t cols) noexcept {
    return 1.0f / std::sqrt(static_cast<float>(cols) * (2.0f / 3.0f));
}

linear random_linear(compute& cpu, std::uint64_t seed, std::uint64_t which, std::int64_t rows,
                     std::int64_t cols, trilobit::layout_id layout, const progress& report) {
    const bool binary = layout == trilobit::layout_id::binary_1bit;
    const auto source = [&](std::int64_t row, std::int8_t* values, float* scales) {
        random_trits(seed, which, row, {values, static_cast<std::size_t>(cols)});
        if (binary)
            for (std::int64_t i = 0; i < cols; ++i) values[i] = values[i] < 0 ? -1 : 1;
        scales[0] = unit_scale(cols);
        return trilobit::status{};
    };
    linear out{trilobit::pack_rows(layout, rows, cols, source,
                                   packing(trilobit::scale_spec::tensor(), report), cpu.pool)};
    if (const auto s = std::get<trilobit::any_packed_matrix>(out.weights).status(); !s.ok())
        throw error("--layout", s.text);
    return out;
}

// Random bytes that are a number of mean square about 1/cols in each format: signs and fractions
// are random, exponents fixed.
dense_matrix random_dense(compute& cpu, std::uint64_t seed, std::uint64_t which, std::int64_t rows,
                          std::int64_t cols, number_type type) {
    if (cols % block_elements(type) != 0)
        throw error("--head", std::string(name_of(type)) + " needs a width that is a multiple of " +
                                  std::to_string(block_elements(type)));
    dense_matrix w{type, rows, cols, nullptr, {}};
    w.owned = trilobit::aligned_buffer(static_cast<std::size_t>(w.bytes()));
    if (w.owned.data() == nullptr) throw error("--head", "not enough memory for its weights");
    w.data = w.owned.data();
    const float size = unit_scale(cols);
    cpu.pool(0, rows, 64, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t r = begin; r < end; ++r) {
            random_numbers random = stream_of(seed, which, r);
            std::byte* row = w.owned.data() + r * w.stride();
            const std::int64_t step = block_bytes(type);
            for (std::byte* block = row; block < row + w.stride(); block += step) {
                if (type == number_type::f32 || type == number_type::f16 ||
                    type == number_type::bf16) {
                    const float value = (random.uniform() - 0.5f) * 3.46f * size;
                    const std::uint16_t half = type == number_type::f16
                                                   ? trilobit::f32_to_f16(value)
                                                   : trilobit::f32_to_bf16(value);
                    if (type == number_type::f32)
                        std::memcpy(block, &value, sizeof value);
                    else
                        std::memcpy(block, &half, sizeof half);
                    continue;
                }
                for (std::int64_t i = 0; i < step; i += 8) {
                    const std::uint64_t bits = random.bits();
                    std::memcpy(block + i, &bits,
                                static_cast<std::size_t>(std::min<std::int64_t>(8, step - i)));
                }
                const bool q8 = type == number_type::q8_0;
                const std::uint16_t d = trilobit::f32_to_f16(size / (q8 ? 74.0f : 1300.0f));
                std::memcpy(q8 ? block : block + 208, &d, sizeof d);
            }
        }
    });
    return w;
}

void fill_norms(const config& c, layer_weights& l) {
    const auto ones = [](std::int64_t n) { return vector(static_cast<std::size_t>(n), 1.0f); };
    l.attention_norm = ones(c.dim);
    l.ffn_norm = ones(c.dim);
    if (!c.sub_norms) return;
    l.attention_sub_norm = ones(c.attention_width());
    l.ffn_sub_norm = ones(c.ffn);
}

}  // namespace

void random_trits(std::uint64_t seed, std::uint64_t which, std::int64_t row,
                  std::span<std::int8_t> values) noexcept {
    random_numbers random = stream_of(seed, which, row);
    for (std::size_t i = 0; i < values.size(); i += 8) {
        const std::uint64_t bits = random.bits();
        for (std::size_t b = 0; b < std::min<std::size_t>(8, values.size() - i); ++b)
            values[i + b] = static_cast<std::int8_t>(((bits >> (8 * b) & 255u) * 3 >> 8)) - 1;
    }
}

transformer random_transformer(compute& cpu, config shape, trilobit::layout_id layout,
                               std::optional<number_type> head, std::uint64_t seed,
                               const progress& report) {
    if (!head) shape.vocab = std::min<std::int64_t>(shape.vocab, 1024);
    transformer m{std::move(shape), {}};
    const config& c = m.config;
    const double total = static_cast<double>(c.linear_weights());
    double done = 0;
    m.weights.embedding =
        random_dense(cpu, seed, 0, c.vocab, c.dim, head.value_or(number_type::f16));
    const std::vector<matrix_plan> plan = plan_layer(c);
    for (std::int64_t layer = 0; layer < c.layers; ++layer) {
        layer_weights l;
        for (std::size_t i = 0; i < plan.size(); ++i) {
            const auto& p = plan[i];
            const auto size = static_cast<double>(p.rows * p.cols);
            l.*p.place = random_linear(cpu, seed, number_of(layer, i), p.rows, p.cols, layout,
                                       [&](double part) {
                                           if (report) report((done + part * size) / total);
                                       });
            settle(l.*p.place, m.weights.arena);
            done += size;
        }
        fill_norms(c, l);
        m.weights.layers.push_back(std::move(l));
    }
    m.weights.output_norm.assign(static_cast<std::size_t>(c.dim), 1.0f);
    if (head)
        m.weights.head = c.tied_head ? linear{m.weights.embedding.view()}
                                     : linear{random_dense(cpu, seed, 1, c.vocab, c.dim, *head)};
    return m;
}

}  // namespace tbx::model
