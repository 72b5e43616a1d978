// SPDX-License-Identifier: MIT
// Where activations and outputs may lie: anywhere that a float may, with any stride, in one
// another's place. All activations are read before the first output is written.
#include "sample.hpp"
#include "trilobit/core/thread_pool.hpp"

using namespace trilobit;
using matmul_test::active_table;
using matmul_test::every_layout;
using matmul_test::sample;
using matmul_test::same_bits;

namespace {

constexpr std::int64_t side = 192;

/// (tokens, side) floats that start `offset` floats after a cache line, `stride` apart.
struct placed {
    aligned_buffer memory;
    matrix_view<float> view;

    placed(const std::vector<float>& values, std::int64_t tokens, int offset, std::int64_t stride)
        : memory(static_cast<std::size_t>(tokens * stride + offset) * sizeof(float)),
          view(reinterpret_cast<float*>(memory.data()) + offset, tokens, side, stride) {
        for (std::int64_t m = 0; m < tokens; ++m)
            std::memcpy(view.row(m), values.data() + m * side, side * sizeof(float));
    }
    [[nodiscard]] std::vector<float> values() const {
        std::vector<float> all;
        for (std::int64_t m = 0; m < view.rows; ++m)
            all.insert(all.end(), view.row(m), view.row(m) + side);
        return all;
    }
};

}  // namespace

TEST_CASE("outputs may take the place of the activations, at any address", "[matmul]") {
    thread_pool pool(2);
    context c{active_table(), pool};
    for (const layout_id layout : every_layout)
        for (const std::int64_t tokens : {1, 3, 40}) {
            sample p(side, side, tokens, layout);
            for (const kernel_entry& e : active_table()) {
                if (e.layout != layout || e.activation != activation_id::int8) continue;
                CAPTURE(layout_name(layout), kernel_name(e.kernel), tokens);
                const matmul_options options{.kernel = e.kernel};
                REQUIRE(p.run(options).ok());
                for (const int offset : {0, 1, 15})
                    for (const std::int64_t stride : {side, side + 3}) {
                        const placed x(p.x, tokens, offset, stride);
                        c.options = options;
                        const status s = matmul(c, p.w, x.view, x.view);
                        CAPTURE(offset, stride, s.text);
                        REQUIRE(s.ok());
                        CHECK(same_bits(x.values(), p.y));
                    }
            }
        }
}

TEST_CASE("experts' outputs may take the place of the activations", "[matmul]") {
    constexpr std::int64_t tokens = 7;
    const sample a(side, side, tokens), b(side, side, tokens);
    const packed_view experts[] = {a.w, b.w};
    const std::int32_t expert_of[tokens] = {1, 0, 0, 1, 0, 1, 1};
    std::vector<float> apart(a.y.size());
    context c{active_table()};
    REQUIRE(matmul_indexed(c, experts, expert_of, a.in(),
                           matrix_view<float>(apart.data(), tokens, side))
                .ok());
    const placed x(a.x, tokens, 1, side);
    REQUIRE(matmul_indexed(c, experts, expert_of, x.view, x.view).ok());
    CHECK(same_bits(x.values(), apart));
}

TEST_CASE("refused activations leave outputs in their place as they were", "[matmul]") {
    sample p(side, side, 3);
    p.x.back() = std::numeric_limits<float>::infinity();
    const placed x(p.x, 3, 0, side);
    context c{active_table()};
    CHECK(matmul(c, p.w, x.view, x.view).code == errc::bad_value);
    CHECK(same_bits(x.values(), p.x));
}
