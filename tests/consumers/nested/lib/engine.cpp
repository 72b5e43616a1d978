// SPDX-License-Identifier: MIT
// A consumer's library, whose interface names trilobit's types.
#include <trilobit/pack/pack.hpp>

trilobit::any_packed_matrix packed_by_engine(trilobit::matrix_view<const float> weights) {
    return trilobit::pack<trilobit::layout::ternary_2bit>(weights);
}
