// SPDX-License-Identifier: MIT
// Room gguf. Enters: the type ids of GGUF files. Leaves: their names, block shapes and tensor
// sizes.
#include "gguf/types.hpp"

#include <array>
#include <limits>

namespace tbx::gguf {

namespace {

struct type_row {
    tensor_type type;
    const char* name;
    block_shape block;
};

using enum tensor_type;
// I2_S claims a block of one value in one byte in its own tools; 4 values to a byte, the size
// without the tail, is what the numbers here mean.
constexpr std::array<type_row, 23> table{{
    {f32, "F32", {1, 4}},        {f16, "F16", {1, 2}},        {bf16, "BF16", {1, 2}},
    {f64, "F64", {1, 8}},        {i8, "I8", {1, 1}},          {i16, "I16", {1, 2}},
    {i32, "I32", {1, 4}},        {i64, "I64", {1, 8}},        {q4_0, "Q4_0", {32, 18}},
    {q4_1, "Q4_1", {32, 20}},    {q5_0, "Q5_0", {32, 22}},    {q5_1, "Q5_1", {32, 24}},
    {q8_0, "Q8_0", {32, 34}},    {q2_k, "Q2_K", {256, 84}},   {q3_k, "Q3_K", {256, 110}},
    {q4_k, "Q4_K", {256, 144}},  {q5_k, "Q5_K", {256, 176}},  {q6_k, "Q6_K", {256, 210}},
    {tq1_0, "TQ1_0", {256, 54}}, {tq2_0, "TQ2_0", {256, 66}}, {i2_s, "I2_S", {128, 32}},
    {q1_0, "Q1_0", {128, 18}},   {q2_0, "Q2_0", {64, 18}},
}};

const type_row* find(tensor_type type) noexcept {
    for (const type_row& row : table) {
        if (row.type == type) return &row;
    }
    return nullptr;
}

}  // namespace

const char* name_of(value_type type) noexcept {
    constexpr std::array names{"u8",   "i8",     "u16",   "i16", "u32", "i32", "f32",
                               "bool", "string", "array", "u64", "i64", "f64"};
    const auto index = static_cast<std::size_t>(type);
    return index < names.size() ? names[index] : "unknown type";
}

std::size_t size_of(value_type type) noexcept {
    constexpr std::array<std::uint8_t, 13> sizes{1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};
    const auto index = static_cast<std::size_t>(type);
    return index < sizes.size() ? sizes[index] : 0;
}

std::optional<block_shape> block_of(tensor_type type) noexcept {
    const type_row* row = find(type);
    if (row == nullptr) return std::nullopt;
    return row->block;
}

std::string name_of(tensor_type type) {
    const type_row* row = find(type);
    if (row != nullptr) return row->name;
    return "type " + std::to_string(static_cast<std::uint32_t>(type));
}

std::optional<std::int64_t> tensor_bytes(tensor_type type, std::int64_t columns,
                                         std::int64_t rows) noexcept {
    const auto block = block_of(type);
    if (!block || columns < 0 || rows < 0 || columns % block->values != 0) return std::nullopt;
    constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max() - i2_s_tail_bytes;
    const std::int64_t blocks = columns / block->values;
    if (blocks > most / block->bytes) return std::nullopt;
    const std::int64_t row_bytes = blocks * block->bytes;
    if (row_bytes != 0 && rows > most / row_bytes) return std::nullopt;
    return row_bytes * rows + (type == tensor_type::i2_s ? i2_s_tail_bytes : 0);
}

}  // namespace tbx::gguf
