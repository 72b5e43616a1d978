// SPDX-License-Identifier: MIT
// Room gguf. Enters: metadata, a list of tensors, then their bytes in that order. Leaves: a GGUF v3
// file without gaps, which appears under its name only when finish() has seen every byte.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gguf/types.hpp"
#include "support/atomic_file.hpp"

namespace tbx::gguf {

struct entry;

class writer {
    struct declared {
        std::string name;
        tensor_type type{};
        std::vector<std::int64_t> extent;
        std::uint64_t bytes = 0;
        std::uint64_t offset = 0;
    };

    support::atomic_file file;
    std::set<std::string, std::less<>> keys;
    std::set<std::string, std::less<>> names;
    std::string metadata;  // encoded entries
    std::vector<declared> tensors;
    std::size_t current = 0;       // tensor that append() fills
    std::uint64_t filled = 0;      // its bytes so far
    std::uint64_t data_bytes = 0;  // padded size of all declared tensors
    std::uint64_t alignment;
    bool streaming = false;

    void open_entry(std::string_view key, value_type type);
    void open_array(std::string_view key, value_type element, std::size_t count);
    void begin_data();
    [[nodiscard]] std::uint64_t padded(std::uint64_t bytes) const noexcept {
        return (bytes + alignment - 1) / alignment * alignment;
    }
    void pad_to_alignment();
    [[noreturn]] void fail(std::string_view what) const;

public:
    /// `aligned`: where tensors begin, a power of two from 32 on.
    explicit writer(std::string path, std::uint32_t aligned = 32);

    void set(std::string_view key, std::string_view value);
    void set(std::string_view key, const char* value) { set(key, std::string_view(value)); }
    void set(std::string_view key, bool value);
    void set(std::string_view key, std::uint32_t value);
    void set(std::string_view key, std::int32_t value);
    void set(std::string_view key, std::uint64_t value);
    void set(std::string_view key, std::int64_t value);
    void set(std::string_view key, float value);
    void set_array(std::string_view key, std::span<const std::string> values);
    void set_array(std::string_view key, std::span<const std::string_view> values);
    void set_array(std::string_view key, std::span<const float> values);
    void set_array(std::string_view key, std::span<const std::int32_t> values);
    void set_array(std::string_view key, std::span<const std::uint8_t> values);
    /// An entry of another file, byte for byte, whatever its type.
    void copy(const entry& from);

    /// Declares the next tensor; extent[0] is the fastest (columns). All of them before append().
    void add_tensor(std::string_view name, tensor_type type, std::span<const std::int64_t> extent);
    void add_tensor(std::string_view name, tensor_type type,
                    std::initializer_list<std::int64_t> extent) {
        add_tensor(name, type, std::span(extent.begin(), extent.size()));
    }
    /// Bytes of the current tensor, whole or in pieces; moves on to the next when it is full.
    /// One call never spans two tensors.
    void append(std::span<const std::byte> bytes);
    /// Of an F32 tensor.
    void append_floats(std::span<const float> values);
    /// Refuses when a tensor is incomplete, then makes the file appear.
    void finish();
};

}  // namespace tbx::gguf
