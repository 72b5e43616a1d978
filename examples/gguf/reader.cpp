// SPDX-License-Identifier: MIT
// Room gguf. Enters: any bytes that claim to be GGUF. Leaves: metadata entries and tensors that lie
// inside them. Time and memory are bounded by the file's size, whatever its counts claim.
#include "gguf/reader.hpp"

#include <algorithm>
#include <bit>
#include <map>
#include <numeric>
#include <utility>

#include "gguf/quoted.hpp"

namespace tbx::gguf {

namespace {

// The smallest entry or tensor information that a file can hold: a count cannot honestly exceed the
// bytes that are left divided by these.
constexpr std::uint64_t least_entry_bytes = 8 + 4 + 1;
constexpr std::uint64_t least_tensor_bytes = 8 + 4 + 4 + 8;
constexpr std::uint64_t longest_key = 65535;  // the limit of the GGUF specification

class cursor {
    const reader* owner;
    std::span<const std::byte> bytes;
    std::size_t at = 0;

public:
    cursor(const reader& file, std::span<const std::byte> all) : owner(&file), bytes(all) {}

    [[nodiscard]] std::size_t position() const noexcept { return at; }
    [[nodiscard]] std::uint64_t left() const noexcept { return bytes.size() - at; }

    std::span<const std::byte> take(std::uint64_t count, std::string_view what) {
        if (count > left()) {
            owner->fail("is truncated or corrupted: " + std::string(what) + " at byte " +
                        std::to_string(at) + " needs " + std::to_string(count) + " bytes, only " +
                        std::to_string(left()) + " are left");
        }
        const auto part = bytes.subspan(at, static_cast<std::size_t>(count));
        at += part.size();
        return part;
    }

    template <class T>
    T number(std::string_view what) {
        return formats::load_as<T>(take(sizeof(T), what).data());
    }

