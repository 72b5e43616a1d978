// SPDX-License-Identifier: MIT
// Room fashion: one layer while it is trained, both ways. Weights and signs pass gradients straight
// through, within -1..1 (Hubara et al., 2016).
// Enters: a batch of inputs, or gradients of its outputs. Leaves: outputs, or gradients of inputs.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

#include "fashion/network.hpp"
#include "train/gemm.hpp"
#include "train/portable_math.hpp"

namespace tbx::fashion {

// Adam (0.9, 0.999) on an array.
class adam {
    std::vector<float> first, second;

public:
    explicit adam(std::size_t n) : first(n, 0.0f), second(n, 0.0f) {}

    // `move` and `tiny` have the corrections of the first steps in them.
    void step(std::span<float> p, const std::vector<float>& g, float move, float tiny) {
        for (std::size_t i = 0; i < p.size(); ++i) {
            first[i] = 0.9f * first[i] + 0.1f * g[i];
            second[i] = 0.999f * second[i] + 0.001f * g[i] * g[i];
            p[i] -= move * first[i] / (std::sqrt(second[i]) + tiny);
        }
    }
};

class trainable_layer {
    using floats = std::vector<float>;
    int in, out;
    floats weights, signs;  // (out, in)
    floats slope, offset;   // (out), batch norm's factor and term
    floats mean, spread;    // (out), of the batch; spread = 1 / deviation
    floats unit, dsum;      // (batch, out)
    floats dweights, dslope, doffset;
    adam weights_adam, slope_adam, offset_adam;

    static std::size_t size(int a, int b) {
        return static_cast<std::size_t>(a) * static_cast<std::size_t>(b);
    }

public:
    floats z;  // (batch, out): normed sums

    trainable_layer(int inputs, int outputs, train::normal_deviates& normal)
        : in{inputs},
          out{outputs},
          weights(size(inputs, outputs)),
          signs(weights.size()),
          slope(size(outputs, 1), 1.0f),
          offset(size(outputs, 1), 0.0f),
          mean(offset.size()),
          spread(offset.size()),
          dweights(weights.size()),
          dslope(offset.size()),
          doffset(offset.size()),
          weights_adam(weights.size()),
          slope_adam(offset.size()),
          offset_adam(offset.size()) {
        for (float& w : weights) w = 0.1f * static_cast<float>(normal());
    }

    void forward(const float* x, int rows) {
        for (std::size_t i = 0; i < signs.size(); ++i) signs[i] = weights[i] >= 0 ? 1.0f : -1.0f;
        unit.resize(size(rows, out));
        train::multiply({false, true, rows, out, in, in, in, out, false}, x, signs.data(),
                        unit.data());
        measure(rows);
        z.resize(unit.size());
        each(rows, [&](std::size_t at, std::size_t o) {
            unit[at] = (unit[at] - mean[o]) * spread[o];
            z[at] = unit[at] * slope[o] + offset[o];
        });
    }

    // dz (rows, out), whose place dx may not take; no dx, no gradient of the inputs.
    void backward(const float* x, const floats& dz, int rows, floats* dx) {
        std::fill(dslope.begin(), dslope.end(), 0.0f);
        std::fill(doffset.begin(), doffset.end(), 0.0f);
        each(rows, [&](std::size_t at, std::size_t o) {
            dslope[o] += dz[at] * unit[at];
            doffset[o] += dz[at];
        });
        dsum.resize(unit.size());
        const float share = 1.0f / static_cast<float>(rows);
        each(rows, [&](std::size_t at, std::size_t o) {
            dsum[at] =
                slope[o] * spread[o] * (dz[at] - share * (doffset[o] + unit[at] * dslope[o]));
        });
        train::multiply({true, false, out, in, rows, out, in, in, false}, dsum.data(), x,
                        dweights.data());
        if (dx == nullptr) return;
        dx->resize(size(rows, in));
        train::multiply({false, false, rows, in, out, out, in, in, false}, dsum.data(),
                        signs.data(), dx->data());
    }

    void step(float move, float tiny) {
        weights_adam.step(weights, dweights, move, tiny);
        for (float& w : weights) w = std::clamp(w, -1.0f, 1.0f);
        slope_adam.step(slope, dslope, move, tiny);
        offset_adam.step(offset, doffset, move, tiny);
    }

    // With the means and deviations of the last forward().
    [[nodiscard]] layer finished() const {
        layer l;
        l.resize(in, out);
        for (std::size_t i = 0; i < weights.size(); ++i) l.signs[i] = weights[i] >= 0 ? 1 : -1;
        l.mean = mean;
        for (std::size_t o = 0; o < l.slope.size(); ++o) l.slope[o] = slope[o] * spread[o];
        l.offset = offset;
        return l;
    }

private:
    // Rows in order, so that each column's sums have one order.
    template <class F>
    void each(int rows, F f) const {
        std::size_t at = 0;
        for (int r = 0; r < rows; ++r)
            for (std::size_t o = 0; o < static_cast<std::size_t>(out); ++o, ++at) f(at, o);
    }

    // Of sums below 2^24 times as many rows: in double nothing is lost.
    void measure(int rows) {
        std::vector<double> sum(mean.size(), 0.0), square(mean.size(), 0.0);
        each(rows, [&](std::size_t at, std::size_t o) { sum[o] += double{unit[at]}; });
        for (double& s : sum) s /= rows;
        each(rows, [&](std::size_t at, std::size_t o) {
            const double d = double{unit[at]} - sum[o];
            square[o] += d * d;
        });
        for (std::size_t o = 0; o < sum.size(); ++o) {
            mean[o] = static_cast<float>(sum[o]);
            spread[o] = static_cast<float>(1.0 / std::sqrt(square[o] / rows + 1e-3));
        }
    }
};

}  // namespace tbx::fashion
