// SPDX-License-Identifier: MIT
// Room examples/model. Enters: a shape. Leaves: random weights of it; see random_weights.hpp.
#include "model/random_weights.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

#include <trilobit/pack/header.hpp>

#include "gguf/quantize.hpp"
#include "gguf/writer.hpp"
#include "model/random_pool.hpp"
#include "model/sampler.hpp"

namespace tbx::model {
namespace {

random_numbers stream_of(std::uint64_t seed, std::uint64_t which, std::int64_t row) noexcept {
    random_numbers mix(seed ^ (which << 40));
    return random_numbers(mix.bits() + static_cast<std::uint64_t>(row) * 0x9e3779b97f4a7c15u *
                                           0xd1342543de82ef95u);
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

// A norm of ones, or a bias of zeros.
norm plain_vector(std::int64_t width, float value) {
    return {vector(static_cast<std::size_t>(width), value), width};
}

}  // namespace

// Two thirds of random trits are not zero.
float unit_scale(std::int64_t cols) noexcept {
    return 1.0f / std::sqrt(static_cast<float>(cols) * (2.0f / 3.0f));
}

void random_trits(std::uint64_t seed, std::uint64_t which, std::int64_t row,
                  std::span<std::int8_t> values) noexcept {
    random_numbers random = stream_of(seed, which, row);
    for (std::size_t i = 0; i < values.size(); i += 8) {
        const std::uint64_t bits = random.bits();
        for (std::size_t b = 0; b < std::min<std::size_t>(8, values.size() - i); ++b)
            values[i + b] = static_cast<std::int8_t>(((bits >> (8 * b) & 255u) * 3 >> 8)) - 1;
    }
}

std::int64_t random_bytes(const config& c, trilobit::layout_id layout,
                          std::optional<number_type> head) {
    std::int64_t layer = 0;
    gguf::each_tensor(c.widths(), [&](const gguf::layer_tensor& t) {
        const std::int64_t floats = 4 * t.rows * t.cols;
        layer +=
            t.is_vector || t.is_router
                ? floats
                : std::max<std::int64_t>(t.count, 1) *
                      trilobit::packed_bytes(layout, t.rows, t.cols, trilobit::scale_spec::tensor())
                          .value();
    });
    const std::int64_t table = row_bytes(head.value_or(number_type::f16), c.dim) *
                               (head ? c.vocab : std::min<std::int64_t>(c.vocab, 1024));
    return c.layers * layer + table * (head && !c.tied_head ? 2 : 1);
}

transformer random_transformer(compute& cpu, config shape, trilobit::layout_id layout,
                               std::optional<number_type> head, std::uint64_t seed,
                               const progress& report) {
    if (!head) shape.vocab = std::min<std::int64_t>(shape.vocab, 1024);
    transformer m{std::move(shape), {}};
    const config& c = m.config;
    random_pool pool(cpu, seed, layout);
    double total = 0, done = 0;
    gguf::each_tensor(c.widths(), [&](const gguf::layer_tensor& t) {
        total +=
            static_cast<double>(c.layers * std::max<std::int64_t>(t.count, 1) * t.rows * t.cols);
    });
    const auto one = [&](const gguf::layer_tensor& t, std::uint64_t which) {
        linear made = pool.make(which, t.rows, t.cols, m.weights.arena);
        if (c.input_norms)
            made.in =
                std::make_unique<input_norm>(input_norm{plain_vector(t.cols, 1.0f), c.norm_eps});
        done += static_cast<double>(t.rows * t.cols);
        if (report) report(done / total);
        return made;
    };
    m.weights.embedding =
        embedding(random_dense(cpu, seed, 0, c.vocab, c.dim, head.value_or(number_type::f16)));
    for (std::int64_t layer = 0; layer < c.layers; ++layer) {
        std::uint64_t which = first_matrix_of(layer);
        const auto make = [&](const gguf::layer_tensor& t, auto& place) {
            if constexpr (std::is_same_v<decltype(place), norm&>) {
                place = plain_vector(t.cols, t.is_bias() ? 0.0f : 1.0f);
            } else if constexpr (std::is_same_v<decltype(place), linear&>) {
                place =
                    t.is_router
                        ? linear{random_dense(cpu, seed, which, t.rows, t.cols, number_type::f32)}
                        : one(t, which);
                ++which;
            } else {
                for (std::int64_t i = 0; i < t.count; ++i)
                    place.push_back(one(t, (which << 20) + static_cast<std::uint64_t>(i)));
                ++which;
            }
        };
        gguf::each_tensor(c.widths(), make, m.weights.layers.emplace_back());
    }
    m.weights.output_norm = plain_vector(c.dim, 1.0f);
    if (head)
        m.weights.head = c.tied_head ? linear{m.weights.embedding.dense()->view()}
                                     : linear{random_dense(cpu, seed, 1, c.vocab, c.dim, *head)};
    return m;
}

}  // namespace tbx::model
