// SPDX-License-Identifier: MIT
// Room examples/model. Enters: a dense matrix, an x. Leaves: int8 rows and intervals; see
// coarse_rows.hpp.
#include "model/coarse_rows.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "support/finite.hpp"

namespace tbx::model {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr int most_code = 127;

// Below this, quotients by the largest value could overflow: everything becomes code 0 and
// residual.
constexpr float least_size = 0x1p-100f;

// More than the relative error of a sum of 2^17 squares, each rounded, and of its root; doubles
// neither overflow nor underflow for squares of normal floats or for what is left when a code's
// value is taken away from them (a subnormal float's square is still 2^-298).
constexpr double norm_slack = 1.0 + 0x1p-30;

float rounded_up(double v) noexcept {
    const auto f = static_cast<float>(v);
    return static_cast<double>(f) < v ? std::nextafterf(f, std::numeric_limits<float>::infinity())
                                      : f;
}

/// What is left of `count` values after codes: norms of the values, of the rounded ones and of
/// their difference.
struct norms {
    double value = 0, rounded = 0, residual = 0;
};

// Codes of at most `most` in size; the scale that they are to be multiplied with, 0 when the values
// are too small for codes. `size` is the largest |value|, finite.
template <class Code>
float round_values(const float* values, std::int64_t count, float size, int most, Code* codes,
                   norms& out) noexcept {
    const bool tiny = !(size >= least_size);
    const float scale = tiny ? 0.0f : size / static_cast<float>(most);
    const float inverse = tiny ? 0.0f : static_cast<float>(most) / size;
    const auto limit = static_cast<float>(most);
    constexpr int lanes = 8;  // sums that need not wait for each other
    double value[lanes] = {}, rounded[lanes] = {}, residual[lanes] = {};
    const auto add = [&](std::int64_t i, int lane) {
        // Any integer would do, as the residual is measured; 1.5 * 2^23 rounds to the nearest.
        const float near = (values[i] * inverse + 0x1.8p23f) - 0x1.8p23f;
        const float code = std::clamp(near, -limit, limit);
        codes[i] = static_cast<Code>(static_cast<int>(code));
        const double v = values[i];
        const double r = static_cast<double>(scale) * static_cast<double>(code);  // exact
        value[lane] += v * v;
        rounded[lane] += r * r;
        residual[lane] += (v - r) * (v - r);
    };
    const std::int64_t whole = count / lanes * lanes;
    for (std::int64_t i = 0; i < whole; i += lanes)
        for (int lane = 0; lane < lanes; ++lane) add(i + lane, lane);
    for (std::int64_t i = whole; i < count; ++i) add(i, 0);
    for (int lane = 0; lane < lanes; ++lane) {
        out.value += value[lane];
        out.rounded += rounded[lane];
        out.residual += residual[lane];
    }
    out.value = std::sqrt(out.value) * norm_slack;
    out.rounded = std::sqrt(out.rounded) * norm_slack;
    out.residual = std::sqrt(out.residual) * norm_slack;
    return scale;
}

/// The largest |value|; NaN or infinite when a value is.
float largest(const float* values, std::int64_t count) noexcept {
    // Without their signs floats are in the order of their bits, and NaN is above infinity.
    std::uint32_t most = 0;
    for (std::int64_t i = 0; i < count; ++i) {
        std::uint32_t bits;
        std::memcpy(&bits, values + i, sizeof bits);
        most = std::max(most, bits & 0x7fffffffu);
    }
    return std::bit_cast<float>(most);
}

}  // namespace

void coarse_rows::round_row(std::int64_t row, const float* w) noexcept {
    auto* to = reinterpret_cast<std::int8_t*>(codes.data()) + row * columns;
    row_bound& bound = bounds[static_cast<std::size_t>(row)];
    const float size = largest(w, columns);
    if (!support::is_finite(size)) {
        std::fill_n(to, columns, std::int8_t{0});
        constexpr float unknown = std::numeric_limits<float>::infinity();
        bound = {0.0f, unknown, unknown};
        return;
    }
    norms n;
    bound.scale = round_values(w, columns, size, most_code, to, n);
    bound.norm = rounded_up(n.value);
    bound.residual = rounded_up(n.residual);
}

