// SPDX-License-Identifier: MIT
// Room examples/model. Enters: the keys prism.hadamard.* of a file. Leaves: which tensors lie in
// another basis, and in which: run as if they did not, such a model loads and babbles.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "gguf/reader.hpp"
#include "model/rotation.hpp"

namespace tbx::model {

class rotations {
    std::int64_t block = 0;
    bool explicit_signs = false;
    bool tied = false;  // of the two tables
    std::map<std::int64_t, rotation> of_width;
    std::map<std::string, const rotation*, std::less<>> of_input;  // of a product, by its tensor
    const rotation* of_table = nullptr;

    void read_signs(const gguf::reader& file);
    void read_names(const gguf::reader& file);
    const rotation* required(const gguf::reader& file, const std::string& name);

public:
    /// Of a file without such keys, nothing is rotated. Throws tbx::error for what is not known.
    explicit rotations(const gguf::reader& file);

    // Each lives as long as this does; null: nothing is rotated.
    /// What x is brought into before its product with the tensor.
    [[nodiscard]] const rotation* of(std::string_view name) const {
        const auto at = of_input.find(name);
        return at == of_input.end() ? nullptr : at->second;
    }
    /// What rows of the embedding are brought back from.
    [[nodiscard]] const rotation* of_rows() const noexcept { return of_table; }
    /// What x is brought into before a head that is the embedding.
    [[nodiscard]] const rotation* of_tied_head() const noexcept {
        return tied ? of_table : nullptr;
    }
};

}  // namespace tbx::model