    std::span<const std::byte> text(std::string_view what) {
        return take(number<std::uint64_t>(what), what);
    }
};

std::string_view as_text(std::span<const std::byte> bytes) noexcept {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// GGUF sets no bound for arrays of arrays, and each level is a call here.
constexpr int deepest_array = 8;

// Reads an array's elements and returns nothing but where they end.
void skip_elements(cursor& in, value_type element, std::uint64_t count, const entry& e,
                   const reader& file, int depth = 1) {
    const auto too_many = [&](std::uint64_t least_bytes, const char* what) {
        if (count <= in.left() / least_bytes) return;
        file.fail("metadata key " + quoted(e.key) + " claims " + std::to_string(count) + what +
                  ", more than the file can hold");
    };
    if (element == value_type::string) {
        too_many(sizeof(std::uint64_t), " strings");
        for (std::uint64_t i = 0; i < count; ++i) in.text("a string of an array");
        return;
    }
    if (element == value_type::array) {
        too_many(sizeof(std::uint32_t) + sizeof(std::uint64_t), " arrays");
        if (depth == deepest_array)
            file.fail("metadata key " + quoted(e.key) + " nests arrays too deep");
        for (std::uint64_t i = 0; i < count; ++i) {
            const auto inner = static_cast<value_type>(in.number<std::uint32_t>("an array's type"));
            const auto length = in.number<std::uint64_t>("an array's length");
            skip_elements(in, inner, length, e, file, depth + 1);
        }
        return;
    }
    const std::size_t size = size_of(element);
    if (size == 0)
        file.fail("metadata key " + quoted(e.key) + " is an array of " + name_of(element) +
                  ", which GGUF does not allow");
    too_many(size, " elements");
    in.take(count * size, "an array");
}

void read_payload(cursor& in, entry& e, const reader& file) {
    if (e.type == value_type::string) {
        e.bytes = in.text("a string");
        return;
    }
    if (e.type != value_type::array) {
        const std::size_t size = size_of(e.type);
        if (size == 0) {
            file.fail("metadata key " + quoted(e.key) + " has unknown value type " +
                      std::to_string(static_cast<std::uint32_t>(e.type)));
        }
        e.bytes = in.take(size, "a metadata value");
        return;
    }
    e.element = static_cast<value_type>(in.number<std::uint32_t>("an array's element type"));
    e.count = in.number<std::uint64_t>("an array's length");
    cursor start = in;
    skip_elements(in, e.element, e.count, e, file);
    e.bytes = start.take(in.position() - start.position(), "an array");
}

/// All but its bytes; its type is still the number in the file.
tensor read_tensor(cursor& in, std::uint64_t alignment, const reader& file, std::uint64_t& offset) {
    tensor t;
    const auto name = in.text("a tensor name");
    if (name.empty() || name.size() > longest_name)
        file.fail("has a tensor name of unlikely length");
    t.name = as_text(name);
    const auto dimensions = in.number<std::uint32_t>("a tensor's dimension count");
    if (dimensions > t.extent.size()) {
        file.fail("tensor " + quoted(t.name) + " has " + std::to_string(dimensions) +
                  " dimensions; at most 4 are supported");
    }
    t.dimensions = static_cast<int>(dimensions);
    std::int64_t elements = 1;
    for (std::uint32_t d = 0; d < dimensions; ++d) {
        const auto extent = in.number<std::uint64_t>("a tensor's extent");
        constexpr auto most = std::numeric_limits<std::int64_t>::max();
        // An extent of 0 would leave the others without a bound.
        if (extent == 0 || extent > static_cast<std::uint64_t>(most / elements)) {
            file.fail("tensor " + quoted(t.name) + " has an extent of " + std::to_string(extent));
        }
        t.extent[d] = static_cast<std::int64_t>(extent);
        elements *= t.extent[d];
    }
    t.type = static_cast<tensor_type>(in.number<std::uint32_t>("a tensor's type"));
    offset = in.number<std::uint64_t>("a tensor's offset");
    if (offset % alignment != 0) {
        file.fail("tensor " + quoted(t.name) + " is not aligned to " + std::to_string(alignment) +
                  " bytes");
    }
    return t;
}

}  // namespace

reader::reader(std::string path, std::span<const read_as> told, alone) : source(std::move(path)) {
    files.emplace_back(source);
    parse(files.front().bytes(), told);
}

void reader::parse(std::span<const std::byte> bytes, std::span<const read_as> told) {
    cursor in(*this, bytes);
    if (bytes.empty()) fail("is empty");
    if (bytes.size() < 4 || as_text(bytes.first(4)) != "GGUF") fail("is not a GGUF file");
    in.take(4, "the magic number");
    format_version = in.number<std::uint32_t>("the version");
    if (format_version != 2 && format_version != 3) {
        if ((format_version & 0xffffu) == 0)
            fail("is a big-endian GGUF file, which is not supported");
        fail("has GGUF version " + std::to_string(format_version) + "; only 2 and 3 are supported");
    }
    const auto tensor_count = in.number<std::uint64_t>("the tensor count");
    const auto entry_count = in.number<std::uint64_t>("the metadata count");
    if (entry_count > in.left() / least_entry_bytes) {
        fail("claims " + std::to_string(entry_count) + " metadata entries, more than it can hold");
    }
    for (std::uint64_t i = 0; i < entry_count; ++i) {
        entry e;
        e.key = as_text(in.text("a metadata key"));
        if (e.key.empty() || e.key.size() > longest_key)
            fail("has a metadata key of unlikely length");
        e.type = static_cast<value_type>(in.number<std::uint32_t>("a value type"));
        read_payload(in, e, *this);
        all_entries.push_back(e);
    }
    index_entries();
    data_alignment = get_or<std::uint32_t>("general.alignment", 32);
    if (!std::has_single_bit(data_alignment)) {
        fail("general.alignment is " + std::to_string(data_alignment) + ", not a power of two");
    }

    if (tensor_count > in.left() / least_tensor_bytes) {
        fail("claims " + std::to_string(tensor_count) + " tensors, more than it can hold");
    }
    std::vector<std::uint64_t> offsets(static_cast<std::size_t>(tensor_count));
    for (std::uint64_t& offset : offsets)
        all_tensors.push_back(read_tensor(in, data_alignment, *this, offset));
    index_tensors();

    // data_alignment < 2^32, so only the comparison below can exceed the file.
    const std::uint64_t start =
        (in.position() + data_alignment - 1) / data_alignment * data_alignment;
    const std::uint64_t room = start <= bytes.size() ? bytes.size() - start : 0;
    find_meanings(offsets, room, told);
    for (std::size_t i = 0; i < all_tensors.size(); ++i) {
        tensor& t = all_tensors[i];
        const auto size = tensor_bytes(t.type, t.columns(), t.rows(), t.tile);
        if (!size) {
            fail("tensor " + quoted(t.name) + ": " + std::to_string(t.rows()) + " rows of " +
                 std::to_string(t.columns()) + " values are not whole blocks of " +
                 name_of(t.type));
        }
        const auto length = static_cast<std::uint64_t>(*size);
        if (offsets[i] > room || length > room - offsets[i]) {
            fail("is truncated or corrupted: tensor " + quoted(t.name) + " of type " +
                 name_of(t.type) + " ends beyond the file");
        }
        t.data = bytes.subspan(static_cast<std::size_t>(start + offsets[i]),
                               static_cast<std::size_t>(length));
    }
    check_overlap();
}

// From the numbers in the file to types. What a number means is one thing for all that have it.
void reader::find_meanings(std::span<const std::uint64_t> offsets, std::uint64_t room,
                           std::span<const read_as> told) {
    std::vector<std::size_t> order(all_tensors.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(),
              [&](std::size_t a, std::size_t b) { return offsets[a] < offsets[b]; });
    std::map<std::uint32_t, std::vector<unread_tensor>> by_id;
    for (std::size_t i = 0; i < order.size(); ++i) {
        const tensor& t = all_tensors[order[i]];
        const std::uint64_t begin = offsets[order[i]];
        const bool last = i + 1 == order.size();
        const std::uint64_t end = std::min(last ? room : offsets[order[i + 1]], room);
        const auto id = static_cast<std::uint32_t>(t.type);
        by_id[id].push_back(
            {t.name, t.columns(), t.rows(), id, begin <= end ? end - begin : 0, last});
    }
    const entry* type = find("general.file_type");
    const entry* name = find("general.architecture");
    file_hints hints;
    hints.alignment = data_alignment;
    if (name != nullptr && name->type == value_type::string) hints.architecture = text(*name);
    if (type != nullptr && type->type == value_type::u32)
        hints.file_type = get<std::uint32_t>("general.file_type");
    std::map<std::uint32_t, meaning> meanings;
    for (const auto& [id, tensors] : by_id) {
        meaning found = meaning_of(id, tensors, hints, told);
        if (!found.type) fail(found.problem);
        meanings.emplace(id, std::move(found));
    }
    for (tensor& t : all_tensors) {
        const meaning& m = meanings.at(static_cast<std::uint32_t>(t.type));
        t.type = *m.type;
        t.tile = m.tile;
    }
}

// Sound files pack tensors one after another. An overlap means that a size was misread: a type id
// that another fork uses for something else, or a corrupted extent.
void reader::check_overlap() const {
    std::vector<const tensor*> order;
    for (const tensor& t : all_tensors) order.push_back(&t);
    std::sort(order.begin(), order.end(),
              [](const tensor* a, const tensor* b) { return a->data.data() < b->data.data(); });
    for (std::size_t i = 1; i < order.size(); ++i) {
        const tensor& before = *order[i - 1];
        if (before.data.data() + before.data.size() > order[i]->data.data()) {
            fail("tensors " + quoted(before.name) + " and " + quoted(order[i]->name) + " overlap");
        }
    }
}

}  // namespace tbx::gguf
