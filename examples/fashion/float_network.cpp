// SPDX-License-Identifier: MIT
// Room fashion. Enters: a network and pictures. Leaves: see float_network.hpp.
#include "fashion/float_network.hpp"

#include <cblas.h>

#include <algorithm>

namespace tbx::fashion {

float_network::float_network(const network& n) {
    for (const layer& l : n.layers) stages.push_back({l, {l.signs.begin(), l.signs.end()}});
}

void float_network::classify(const float* values, std::span<std::uint8_t> to) {
    const int rows = static_cast<int>(to.size());
    for (const stage& s : stages) {
        const layer& l = s.of;
        sums.resize(to.size() * static_cast<std::size_t>(l.outputs));
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, rows, l.outputs, l.inputs, 1.0f,
                    values, l.inputs, s.weights.data(), l.inputs, 0.0f, sums.data(), l.outputs);
        if (&s == &stages.back()) break;
        hidden.resize(sums.size());
        for (int r = 0; r < rows; ++r) {
            const auto at = static_cast<std::ptrdiff_t>(r) * l.outputs;
            for (int o = 0; o < l.outputs; ++o)
                hidden[static_cast<std::size_t>(at + o)] =
                    l.normed(o, sums[static_cast<std::size_t>(at + o)]) >= 0 ? 1.0f : -1.0f;
        }
        values = hidden.data();
    }
    for (std::size_t i = 0; i < to.size(); ++i) {
        float best[classes];
        for (int k = 0; k < classes; ++k)
            best[k] = stages.back().of.normed(k, sums[i * classes + static_cast<std::size_t>(k)]);
        to[i] = static_cast<std::uint8_t>(std::max_element(best, best + classes) - best);
    }
}

}  // namespace tbx::fashion
