// SPDX-License-Identifier: MIT
// Room gguf. Enters: any bytes that claim to be GGUF v2 or v3. Leaves: typed metadata and tensor
// views into those bytes, every one of them checked to lie inside, or a tbx::error.
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "formats/bytes.hpp"
#include "gguf/meanings.hpp"
#include "support/error.hpp"
#include "support/mapped_file.hpp"

namespace tbx::gguf {

/// One metadata entry as it lies in the file.
struct entry {
    std::string_view key;
    value_type type{};
    value_type element{};              // of an array
    std::uint64_t count = 1;           // elements of an array
    std::span<const std::byte> bytes;  // payload: of a string its text, of an array its elements
};

struct tensor {
    std::string_view name;
    tensor_type type{};
    int dimensions = 0;
    std::array<std::int64_t, 4> extent{1, 1, 1, 1};  // extent[0] is the fastest: columns of a row
    std::span<const std::byte> data;                 // exactly the tensor's bytes
    formats::lut_tile tile = {};                     // of TL1 and TL2, if the reader was told

    [[nodiscard]] std::int64_t columns() const noexcept { return extent[0]; }
    [[nodiscard]] std::int64_t rows() const noexcept { return extent[1] * extent[2] * extent[3]; }
    [[nodiscard]] formats::shape shape() const noexcept { return {rows(), columns(), 0, tile}; }
};

/// Elements of a numeric array, read in place; the file does not align them.
template <class T>
class array_view {
    const std::byte* first = nullptr;
    std::size_t count = 0;

public:
    array_view() = default;
    array_view(const std::byte* data, std::size_t elements) : first(data), count(elements) {}

    [[nodiscard]] std::size_t size() const noexcept { return count; }
    [[nodiscard]] bool empty() const noexcept { return count == 0; }
    [[nodiscard]] T operator[](std::size_t index) const noexcept {
        return formats::load_as<T>(first + index * sizeof(T));
    }
};

class reader {
    std::vector<support::mapped_file> files;  // one for each part; none: bytes are the caller's
    std::string source;                       // for messages: the first part
    std::uint32_t format_version = 0;
    std::uint64_t data_alignment = 32;
    std::vector<entry> all_entries;
    std::vector<tensor> all_tensors;
    std::vector<std::uint32_t> entries_by_key;   // indices, sorted
    std::vector<std::uint32_t> tensors_by_name;  // indices, sorted

    struct alone {};
    reader(std::string path, std::span<const read_as> told, alone);  // a part, whatever it says
    void parse(std::span<const std::byte> bytes, std::span<const read_as> told);
    void find_meanings(std::span<const std::uint64_t> offsets, std::uint64_t room,
                       std::span<const read_as> told);
    void index_entries();
    void index_tensors();
    void require_part(int number, int count, const reader& first) const;
    void add_part(reader&& part);
    void forget_parts();
    void check_overlap() const;
    [[nodiscard]] const entry& require(std::string_view key) const;
    [[nodiscard]] std::int64_t signed_integer(const entry&, std::int64_t low,
                                              std::int64_t high) const;
    [[nodiscard]] std::uint64_t unsigned_integer(const entry&, std::uint64_t high) const;
    [[nodiscard]] double real(const entry&) const;
    [[nodiscard]] bool flag(const entry&) const;
    [[nodiscard]] std::string_view text(const entry&) const;
    [[nodiscard]] entry uniform(const entry&, std::int64_t layers) const;
    [[nodiscard]] const entry& array_entry(std::string_view key, value_type element) const;
    [[noreturn]] void wrong_type(const entry&, std::string_view wanted) const;

    template <class T>
    [[nodiscard]] T convert(const entry& e) const;

public:
    /// Maps the file. Throws tbx::error for anything that is not a sound GGUF file. Any part of a
    /// model in parts ("name-00001-of-00003.gguf") brings all of them from its folder; nothing then
    /// read shows that there were parts.
    /// `told`: what numbers of types mean, where the file cannot say.
    explicit reader(std::string path, std::span<const read_as> told = {});
    /// Reads the caller's bytes, a whole model, which must outlive the reader; `name` is for
    /// messages.
    reader(std::string name, std::span<const std::byte> bytes, std::span<const read_as> told = {});

