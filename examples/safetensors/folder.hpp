// SPDX-License-Identifier: MIT
// Room safetensors. Enters: a folder with model.safetensors, or with model.safetensors.index.json
// and the files that it names. Leaves: the tensors of all files, where index and files agree.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "safetensors/file.hpp"

namespace tbx::safetensors {

class folder {
    std::string path;
    std::vector<file> files;

    void open_index(const std::string& index);

public:
    explicit folder(std::string where);

    [[nodiscard]] const std::string& name() const noexcept { return path; }
    [[nodiscard]] const std::vector<file>& parts() const noexcept { return files; }
    /// Null when absent.
    [[nodiscard]] const tensor* find(std::string_view name) const noexcept;
    void require_whole() const;
    void forget(const tensor& t) const noexcept;
};

}  // namespace tbx::safetensors
