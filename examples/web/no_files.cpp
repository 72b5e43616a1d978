// SPDX-License-Identifier: MIT
// Room web. Enters: what the rooms to the left expect of a system with files. Leaves: refusals, and
// models read from memory: what gguf/parts.cpp and support/mapped_file.cpp are elsewhere.
#include <utility>

#include "gguf/reader.hpp"
#include "support/error.hpp"
#include "support/mapped_file.hpp"

namespace tbx {

namespace support {

mapped_file::mapped_file(std::string path) {
    throw error(path, "there are no files here, only memory");
}
mapped_file::mapped_file(mapped_file&&) noexcept = default;
void mapped_file::release() noexcept {}
void mapped_file::require_whole() const {}
end_note::~end_note() = default;

}  // namespace support

namespace gguf {

reader::reader(std::string name, std::span<const std::byte> bytes, std::span<const read_as> told)
    : source(std::move(name)) {
    parse(bytes, told);
    if (get_or<int>("split.count", 1) > 1)
        fail("is one part of a model in several files; join them first (llama-gguf-split --merge)");
    std::erase_if(all_entries, [](const entry& e) { return e.key.starts_with("split."); });
    index_entries();
}

void reader::require_whole() const {}
void reader::forget(const tensor&) const noexcept {}

}  // namespace gguf

}  // namespace tbx
