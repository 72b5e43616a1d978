// SPDX-License-Identifier: MIT
// Room fashion: the network as integers. A neuron's float expression is one comparison of its sum
// with a whole number; what is left are counts of equal bits.
// Enters: a trained network, pictures. Leaves: their classes, those of the float network exactly.
#pragma once

#include <trilobit/dispatch/dispatch.hpp>
#include <trilobit/trilobit.hpp>

#include <cstdint>
#include <span>
#include <vector>

#include "fashion/network.hpp"

namespace tbx::fashion {

// A hidden neuron is +1 where its sum, or that of the opposite weights, is `least` or more.
struct threshold {
    std::int32_t least = 0;
    bool opposite = false;
};

// `largest` bounds the size of every sum.
[[nodiscard]] threshold fold(const layer& l, int output, std::int32_t largest);

class integer_network {
public:
    // Throws tbx::error where the library cannot pack or run it.
    integer_network(const network& n, const trilobit::kernel_table& kernels);

    // values (pictures, inputs) as centred() makes them; `to` has an element for each picture.
    void classify(trilobit::matrix_view<const std::int8_t> values, std::span<std::uint8_t> to);

    // Of the last classify(): the sums of the last layer (pictures, classes), before its floats.
    [[nodiscard]] std::span<const std::int32_t> last_sums() const { return sums; }

private:
    struct stage {
        trilobit::packed_matrix<trilobit::layout::binary_1bit> weights;
        std::vector<std::int32_t> least;  // empty for the last
    };
    void multiply(const stage& s, bool first, trilobit::matrix_view<const std::int8_t> values,
                  const trilobit::sink& out);

    trilobit::context first_layer, others;
    std::vector<stage> stages;
    layer last;
    std::vector<std::int8_t> hidden, next;  // (pictures, outputs), ±1
    std::vector<std::int32_t> sums;
    std::vector<float> ones;  // (pictures): nothing is scaled
};

}  // namespace tbx::fashion
