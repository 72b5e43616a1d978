// SPDX-License-Identifier: MIT
// Room integrations. Enters: nothing. Leaves: the list of the types that we take.
#include <cstring>

#include "formats/q1_0.hpp"
#include "formats/q2_0.hpp"
#include "formats/tq1_0.hpp"
#include "formats/tq2_0.hpp"
#include "integrations/ggml/weights.hpp"

namespace tbx::ggml {

namespace {

using gguf::tensor_type;
using trilobit::layout_id;

// BitNet's models are ternary and were trained with one scale of activations for each token; those
// of Q1_0 and Q2_0 were trained with none, and groups of 32 are what ggml's own kernel rounds.
constexpr weight_type types[] = {
    {tensor_type::tq1_0, &formats::tq1_0, "tq1_0", layout_id::ternary_base3, 0},
    {tensor_type::tq2_0, &formats::tq2_0, "tq2_0", layout_id::ternary_2bit, 0},
    {tensor_type::q1_0, &formats::q1_0, "q1_0", layout_id::binary_1bit, 32},
    {tensor_type::q2_0, &formats::q2_0, "q2_0", layout_id::quaternary_2bit, 32},
};

}  // namespace

const weight_type* find_weight_type(type id) noexcept {
    for (const weight_type& t : types)
        if (static_cast<int>(t.type) == static_cast<int>(id))
            return std::strcmp(the_host.type_name(id), t.name) == 0 ? &t : nullptr;
    return nullptr;
}

}  // namespace tbx::ggml
