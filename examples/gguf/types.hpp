// SPDX-License-Identifier: MIT
// Room gguf. Enters: the type ids of GGUF files. Leaves: their names, block shapes and tensor
// sizes. Forks gave several ids two meanings; here each means what mainline or, for I2_S, BitNet
// wrote.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

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
    i8 = 24,
    i16 = 25,
    i32 = 26,
    i64 = 27,
    f64 = 28,
    bf16 = 30,
    tq1_0 = 34,
    tq2_0 = 35,
    i2_s = 36,
    q1_0 = 41,
    q2_0 = 42,
};

/// `values` consecutive values of a row are stored in `bytes` bytes.
struct block_shape {
    std::int64_t values = 1;
    std::int64_t bytes = 0;
};

/// Empty for an id that is not in the enumeration.
[[nodiscard]] std::optional<block_shape> block_of(tensor_type type) noexcept;
/// "TQ2_0"; "type 143" for an id that is not in the enumeration.
[[nodiscard]] std::string name_of(tensor_type type);
/// Bytes of `rows` rows of `columns` values, the 32-byte tail of I2_S included. Empty when a row is
/// not a whole number of blocks, the type is unknown, a count is negative or the size overflows.
[[nodiscard]] std::optional<std::int64_t> tensor_bytes(tensor_type type, std::int64_t columns,
                                                       std::int64_t rows) noexcept;

/// I2_S: codes of the whole tensor, then one f32 scale, then 28 bytes without meaning.
inline constexpr std::int64_t i2_s_tail_bytes = 32;

}  // namespace tbx::gguf
