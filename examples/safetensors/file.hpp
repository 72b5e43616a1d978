// SPDX-License-Identifier: MIT
// Room safetensors. Enters: a file of anybody's, mapped. Leaves: its tensors by name, every one of
// them inside and all of them tiling the bytes behind the header without a hole, as the format's
// own reader demands; else tbx::error. What is allocated is bounded by the header's bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "support/mapped_file.hpp"

namespace tbx::safetensors {

enum class dtype : std::uint8_t {
    boolean,
    u8,
    i8,
    f8_e4m3,
    f8_e5m2,
    u16,
    i16,
    f16,
    bf16,
    u32,
    i32,
    f32,
    u64,
    i64,
    f64
};

[[nodiscard]] std::optional<dtype> dtype_of(std::string_view name) noexcept;  // "BF16"
[[nodiscard]] std::string_view name_of(dtype type) noexcept;
[[nodiscard]] std::uint64_t bytes_of(dtype type) noexcept;  // of one value

struct tensor {
    std::string name;
    dtype type{};
    std::vector<std::int64_t> shape;  // outermost first: (rows, columns); none: one value
    std::span<const std::byte> data;  // exactly its bytes, at any alignment

    /// All extents but the last, multiplied; of a vector or a value 1.
    [[nodiscard]] std::int64_t rows() const noexcept;
    [[nodiscard]] std::int64_t columns() const noexcept;
};

/// Value `index` of a floating-point type as a float; only of f64 is it rounded.
[[nodiscard]] float value_at(const tensor& t, std::int64_t index) noexcept;
[[nodiscard]] constexpr bool is_float(dtype type) noexcept {
    return type == dtype::f16 || type == dtype::bf16 || type == dtype::f32 || type == dtype::f64;
}

class file {
    support::mapped_file mapped;
    std::string source;
    std::vector<tensor> all;  // sorted by name

    void parse(std::span<const std::byte> bytes);
    [[noreturn]] void fail(std::string_view what) const;

public:
    explicit file(std::string path);
    /// The caller's bytes, which outlive this; `name` is for messages.
    file(std::string name, std::span<const std::byte> bytes);

    [[nodiscard]] const std::string& name() const noexcept { return source; }
    [[nodiscard]] std::span<const tensor> tensors() const noexcept { return all; }
    /// Null when absent.
    [[nodiscard]] const tensor* find(std::string_view name) const noexcept;
    /// Throws tbx::error if the file has become shorter since it was mapped.
    void require_whole() const { mapped.require_whole(); }
    /// These bytes, which are the file's, will not be needed soon.
    void forget(std::span<const std::byte> bytes) const noexcept { mapped.forget(bytes); }
};

}  // namespace tbx::safetensors
