// SPDX-License-Identifier: MIT
// Room gguf. Enters: types of tensors. Leaves: their names, their numbers in files, and the format
// and size of a tensor. Forks gave several numbers two meanings and more: here each meaning has an
// enumerator of its own, and meanings.hpp finds it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "formats/dense.hpp"
#include "formats/format.hpp"

namespace tbx::gguf {

/// Of a tensor: ggml keeps names in 64 bytes with their NUL, and no file of any fork has longer
/// ones.
inline constexpr std::size_t longest_name = 63;

enum class value_type : std::uint32_t {
    u8 = 0,
    i8 = 1,
    u16 = 2,
    i16 = 3,
    u32 = 4,
    i32 = 5,
    f32 = 6,
    boolean = 7,
    string = 8,
    array = 9,
    u64 = 10,
    i64 = 11,
    f64 = 12,
};
[[nodiscard]] const char* name_of(value_type type) noexcept;
/// Bytes of one value in the file; 0 for strings and arrays, whose size varies.
[[nodiscard]] std::size_t size_of(value_type type) noexcept;

inline constexpr std::uint32_t largest_id = 0xffff;

/// Up to largest_id: also the number in a file. The others have the number of another type there.
enum class tensor_type : std::uint32_t {
    f32 = 0,
    f16 = 1,
    q4_0 = 2,
    q4_1 = 3,
    q5_0 = 6,
    q5_1 = 7,
    q8_0 = 8,
    q2_k = 10,
    q3_k = 11,
    q4_k = 12,
    q5_k = 13,
    q6_k = 14,
    iq4_nl = 20,
    i8 = 24,
    i16 = 25,
    i32 = 26,
    i64 = 27,
    f64 = 28,
    bf16 = 30,
    tq1_0 = 34,
    tq2_0 = 35,
    i2_s = 36,
    tl1 = 38,
    mxfp4 = 39,
    nvfp4 = 40,
    q1_0 = 41,
    q2_0 = 42,
    iq1_bn = 134,
    iq2_bn = 135,
    pq2_0 = 142,
    ptq1_0 = 143,
    iq2_bn_r4 = 335,

    tl2 = 0x10000,  // 39 of bitnet.cpp until mid-2026, 42 since
    i2_s_arm,       // 36 of bitnet.cpp's builds for ARM since November 2025
    i2_s_1x4,       // 36 of its builds for x86 without ACT_PARALLEL
    stq1_0,         // 43 and, in older files, 42 of Tencent's Sherry
    t5b,            // 43 of a patch of bitnet.cpp
};

/// "TQ2_0"; "type 144" for a number that is no type.
[[nodiscard]] std::string name_of(tensor_type type);
/// The type of that name, in capitals; empty for none.
[[nodiscard]] std::optional<tensor_type> type_of_name(std::string_view name) noexcept;
/// Those that have a format: of few levels, then of ordinary numbers.
[[nodiscard]] std::vector<tensor_type> readable_types();
/// What stands for the type in a file.
[[nodiscard]] std::uint32_t file_id(tensor_type type) noexcept;

/// The format of a type of few levels; null for others.
[[nodiscard]] const formats::format* few_levels(tensor_type type) noexcept;
/// The format of a type of ordinary numbers that can be read; null for others.
[[nodiscard]] const formats::dense_format* numbers(tensor_type type) noexcept;

/// Bytes of `rows` rows of `columns` values, with what lies behind them. Empty where the type has
/// no such shape or is none, a count is negative or the size overflows.
[[nodiscard]] std::optional<std::int64_t> tensor_bytes(tensor_type type, std::int64_t columns,
                                                       std::int64_t rows,
                                                       const formats::lut_tile& tile = {}) noexcept;

}  // namespace tbx::gguf
