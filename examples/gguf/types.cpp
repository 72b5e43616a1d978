// SPDX-License-Identifier: MIT
// Room gguf. Enters: types of tensors. Leaves: their names, numbers, formats and sizes.
#include "gguf/types.hpp"

#include <array>

#include "formats/all.hpp"
#include "formats/all_dense.hpp"

namespace tbx::gguf {

namespace {

struct type_row {
    tensor_type type;
    const char* name;
    // One of these; or `bytes` for `values` consecutive values of a row, which nobody here reads.
    const formats::format* levels = nullptr;
    const formats::dense_format* numbers = nullptr;
    std::int64_t values = 1, bytes = 0;
    std::uint32_t id = static_cast<std::uint32_t>(type);
};

constexpr type_row of(tensor_type type, const formats::format& f) noexcept {
    return {.type = type, .name = f.name.data(), .levels = &f};
}
constexpr type_row of(tensor_type type, const formats::format& f, std::uint32_t id) noexcept {
    return {.type = type, .name = f.name.data(), .levels = &f, .id = id};
}
constexpr type_row of(tensor_type type, const formats::dense_format& f) noexcept {
    return {.type = type, .name = f.name.data(), .numbers = &f};
}
constexpr type_row of(tensor_type type, const char* name, std::int64_t values,
                      std::int64_t bytes) noexcept {
    return {.type = type, .name = name, .values = values, .bytes = bytes};
}

using enum tensor_type;
constexpr type_row table[] = {
    of(tq1_0, formats::tq1_0),
    of(tq2_0, formats::tq2_0),
    of(q1_0, formats::q1_0),
    of(q2_0, formats::q2_0),
    of(pq2_0, formats::pq2_0),
    of(ptq1_0, formats::ptq1_0),
    of(stq1_0, formats::stq1_0, 43),
    of(i2_s, formats::i2_s),
    of(i2_s_arm, formats::i2_s_arm, 36),
    of(i2_s_1x4, formats::i2_s_1x4, 36),
    of(tl1, formats::tl1),
    of(tl2, formats::tl2, 39),
    of(iq1_bn, formats::iq1_bn),
    of(iq2_bn, formats::iq2_bn),
    of(iq2_bn_r4, formats::iq2_bn_r4),
    of(f32, formats::f32),
    of(f16, formats::f16),
    of(bf16, formats::bf16),
    of(q8_0, formats::q8_0),
    of(q4_0, formats::q4_0),
    of(iq4_nl, formats::iq4_nl),
    of(q4_k, formats::q4_k),
    of(q5_k, formats::q5_k),
    of(q6_k, formats::q6_k),
    of(f64, "F64", 1, 8),
    of(i8, "I8", 1, 1),
    of(i16, "I16", 1, 2),
    of(i32, "I32", 1, 4),
    of(i64, "I64", 1, 8),
    of(q4_1, "Q4_1", 32, 20),
    of(q5_0, "Q5_0", 32, 22),
    of(q5_1, "Q5_1", 32, 24),
    of(q2_k, "Q2_K", 256, 84),
    of(q3_k, "Q3_K", 256, 110),
    of(mxfp4, "MXFP4", 32, 17),
    of(nvfp4, "NVFP4", 64, 36),
    of(t5b, "T5B", 160, 32),
};

const type_row* find(tensor_type type) noexcept {
    for (const type_row& row : table)
        if (row.type == type) return &row;
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

std::string name_of(tensor_type type) {
    const type_row* row = find(type);
    if (row != nullptr) return row->name;
    return "type " + std::to_string(static_cast<std::uint32_t>(type));
}

std::optional<tensor_type> type_of_name(std::string_view name) noexcept {
    for (const type_row& row : table)
        if (row.name == name) return row.type;
    return std::nullopt;
}

std::vector<tensor_type> readable_types() {
    std::vector<tensor_type> types;
    for (const type_row& row : table)
        if (row.levels != nullptr || row.numbers != nullptr) types.push_back(row.type);
    return types;
}

std::uint32_t file_id(tensor_type type) noexcept {
    const type_row* row = find(type);
    return row != nullptr ? row->id : static_cast<std::uint32_t>(type);
}

const formats::format* few_levels(tensor_type type) noexcept {
    const type_row* row = find(type);
    return row != nullptr ? row->levels : nullptr;
}

const formats::dense_format* numbers(tensor_type type) noexcept {
    const type_row* row = find(type);
    return row != nullptr ? row->numbers : nullptr;
}

std::optional<std::int64_t> tensor_bytes(tensor_type type, std::int64_t columns, std::int64_t rows,
                                         const formats::lut_tile& tile) noexcept {
    const type_row* row = find(type);
    if (row == nullptr) return std::nullopt;
    if (row->levels != nullptr) return row->levels->bytes({rows, columns, 0, tile});
    if (row->numbers != nullptr)
        return formats::whole_blocks(rows, columns, row->numbers->cols, row->numbers->bytes);
    // Rows of T5B are rounded up to whole blocks, and a scale lies in 32 bytes behind them all.
    if (type == t5b && columns >= 0 && columns <= std::int64_t{1} << 62)
        return formats::whole_blocks(rows, trilobit::round_up(columns, row->values), row->values,
                                     row->bytes, 0, 32);
    return formats::whole_blocks(rows, columns, row->values, row->bytes);
}

}  // namespace tbx::gguf
