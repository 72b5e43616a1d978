// SPDX-License-Identifier: MIT
// Room integrations. Enters: a block of the host's, or values. Leaves: the other one; and the list
// of the types that we take. Layouts of bits are told in examples/gguf/ternary_codes.hpp.
#include <cstring>

#include "gguf/ternary_codes.hpp"
#include "integrations/ggml/weights.hpp"

namespace tbx::ggml {

namespace {

// Codes are values + 1.
template <void (*Codes)(const std::byte*, std::uint8_t*)>
void ternary_values(const std::byte* block, std::int8_t* values) {
    std::uint8_t codes[256];
    Codes(block, codes);
    for (int i = 0; i < 256; ++i) values[i] = static_cast<std::int8_t>(codes[i] - 1);
}

template <void (*Pack)(const std::uint8_t*, std::byte*)>
void ternary_block(const std::int8_t* values, std::byte* block) {
    std::uint8_t codes[256];
    for (int i = 0; i < 256; ++i) codes[i] = static_cast<std::uint8_t>(values[i] + 1);
    Pack(codes, block);
}

// Q1_0: the scale, then the bits of 128 weights, the lowest first; 1 is plus.
void q1_0_values(const std::byte* block, std::int8_t* values) {
    for (int i = 0; i < 128; ++i)
        values[i] = (gguf::bits_of(block[2 + i / 8]) >> (i % 8) & 1u) != 0 ? 1 : -1;
}

void q1_0_block(const std::int8_t* values, std::byte* block) {
    std::memset(block + 2, 0, 16);
    for (int i = 0; i < 128; ++i)
        block[2 + i / 8] |= static_cast<std::byte>((values[i] > 0 ? 1u : 0u) << (i % 8));
}

using trilobit::layout_id;

// BitNet's models are ternary and were trained with one scale of activations for each token; those
// of Q1_0 were trained with none, and groups of 32 are what ggml's own kernel rounds.
constexpr weight_type types[] = {
    {type::tq1_0, "tq1_0", layout_id::ternary_base3, 256, 54, gguf::tq1_0_scale_offset, 0,
     ternary_values<gguf::tq1_0_codes>, ternary_block<gguf::tq1_0_pack>},
    {type::tq2_0, "tq2_0", layout_id::ternary_2bit, 256, 66, gguf::tq2_0_scale_offset, 0,
     ternary_values<gguf::tq2_0_codes>, ternary_block<gguf::tq2_0_pack>},
    {type::q1_0, "q1_0", layout_id::binary_1bit, 128, 18, 0, 32, q1_0_values, q1_0_block},
    // Q2_0 has four levels: its line comes with the layout quaternary_2bit.
};

}  // namespace

const weight_type* find_weight_type(type id) noexcept {
    for (const weight_type& t : types)
        if (t.id == id) return std::strcmp(the_host.type_name(id), t.name) == 0 ? &t : nullptr;
    return nullptr;
}

}  // namespace tbx::ggml