    [[nodiscard]] const std::string& name() const noexcept { return source; }
    [[nodiscard]] std::uint32_t version() const noexcept { return format_version; }
    /// The files, in order.
    [[nodiscard]] std::span<const support::mapped_file> parts() const noexcept { return files; }
    /// Throws tbx::error if a file has become shorter since it was mapped.
    void require_whole() const;
    /// The tensor will not be read soon: its memory may go.
    void forget(const tensor& t) const noexcept;
    [[nodiscard]] std::span<const entry> entries() const noexcept { return all_entries; }
    [[nodiscard]] std::span<const tensor> tensors() const noexcept { return all_tensors; }

    /// Null when absent.
    [[nodiscard]] const entry* find(std::string_view key) const noexcept;
    [[nodiscard]] const tensor* find_tensor(std::string_view name) const noexcept;
    [[nodiscard]] bool has(std::string_view key) const noexcept { return find(key) != nullptr; }
    /// Throws when absent.
    [[nodiscard]] const tensor& require_tensor(std::string_view name) const;

    /// T: bool, any integer type, float, double, std::string_view or std::string. An integer of any
    /// width is taken if its value fits, a float of either width likewise, and an integer for a
    /// float; everything else throws and names the key, the wanted and the found type.
    template <class T>
    [[nodiscard]] T get(std::string_view key) const {
        return convert<T>(require(key));
    }
    /// `fallback` only when the key is absent: a wrong type still throws.
    template <class T>
    [[nodiscard]] T get_or(std::string_view key, T fallback) const {
        const entry* e = find(key);
        return e == nullptr ? fallback : convert<T>(*e);
    }

    /// The same of an entry that is at hand.
    template <class T>
    [[nodiscard]] T value(const entry& e) const {
        return convert<T>(e);
    }
    /// get() of a number that some files give for each of `layers` layers: an array of that many
    /// equal numbers is read as the number.
    template <class T>
    [[nodiscard]] T get_uniform(std::string_view key, std::int64_t layers) const {
        return convert<T>(uniform(require(key), layers));
    }

    /// Arrays, without copying. T must be exactly the stored element type (float, std::int32_t,
    /// ...).
    template <class T>
    [[nodiscard]] array_view<T> array(std::string_view key) const;
    /// Array of strings: the views point into the file.
    [[nodiscard]] std::vector<std::string_view> strings(std::string_view key) const;

    /// Throws tbx::error "<file>: <what>".
    [[noreturn]] void fail(std::string_view what) const { throw error(source, what); }
};

/// Element `index` of an array of numbers, as if it were an entry of its own.
[[nodiscard]] entry element_of(const entry& array, std::uint64_t index) noexcept;

/// The value of an entry as text for people; arrays are shortened.
[[nodiscard]] std::string describe(const entry& e, std::size_t longest = 60);

template <class T>
T reader::convert(const entry& e) const {
    if constexpr (std::same_as<T, bool>)
        return flag(e);
    else if constexpr (std::signed_integral<T>) {
        return static_cast<T>(
            signed_integer(e, std::numeric_limits<T>::min(), std::numeric_limits<T>::max()));
    } else if constexpr (std::unsigned_integral<T>) {
        return static_cast<T>(unsigned_integer(e, std::numeric_limits<T>::max()));
    } else if constexpr (std::floating_point<T>)
        return static_cast<T>(real(e));
    else
        return T(text(e));
}

template <class T>
array_view<T> reader::array(std::string_view key) const {
    constexpr value_type element = [] {
        if constexpr (std::same_as<T, float>)
            return value_type::f32;
        else if constexpr (std::same_as<T, double>)
            return value_type::f64;
        else if constexpr (std::same_as<T, std::int8_t>)
            return value_type::i8;
        else if constexpr (std::same_as<T, std::uint8_t>)
            return value_type::u8;
        else if constexpr (std::same_as<T, std::int16_t>)
            return value_type::i16;
        else if constexpr (std::same_as<T, std::uint16_t>)
            return value_type::u16;
        else if constexpr (std::same_as<T, std::int32_t>)
            return value_type::i32;
        else if constexpr (std::same_as<T, std::uint32_t>)
            return value_type::u32;
        else if constexpr (std::same_as<T, std::int64_t>)
            return value_type::i64;
        else {
            static_assert(std::same_as<T, std::uint64_t>, "not a number that GGUF stores");
            return value_type::u64;
        }
    }();
    const entry& e = array_entry(key, element);
    return {e.bytes.data(), static_cast<std::size_t>(e.count)};
}

}  // namespace tbx::gguf
