// SPDX-License-Identifier: MIT
// Room gguf. Enters: metadata, tensor declarations, tensor bytes. Leaves: a GGUF v3 file with the
// alignment of 32 or another, tensors in the order of their declaration, zero padding between them.
#include "gguf/writer.hpp"

#include <limits>
#include <utility>

#include "gguf/reader.hpp"
#include "support/error.hpp"
#include "trilobit/core/endian.hpp"

namespace tbx::gguf {

namespace {

template <class T>
void put(std::string& out, T value) {
    const trilobit::little<T> bytes = value;
    out.append(reinterpret_cast<const char*>(&bytes), sizeof bytes);
}

void put_text(std::string& out, std::string_view text) {
    put<std::uint64_t>(out, text.size());
    out += text;
}

}  // namespace

writer::writer(std::string path, std::uint32_t aligned)
    : file(std::move(path)), alignment(aligned) {
    if (aligned == 32) return;  // what is not said
    keys.emplace("general.alignment");
    put_text(metadata, "general.alignment");
    put(metadata, static_cast<std::uint32_t>(value_type::u32));
    put(metadata, aligned);
}

void writer::fail(std::string_view what) const { throw error(file.path(), what); }

void writer::open_entry(std::string_view key, value_type type) {
    if (streaming) fail("metadata must come before tensor data");
    if (key.empty()) fail("a metadata key is empty");
    if (key == "general.alignment") fail("the alignment is chosen when the file is opened");
    if (!keys.emplace(key).second) fail("metadata key '" + std::string(key) + "' is set twice");
    put_text(metadata, key);
    put(metadata, static_cast<std::uint32_t>(type));
}

void writer::open_array(std::string_view key, value_type element, std::size_t count) {
    open_entry(key, value_type::array);
    put(metadata, static_cast<std::uint32_t>(element));
    put<std::uint64_t>(metadata, count);
}

void writer::set(std::string_view key, std::string_view value) {
    open_entry(key, value_type::string);
    put_text(metadata, value);
}

void writer::set(std::string_view key, bool value) {
    open_entry(key, value_type::boolean);
    put<std::uint8_t>(metadata, value ? 1 : 0);
}

void writer::set(std::string_view key, std::uint32_t value) {
    open_entry(key, value_type::u32);
    put(metadata, value);
}

void writer::set(std::string_view key, std::int32_t value) {
    open_entry(key, value_type::i32);
    put(metadata, value);
}

void writer::set(std::string_view key, std::uint64_t value) {
    open_entry(key, value_type::u64);
    put(metadata, value);
}

void writer::set(std::string_view key, std::int64_t value) {
    open_entry(key, value_type::i64);
    put(metadata, value);
}

void writer::set(std::string_view key, float value) {
    open_entry(key, value_type::f32);
    put(metadata, value);
}

void writer::set_array(std::string_view key, std::span<const std::string> values) {
    open_array(key, value_type::string, values.size());
    for (const std::string& value : values) put_text(metadata, value);
}

void writer::set_array(std::string_view key, std::span<const std::string_view> values) {
    open_array(key, value_type::string, values.size());
    for (const std::string_view value : values) put_text(metadata, value);
}

void writer::set_array(std::string_view key, std::span<const float> values) {
    open_array(key, value_type::f32, values.size());
    for (const float value : values) put(metadata, value);
}

void writer::set_array(std::string_view key, std::span<const std::int32_t> values) {
    open_array(key, value_type::i32, values.size());
    for (const std::int32_t value : values) put(metadata, value);
}

void writer::set_array(std::string_view key, std::span<const std::uint8_t> values) {
    open_array(key, value_type::u8, values.size());
    for (const std::uint8_t value : values) put(metadata, value);
}

void writer::copy(const entry& from) {
    const std::string_view bytes(reinterpret_cast<const char*>(from.bytes.data()),
                                 from.bytes.size());
    if (from.type == value_type::string) return set(from.key, bytes);
    if (from.type == value_type::array)
        open_array(from.key, from.element, static_cast<std::size_t>(from.count));
    else
        open_entry(from.key, from.type);
    metadata += bytes;
}

void writer::add_tensor(std::string_view name, tensor_type type,
                        std::span<const std::int64_t> extent) {
    const std::string text(name);
    if (streaming) fail("tensor '" + text + "' is declared after tensor data");
    if (name.empty() || name.size() > longest_name) fail("tensor name '" + text + "' is too long");
    if (extent.empty() || extent.size() > 4) fail("tensor '" + text + "' needs 1 to 4 extents");
    std::int64_t rows = 1;
    for (std::size_t d = 0; d < extent.size(); ++d) {
        if (extent[d] <= 0) fail("tensor '" + text + "' has an extent below 1");
        if (d == 0) continue;
        if (extent[d] > std::numeric_limits<std::int64_t>::max() / rows) {
            fail("tensor '" + text + "' is too large");
        }
        rows *= extent[d];
    }
    const auto bytes = tensor_bytes(type, extent[0], rows);
    if (!bytes) fail("tensor '" + text + "': its rows are not whole blocks of " + name_of(type));
    if (!names.insert(text).second) fail("tensor '" + text + "' is declared twice");
    const auto size = static_cast<std::uint64_t>(*bytes);
    tensors.push_back({text, type, {extent.begin(), extent.end()}, size, data_bytes});
    data_bytes += padded(size);
}

void writer::begin_data() {
    std::string head = "GGUF";
    put<std::uint32_t>(head, 3);
    put<std::uint64_t>(head, tensors.size());
    put<std::uint64_t>(head, keys.size());
    head += metadata;
    for (const declared& t : tensors) {
        put_text(head, t.name);
        put(head, static_cast<std::uint32_t>(t.extent.size()));
        for (const std::int64_t extent : t.extent) put(head, static_cast<std::uint64_t>(extent));
        put(head, file_id(t.type));
        put(head, t.offset);
    }
    file.write(head);
    pad_to_alignment();
    streaming = true;
}

void writer::pad_to_alignment() {
    const std::uint64_t position = file.position();
    file.write(std::vector<std::byte>(static_cast<std::size_t>(padded(position) - position)));
}

void writer::append(std::span<const std::byte> bytes) {
    if (!streaming) begin_data();
    if (current == tensors.size()) {
        if (bytes.empty()) return;
        fail("more bytes than the declared tensors hold");
    }
    const declared& t = tensors[current];
    if (bytes.size() > t.bytes - filled) {
        fail("tensor '" + t.name + "' gets more than its " + std::to_string(t.bytes) + " bytes");
    }
    file.write(bytes);
    filled += bytes.size();
    if (filled == t.bytes) {
        pad_to_alignment();
        ++current;
        filled = 0;
    }
}

void writer::append_floats(std::span<const float> values) {
    if (trilobit::little_endian) return append(std::as_bytes(values));
    const std::vector<trilobit::little<float>> stored(values.begin(), values.end());
    append(std::as_bytes(std::span(stored)));
}

void writer::finish() {
    if (!streaming) begin_data();
    if (current != tensors.size()) {
        fail("tensor '" + tensors[current].name + "' is incomplete: " + std::to_string(filled) +
             " of " + std::to_string(tensors[current].bytes) + " bytes");
    }
    file.commit();
}

}  // namespace tbx::gguf
