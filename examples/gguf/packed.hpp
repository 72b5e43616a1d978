// SPDX-License-Identifier: MIT
// Room gguf. Enters: a GGUF file whose linear layers are packed images of the library. Leaves:
// views of them, where they lie. Such a file is aligned to 64 bytes, has the key below, and says of
// each image that it is a vector of I8, of the images of experts that they are (bytes of one,
// experts) of I8; name, metadata and all other tensors are as ever.
//
// Whoever wrote it has looked at every number. So nobody does again who loads it, and no weight is
// read before it is multiplied.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include <trilobit/pack/packed_view.hpp>

#include "gguf/reader.hpp"

namespace tbx::gguf {

/// The version of the images' format, TRILOBIT_PACKED_VERSION.
inline constexpr const char* packed_key = "trilobit.packed_version";

/// Is this a matrix of a layer, or those of its experts, by its name?
[[nodiscard]] bool is_linear(std::string_view name);

/// Does the file have the key? Throws tbx::error where the version is another.
[[nodiscard]] bool has_images(const reader& file);

/// Empty for any other tensor. Reads the image's header and scales; all of it to compare its hash
/// if it is to be `whole`. Throws tbx::error for an image that is damaged, or not aligned.
[[nodiscard]] std::optional<trilobit::packed_view> packed_image(const reader& file, const tensor& t,
                                                                bool whole = false);

/// The same of one image, or of those of experts, which all have one shape, layout and kind of
/// scales; empty for any other tensor.
[[nodiscard]] std::vector<trilobit::packed_view> packed_images(const reader& file, const tensor& t,
                                                               bool whole = false);

}  // namespace tbx::gguf