coarse_rows::coarse_rows(compute& cpu, const linear& exact) : factor(exact.scale) {
    const auto* dense = std::get_if<dense_matrix>(&exact.weights);
    if (dense == nullptr || dense->rows == 0 || dense->cols > most_columns ||
        exact.basis != nullptr || !support::is_finite(factor))
        return;
    codes = trilobit::aligned_buffer(static_cast<std::size_t>(dense->rows * dense->cols));
    if (codes.data() == nullptr)
        throw error("--head", "not enough memory for a copy of the head in int8");
    row_count = dense->rows;
    columns = dense->cols;
    bounds.resize(static_cast<std::size_t>(row_count));
    cpu.pool(0, row_count, 64, [&](std::int64_t begin, std::int64_t end) {
        thread_local std::vector<float> row;
        row.resize(static_cast<std::size_t>(columns));
        for (std::int64_t r = begin; r < end; ++r) {
            cpu.dense.decode(dense->type, dense->row(r), columns, row.data());
            round_row(r, row.data());
        }
    });
}

std::int64_t coarse_rows::bytes() const noexcept {
    return row_count * (columns + static_cast<std::int64_t>(sizeof(row_bound)));
}

bool coarse_rows::round_input(const float* x, coarse_input& out) const {
    const float size = largest(x, columns);
    if (!support::is_finite(size)) return false;
    // No sum of columns products can leave an int32, in whatever order it is made.
    const std::int64_t room = std::numeric_limits<std::int32_t>::max() / (most_code * columns);
    const auto most = static_cast<int>(std::min<std::int64_t>(room, 32767));
    static_assert(std::numeric_limits<std::int32_t>::max() / (most_code * most_columns) > 127);
    out.values.resize(static_cast<std::size_t>(columns));
    norms n;
    out.scale = round_values(x, columns, size, most, out.values.data(), n);
    out.norm = n.value;
    out.rounded_norm = n.rounded;
    out.residual = n.residual;
    return true;
}

void coarse_rows::score(const dense_kernels& run, const coarse_input& x, std::int64_t begin,
                        std::int64_t end, coarse_score* out) const noexcept {
    const auto* row = reinterpret_cast<const std::int8_t*>(codes.data()) + begin * columns;
    // multiply(): a product, its way down a lane, the tail, five levels of the tree, linear::scale;
    // and two more for the second-order terms, as roundings * 2^-24 < 2^-11.
    const auto roundings = static_cast<double>((columns + 31) / 32 + 10);
    const double unit = roundings * 0x1p-24;
    // Every product and the scaling may lose half the smallest subnormal.
    const double underflow = static_cast<double>(columns) * 0x1p-149;
    const double times = std::fabs(static_cast<double>(factor));
    const double both = static_cast<double>(x.scale) * static_cast<double>(factor);
    for (std::int64_t r = begin; r < end; ++r, row += columns) {
        const row_bound& b = bounds[static_cast<std::size_t>(r)];
        const std::int32_t sum = run.dot_int8(row, x.values.data(), columns);
        const double middle = static_cast<double>(b.scale) * both * static_cast<double>(sum);
        const double norm = b.norm, residual = b.residual;
        double slack = residual * x.rounded_norm + norm * (x.residual + unit * x.norm) + underflow;
        slack = slack * times + 0x1p-149;
        // The few roundings of this function itself.
        slack = slack * (1.0 + 0x1p-40) + std::fabs(middle) * 0x1p-40;
        const double upper = middle + slack;
        // No sum or product of multiply() may overflow. Both comparisons are false for NaN too.
        const bool known = norm * x.norm * std::max(times, 1.0) < 0x1p126 && upper < infinity;
        out[r] = {middle, known ? upper : infinity};
    }
}

}  // namespace tbx::model
