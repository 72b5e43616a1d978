// SPDX-License-Identifier: MIT
// Tests of the examples. Enters: a model file and what is to be different. Leaves: another one that
// is the same otherwise.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "gguf/reader.hpp"
#include "gguf/writer.hpp"

namespace tbx::testing {

struct edited_tensor {
    std::string name;
    gguf::tensor_type type;
    std::vector<std::int64_t> extent;  // the first is the columns
    std::vector<std::byte> bytes;
};
using tensor_edit = std::function<void(edited_tensor&)>;
/// True where it wrote something in place of the entry.
using entry_edit = std::function<bool(const gguf::entry&, gguf::writer&)>;

/// Returns `path`.
inline std::string edited_model(const gguf::reader& from, const std::string& path,
                                const tensor_edit& change, const entry_edit& instead = {}) {
    gguf::writer to(path);
    for (const gguf::entry& e : from.entries())
        if (e.key != "general.alignment" && !(instead && instead(e, to))) to.copy(e);
    std::vector<edited_tensor> all;
    for (const gguf::tensor& t : from.tensors()) {
        const auto extent = std::span(t.extent).first(static_cast<std::size_t>(t.dimensions));
        all.push_back({std::string(t.name),
                       t.type,
                       {extent.begin(), extent.end()},
                       {t.data.begin(), t.data.end()}});
        if (change) change(all.back());
    }
    for (const edited_tensor& t : all) to.add_tensor(t.name, t.type, t.extent);
    for (const edited_tensor& t : all) to.append(t.bytes);
    to.finish();
    return path;
}

}  // namespace tbx::testing
