// SPDX-License-Identifier: MIT
// Room huggingface. Enters: a model folder. Leaves: its config, its vocabulary, its tensors, and
// the metadata that GGUF has for such a model.
#pragma once

#include <string>
#include <vector>

#include "gguf/float_rows.hpp"
#include "gguf/writer.hpp"
#include "huggingface/config.hpp"
#include "huggingface/pooling.hpp"
#include "huggingface/vocabulary.hpp"
#include "safetensors/folder.hpp"

namespace tbx::huggingface {

class folder {
    std::string path;
    config shape;
    safetensors::folder files;
    vocabulary words;
    pooling vectors;

    [[nodiscard]] const config& checked();

public:
    /// Throws tbx::error for whatever a model of these files would get wrong.
    explicit folder(std::string where);

    [[nodiscard]] const std::string& name() const noexcept { return path; }
    [[nodiscard]] const config& values() const noexcept { return shape; }
    [[nodiscard]] const safetensors::folder& parts() const noexcept { return files; }
    /// In the order of the file to come; this outlives them.
    [[nodiscard]] std::vector<gguf::float_rows> tensors() const;
    /// All entries but those of the type of linear layers.
    void write_metadata(gguf::writer& out) const;
    void require_whole() const { files.require_whole(); }
};

}  // namespace tbx::huggingface
