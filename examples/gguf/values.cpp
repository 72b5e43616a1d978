// SPDX-License-Identifier: MIT
// Room gguf. Enters: metadata entries of any stored type. Leaves: the type that the caller asked
// for if the value fits it, an error that names both types otherwise.
#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

#include "formats/bytes.hpp"
#include "gguf/reader.hpp"

namespace tbx::gguf {

namespace {

template <class T>
T load(const entry& e, std::size_t index = 0) noexcept {
    return formats::load_as<T>(e.bytes.data() + index * sizeof(T));
}

// Calls visit(value) with the stored integer; false when the entry holds none.
template <class Visit>
bool visit_integer(const entry& e, Visit visit) {
    switch (e.type) {
        case value_type::u8:
            visit(load<std::uint8_t>(e));
            return true;
        case value_type::i8:
            visit(load<std::int8_t>(e));
            return true;
        case value_type::u16:
            visit(load<std::uint16_t>(e));
            return true;
        case value_type::i16:
            visit(load<std::int16_t>(e));
            return true;
        case value_type::u32:
            visit(load<std::uint32_t>(e));
            return true;
        case value_type::i32:
            visit(load<std::int32_t>(e));
            return true;
        case value_type::u64:
            visit(load<std::uint64_t>(e));
            return true;
        case value_type::i64:
            visit(load<std::int64_t>(e));
            return true;
        default:
            return false;
    }
}

std::string type_text(const entry& e) {
    if (e.type != value_type::array) return name_of(e.type);
    return std::string("array of ") + name_of(e.element);
}

std::string scalar_text(const entry& e) {
    std::string text;
    if (visit_integer(e, [&](auto value) { text = std::to_string(value); })) return text;
    std::array<char, 32> number{};
    switch (e.type) {
        case value_type::f32:
            std::snprintf(number.data(), number.size(), "%.9g",
                          static_cast<double>(load<float>(e)));
            return number.data();
        case value_type::f64:
            std::snprintf(number.data(), number.size(), "%.17g", load<double>(e));
            return number.data();
        case value_type::boolean:
            return load<std::uint8_t>(e) != 0 ? "true" : "false";
        default:
            return "";
    }
}

}  // namespace

void reader::wrong_type(const entry& e, std::string_view wanted) const {
    fail("metadata key '" + std::string(e.key) + "' should be " + std::string(wanted) + " but is " +
         type_text(e));
}

std::int64_t reader::signed_integer(const entry& e, std::int64_t low, std::int64_t high) const {
    std::int64_t result = 0;
    bool fits = false;
    const bool integer = visit_integer(e, [&](auto value) {
        fits = std::cmp_greater_equal(value, low) && std::cmp_less_equal(value, high);
        if (fits) result = static_cast<std::int64_t>(value);
    });
    if (!integer) wrong_type(e, "an integer");
    if (!fits) fail("metadata key '" + std::string(e.key) + "' is out of range: " + scalar_text(e));
    return result;
}

std::uint64_t reader::unsigned_integer(const entry& e, std::uint64_t high) const {
    std::uint64_t result = 0;
    bool fits = false;
    const bool integer = visit_integer(e, [&](auto value) {
        fits = std::cmp_greater_equal(value, 0) && std::cmp_less_equal(value, high);
        if (fits) result = static_cast<std::uint64_t>(value);
    });
    if (!integer) wrong_type(e, "an integer");
    if (!fits) fail("metadata key '" + std::string(e.key) + "' is out of range: " + scalar_text(e));
    return result;
}

double reader::real(const entry& e) const {
    if (e.type == value_type::f32) return static_cast<double>(load<float>(e));
    if (e.type == value_type::f64) return load<double>(e);
    double result = 0;
    if (!visit_integer(e, [&](auto value) { result = static_cast<double>(value); })) {
        wrong_type(e, "a number");
    }
    return result;
}

bool reader::flag(const entry& e) const {
    if (e.type != value_type::boolean) wrong_type(e, "bool");
    return load<std::uint8_t>(e) != 0;
}

std::string_view reader::text(const entry& e) const {
    if (e.type != value_type::string) wrong_type(e, "string");
    return {reinterpret_cast<const char*>(e.bytes.data()), e.bytes.size()};
}

entry reader::uniform(const entry& e, std::int64_t layers) const {
    if (e.type != value_type::array || size_of(e.element) == 0) return e;
    const std::string key = "metadata key '" + std::string(e.key) + "'";
    if (std::cmp_not_equal(e.count, layers))
        fail(key + " holds " + std::to_string(e.count) + " numbers for " + std::to_string(layers) +
             " layers");
    const entry first = element_of(e, 0);
    for (std::uint64_t i = 1; i < e.count; ++i)
        if (const entry other = element_of(e, i);
            !std::equal(first.bytes.begin(), first.bytes.end(), other.bytes.begin()))
            fail(key + " differs from layer to layer (" + scalar_text(first) + " and " +
                 scalar_text(other) + "); this program knows models whose layers are alike");
    return first;
}

const entry& reader::array_entry(std::string_view key, value_type element) const {
    const entry& e = require(key);
    if (e.type != value_type::array || e.element != element) {
        wrong_type(e, std::string("array of ") + name_of(element));
    }
    return e;
}

std::vector<std::string_view> reader::strings(std::string_view key) const {
    const entry& e = array_entry(key, value_type::string);
    // parse() has walked these lengths, so they are known to stay inside.
    std::vector<std::string_view> views;
    views.reserve(static_cast<std::size_t>(e.count));
    const std::byte* at = e.bytes.data();
    for (std::uint64_t i = 0; i < e.count; ++i) {
        const auto length = formats::load_as<std::uint64_t>(at);
        at += sizeof length;
        views.emplace_back(reinterpret_cast<const char*>(at), static_cast<std::size_t>(length));
        at += length;
    }
    return views;
}

entry element_of(const entry& array, std::uint64_t index) noexcept {
    const std::size_t size = size_of(array.element);
    return {array.key,
            array.element,
            {},
            1,
            array.bytes.subspan(static_cast<std::size_t>(index) * size, size)};
}

std::string describe(const entry& e, std::size_t longest) {
    std::string text;
    if (e.type == value_type::string) {
        text.assign(reinterpret_cast<const char*>(e.bytes.data()),
                    std::min(e.bytes.size(), longest));
        // Only what a terminal shows harmlessly.
        for (char& c : text) {
            if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
        }
        if (e.bytes.size() > longest) text += "...";
        return text;
    }
    if (e.type != value_type::array) return scalar_text(e);
    return type_text(e) + ", " + std::to_string(e.count) + " elements";
}

}  // namespace tbx::gguf
