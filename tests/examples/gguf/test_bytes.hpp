// SPDX-License-Identifier: MIT
// Tests of room gguf. Enters: values one by one, sound or not. Leaves: the bytes of a GGUF file.
// Apart from the writer, which refuses to write what the reader has to be tested with.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

#include "gguf/types.hpp"

namespace tbx::testing {

class gguf_bytes {
    std::string out;

public:
    explicit gguf_bytes(std::uint64_t tensors, std::uint64_t entries, std::uint32_t version = 3) {
        out = "GGUF";
        number(version).number(tensors).number(entries);
    }
    template <class T>
    gguf_bytes& number(T value) {
        out.append(reinterpret_cast<const char*>(&value), sizeof value);
        return *this;
    }
    gguf_bytes& text(std::string_view value) {
        number<std::uint64_t>(value.size());
        out += value;
        return *this;
    }
    template <class T>
    gguf_bytes& entry(std::string_view key, gguf::value_type type, T value) {
        return text(key).number(static_cast<std::uint32_t>(type)).number(value);
    }
    gguf_bytes& entry(std::string_view key, std::string_view value) {
        text(key).number(static_cast<std::uint32_t>(gguf::value_type::string));
        return text(value);
    }
    gguf_bytes& array(std::string_view key, gguf::value_type element, std::uint64_t count) {
        text(key).number(static_cast<std::uint32_t>(gguf::value_type::array));
        return number(static_cast<std::uint32_t>(element)).number(count);
    }
    gguf_bytes& tensor(std::string_view name, std::initializer_list<std::uint64_t> extent,
                       std::uint32_t type, std::uint64_t offset) {
        text(name).number(static_cast<std::uint32_t>(extent.size()));
        for (const std::uint64_t e : extent) number(e);
        return number(type).number(offset);
    }
    gguf_bytes& pad(std::size_t alignment = 32) {
        out.resize((out.size() + alignment - 1) / alignment * alignment);
        return *this;
    }
    gguf_bytes& zeros(std::size_t count) {
        out.append(count, '\0');
        return *this;
    }
    [[nodiscard]] const std::string& string() const { return out; }
};

[[nodiscard]] inline std::span<const std::byte> bytes_of(std::string_view text) {
    return std::as_bytes(std::span(text));
}

}  // namespace tbx::testing
