// SPDX-License-Identifier: MIT
// Room safetensors. Enters: bytes. Leaves: checked tensors; see file.hpp.
//
//   u64 length of the header, little-endian | a JSON object of that length | bytes of the tensors
#include "safetensors/file.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "formats/bytes.hpp"
#include "gguf/quoted.hpp"
#include "safetensors/json.hpp"
#include "support/error.hpp"

namespace tbx::safetensors {

namespace {

constexpr std::uint64_t longest_header = 100'000'000;  // the format's own reader's limit

struct dtype_row {
    std::string_view name;
    dtype type;
    std::uint8_t bytes;
};
constexpr std::array<dtype_row, 15> dtypes{{{"BOOL", dtype::boolean, 1},
                                            {"U8", dtype::u8, 1},
                                            {"I8", dtype::i8, 1},
                                            {"F8_E4M3", dtype::f8_e4m3, 1},
                                            {"F8_E5M2", dtype::f8_e5m2, 1},
                                            {"U16", dtype::u16, 2},
                                            {"I16", dtype::i16, 2},
                                            {"F16", dtype::f16, 2},
                                            {"BF16", dtype::bf16, 2},
                                            {"U32", dtype::u32, 4},
                                            {"I32", dtype::i32, 4},
                                            {"F32", dtype::f32, 4},
                                            {"U64", dtype::u64, 8},
                                            {"I64", dtype::i64, 8},
                                            {"F64", dtype::f64, 8}}};

const dtype_row& row_of(dtype type) noexcept { return dtypes[static_cast<std::size_t>(type)]; }

// A count of bytes or values, which may not be negative, a fraction, or beyond 63 bits.
std::optional<std::uint64_t> count_of(const json& value) {
    if (!value.is_number_integer()) return std::nullopt;
    if (!value.is_number_unsigned() && value.get<std::int64_t>() < 0) return std::nullopt;
    const auto count = value.get<std::uint64_t>();
    if (count > std::uint64_t{std::numeric_limits<std::int64_t>::max()}) return std::nullopt;
    return count;
}

struct placed {
    tensor what;
    std::uint64_t begin, end;
};

placed read_entry(const std::string& source, const std::string& name, const json& entry) {
    const auto refuse = [&](const std::string& what) -> placed {
        throw error(source, "tensor " + gguf::quoted(name) + " " + what);
    };
    if (!entry.is_object()) return refuse("is not described by an object");
    const json *type = find(entry, "dtype"), *shape = find(entry, "shape"),
               *offsets = find(entry, "data_offsets");
    if (type == nullptr || !type->is_string()) return refuse("has no dtype");
    if (shape == nullptr || !shape->is_array()) return refuse("has no shape");
    if (offsets == nullptr || !offsets->is_array() || offsets->size() != 2)
        return refuse("has no pair of data_offsets");
    if (entry.size() != 3) return refuse("has a field that the format does not");
    placed p{{name, {}, {}, {}}, 0, 0};
    const auto known = dtype_of(type->get_ref<const std::string&>());
    if (!known) return refuse("has dtype " + shown(*type) + ", which is not known here");
    p.what.type = *known;
    std::uint64_t bytes = bytes_of(*known);
    for (const json& extent : *shape) {
        const auto count = count_of(extent);
        if (!count) return refuse("has an extent that is no count");
        if (*count != 0 && bytes > std::uint64_t{std::numeric_limits<std::int64_t>::max()} / *count)
            return refuse("is too large");
        bytes *= *count;
        p.what.shape.push_back(static_cast<std::int64_t>(*count));
    }
    const auto begin = count_of((*offsets)[0]), end = count_of((*offsets)[1]);
    if (!begin || !end || *begin > *end) return refuse("has data_offsets that are no range");
    if (*end - *begin != bytes)
        return refuse("has " + std::to_string(*end - *begin) +
                      " bytes where dtype and shape need " + std::to_string(bytes));
    p.begin = *begin;
    p.end = *end;
    return p;
}

}  // namespace

std::optional<dtype> dtype_of(std::string_view name) noexcept {
    for (const dtype_row& row : dtypes)
        if (row.name == name) return row.type;
    return std::nullopt;
}
std::string_view name_of(dtype type) noexcept { return row_of(type).name; }
std::uint64_t bytes_of(dtype type) noexcept { return row_of(type).bytes; }

std::int64_t tensor::columns() const noexcept { return shape.empty() ? 1 : shape.back(); }
std::int64_t tensor::rows() const noexcept {
    std::int64_t rows = 1;
    for (std::size_t i = 0; i + 1 < shape.size(); ++i) rows *= shape[i];
    return rows;
}

float value_at(const tensor& t, std::int64_t index) noexcept {
    const std::byte* at = t.data.data() + static_cast<std::size_t>(index) * bytes_of(t.type);
    switch (t.type) {
        case dtype::f16:
            return formats::load_f16(at);
        case dtype::bf16:
            return trilobit::bf16_to_f32(formats::load_as<std::uint16_t>(at));
        case dtype::f64:
            return static_cast<float>(formats::load_as<double>(at));
        default:
            return formats::load_as<float>(at);
    }
}

file::file(std::string path) : mapped(std::move(path)), source(mapped.path()) {
    parse(mapped.bytes());
}
file::file(std::string name, std::span<const std::byte> bytes) : source(std::move(name)) {
    parse(bytes);
}

void file::fail(std::string_view what) const { throw error(source, what); }

void file::parse(std::span<const std::byte> bytes) {
    if (bytes.size() < 8) fail("is too short for a safetensors file");
    const auto length = formats::load_as<std::uint64_t>(bytes.data());
    if (length > longest_header)
        fail("is no safetensors file: its header would have " + std::to_string(length) + " bytes");
    if (length > bytes.size() - 8)
        fail("is truncated: its header has " + std::to_string(length) + " bytes, only " +
             std::to_string(bytes.size() - 8) + " are there");
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()) + 8,
                                static_cast<std::size_t>(length));
    if (!text.starts_with('{')) fail("is no safetensors file: its header does not begin with {");
    const json header = parse_json(text, source);
    std::vector<placed> order;
    for (const auto& [name, entry] : header.items()) {
        if (name != "__metadata__") {
            order.push_back(read_entry(source, name, entry));
            continue;
        }
        if (!entry.is_object()) fail("has __metadata__ that are no object");
        for (const auto& [key, value] : entry.items())
            if (!value.is_string()) fail("has __metadata__ that are no texts");
    }
    // What the format's reader demands: no hole, no overlap, no rest.
    std::sort(order.begin(), order.end(), [](const placed& a, const placed& b) {
        return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
    });
    const auto buffer = bytes.subspan(8 + static_cast<std::size_t>(length));
    std::uint64_t at = 0;
    for (placed& p : order) {
        if (p.begin != at)
            fail("tensor " + gguf::quoted(p.what.name) + " begins at byte " +
                 std::to_string(p.begin) + " of the data, where the one before ends at " +
                 std::to_string(at));
        if (p.end > buffer.size())
            fail("is truncated: tensor " + gguf::quoted(p.what.name) + " ends at byte " +
                 std::to_string(p.end) + " of the data, which are " +
                 std::to_string(buffer.size()));
        at = p.end;
        p.what.data = buffer.subspan(static_cast<std::size_t>(p.begin),
                                     static_cast<std::size_t>(p.end - p.begin));
        all.push_back(std::move(p.what));
    }
    if (at != buffer.size())
        fail("goes on for " + std::to_string(buffer.size() - at) + " bytes after its last tensor");
    std::sort(all.begin(), all.end(),
              [](const tensor& a, const tensor& b) { return a.name < b.name; });
}

const tensor* file::find(std::string_view name) const noexcept {
    const auto at =
        std::lower_bound(all.begin(), all.end(), name,
                         [](const tensor& t, std::string_view n) { return t.name < n; });
    return at == all.end() || at->name != name ? nullptr : &*at;
}

}  // namespace tbx::safetensors
