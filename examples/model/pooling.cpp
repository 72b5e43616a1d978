// SPDX-License-Identifier: MIT
// Room examples/model. Enters: tokens. Leaves: their vector; see pooling.hpp.
#include "model/pooling.hpp"

#include <algorithm>
#include <cmath>

#include "support/finite.hpp"

namespace tbx::model {

std::vector<float> text_vector(compute& cpu, const transformer& m, state& s,
                               std::span<const token_id> tokens, pooling_rule rule) {
    if (tokens.empty()) throw error("text", "it has no tokens");
    std::vector<double> sum(static_cast<std::size_t>(m.config.dim));
    s.cache.length = 0;
    for (std::size_t at = 0; at < tokens.size();) {
        const std::size_t count = std::min(tokens.size() - at, static_cast<std::size_t>(s.batch));
        (void)forward(cpu, m, s, tokens.subspan(at, count), logits_of::none);
        at += count;
        const matrix x = s.x.first(static_cast<std::int64_t>(count));
        rms_norm(cpu, x, m.weights.output_norm, m.config.norm_eps, x);
        for (std::int64_t t = rule == pooling_rule::last ? x.rows - 1 : 0; t < x.rows; ++t) {
            if (rule == pooling_rule::last) std::fill(sum.begin(), sum.end(), 0.0);
            for (std::int64_t d = 0; d < x.cols; ++d)
                sum[static_cast<std::size_t>(d)] += double{x(t, d)};
        }
    }
    double squares = 0;
    for (const double v : sum) squares += v * v;
    std::vector<float> out;
    for (const double v : sum) out.push_back(static_cast<float>(v / std::sqrt(squares)));
    if (!support::all_finite(out))
        throw error(m.name.empty() ? "model" : m.name,
                    "the vector of a text is zero, or beyond the range of floats");
    return out;
}

}  // namespace tbx::model
