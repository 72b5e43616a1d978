// SPDX-License-Identifier: MIT
// Room huggingface. Enters: a JSON object. Leaves: its fields by name and type, and which of them
// nobody has asked for: so nothing of a config is passed over by mistake.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>

#include "safetensors/json.hpp"

namespace tbx::huggingface {

using safetensors::json;

class fields {
    const json* from;
    std::string file, prefix;
    std::set<std::string, std::less<>> known;

    [[noreturn]] void wrong(const char* name, const json& value, const char* wanted) const;

public:
    /// `inside` is the name of the object within the file, empty for the whole.
    fields(const json& object, std::string path, std::string inside = {});

    [[nodiscard]] const std::string& path() const noexcept { return file; }
    /// A field's value, null where it is absent or null. It counts as known from now on.
    const json* find(const char* name);
    /// Each throws tbx::error where the value is of another type, or out of range.
    std::optional<std::int64_t> integer(const char* name, std::int64_t least, std::int64_t most);
    std::optional<double> number(const char* name);
    std::optional<bool> flag(const char* name);
    std::optional<std::string> text(const char* name);
    std::int64_t required(const char* name, std::int64_t least, std::int64_t most);

    /// Of no consequence for what a model computes.
    void ignore(const char* name) { known.insert(name); }
    /// Throws for the first field that is not known, unless it is null, false, 0 or empty.
    void refuse_others() const;
    /// Throws "<file>: field '<name>' <what>".
    [[noreturn]] void refuse(const char* name, const std::string& what) const;
};

}  // namespace tbx::huggingface
