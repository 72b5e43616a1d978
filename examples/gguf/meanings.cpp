// SPDX-License-Identifier: MIT
// Room gguf. Enters: numbers of types. Leaves: their meaning in a file; see meanings.hpp.
#include "gguf/meanings.hpp"

#include <algorithm>
#include <charconv>
#include <vector>

#include "gguf/quoted.hpp"
#include "support/error.hpp"

namespace tbx::gguf {

namespace {

using enum tensor_type;

/// A number that was given to several types, or to one that no file of weights has. I2_S of other
/// orders is not among them: it has I2_S's size, and is read only when told.
struct shared_id {
    std::uint32_t id;
    std::vector<tensor_type> types;
    const char* others = nullptr;  // that are not read here
};

const std::vector<shared_id>& shared_ids() {
    static const std::vector<shared_id> all = {
        {36, {i2_s}, "IQ4_NL_4_4"},
        {37, {}, "I8_S or IQ4_NL_4_8"},
        {38, {tl1}, "IQ4_NL_8_8"},
        {39, {mxfp4, tl2}},
        {42, {q2_0, pq2_0, tl2, stq1_0}},
        {43, {stq1_0, t5b}},
        {143, {ptq1_0}, "G8_0"},
        {9, {}, "Q8_1"},
        {15, {}, "Q8_K"},
        {136, {}, "Q8_K64"},
        {147, {}, "Q8_K16"},
    };
    return all;
}

const shared_id* find_shared(std::uint32_t id) {
    for (const shared_id& s : shared_ids())
        if (s.id == id) return &s;
    return nullptr;
}

std::string listed(std::span<const tensor_type> types) {
    std::string text;
    for (std::size_t i = 0; i < types.size(); ++i)
        text += (i == 0 ? "" : i + 1 == types.size() ? " or " : ", ") + name_of(types[i]);
    return text;
}

/// Does nothing but padding lie behind it? More that fits would be another type's bytes.
bool fits(const unread_tensor& t, tensor_type type, std::uint64_t alignment) {
    const auto bytes = tensor_bytes(type, t.columns, t.rows);
    if (!bytes) return false;
    const auto size = static_cast<std::uint64_t>(*bytes);
    const std::uint64_t padded = (size + alignment - 1) / alignment * alignment;
    return t.room == padded || (t.last && size <= t.room && t.room < padded);
}

std::vector<tensor_type> fitting(std::span<const tensor_type> types,
                                 std::span<const unread_tensor> tensors, std::uint64_t alignment) {
    std::vector<tensor_type> found;
    for (const tensor_type type : types)
        if (std::all_of(tensors.begin(), tensors.end(),
                        [&](const unread_tensor& t) { return fits(t, type, alignment); }))
            found.push_back(type);
    return found;
}

/// What metadata say where sizes do not. bitnet.cpp's file type of TL2 is 39, Prism's of PQ2_0 141.
std::optional<tensor_type> hinted(std::span<const tensor_type> among, const file_hints& hints) {
    const bool bitnet = hints.architecture.starts_with("bitnet") || hints.architecture == "llama";
    const tensor_type said = hints.file_type == 39u && bitnet ? tl2
                             : hints.file_type == 141u        ? pq2_0
                             : hints.file_type == 38u         ? mxfp4
                                                              : f64;
    const auto found = std::find(among.begin(), among.end(), said);
    if (found == among.end()) return std::nullopt;
    return *found;
}

bool is_number(std::string_view text, auto& value) {
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
    return problem == std::errc() && end == text.data() + text.size();
}

}  // namespace

read_as parse_read_as(std::string_view text) {
    const auto wrong = [&](const std::string& what) -> error {
        return {"--read-as", "'" + std::string(text) + "': " + what};
    };
    const std::size_t equals = text.find('=');
    read_as out;
    if (equals == text.npos || !is_number(text.substr(0, equals), out.id))
        throw wrong("it is not NUMBER=NAME, as in 36=I2_S_ARM");
    std::string_view name = text.substr(equals + 1), tiles;
    if (const std::size_t colon = name.find(':'); colon != name.npos) {
        tiles = name.substr(colon + 1);
        name = name.substr(0, colon);
    }
    const auto type = type_of_name(name);
    if (!type) throw wrong("there is no type '" + std::string(name) + "'");
    out.type = *type;
    if (name.size() + equals + 1 == text.size()) return out;
    const std::size_t first = tiles.find(','), second = tiles.find(',', first + 1);
    if ((*type != tl1 && *type != tl2) || first == tiles.npos || second == tiles.npos ||
        !is_number(tiles.substr(0, first), out.tile.rows) ||
        !is_number(tiles.substr(first + 1, second - first - 1), out.tile.cols) ||
        !is_number(tiles.substr(second + 1), out.tile.lanes) || out.tile.rows <= 0 ||
        out.tile.cols <= 0 || out.tile.lanes <= 0)
        throw wrong("behind TL1: or TL2: come BM, BK and bm, as in 39=TL2:160,96,32");
    return out;
}

meaning meaning_of(std::uint32_t id, std::span<const unread_tensor> tensors,
                   const file_hints& hints, std::span<const read_as> told) {
    for (const read_as& t : told)
        if (t.id == id) return {t.type, t.tile, {}};
    const std::string number = std::to_string(id);
    const std::string has = "tensor " + quoted(tensors[0].name) + " has type " + number;
    const auto none = [&](const std::string& why) { return meaning{{}, {}, has + why}; };
    const shared_id* shared = find_shared(id);
    if (shared == nullptr) {
        const auto type = static_cast<tensor_type>(id);
        if (id <= largest_id && tensor_bytes(type, 0, 0)) return {type, {}, {}};
        return none(", which this reader does not know");
    }
    const std::string others = shared->others != nullptr ? shared->others : "";
    if (shared->types.empty()) return none(", " + others + ", which this reader does not read");
    const auto found = fitting(shared->types, tensors, hints.alignment);
    if (found.size() == 1) return {found[0], {}, {}};
    if (const auto said = hinted(found, hints)) return {*said, {}, {}};
    if (!found.empty())
        return none(", which by its size may be " + listed(found) +
                    ": say which, as in --read-as " + number + "=" + name_of(found[0]));
    return none(" and a size that is none of " + listed(shared->types) +
                (others.empty() ? "" : ", nor is " + others + " read, which has this number too") +
                "; or the file is truncated");
}

}  // namespace tbx::gguf
