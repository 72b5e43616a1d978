// SPDX-License-Identifier: MIT
// Room integrations. Enters: the bytes of a tensor of 1-bit or ternary blocks. Leaves: packed
// matrices in the tensor's own place, one for each of its matrices; and on demand the bytes again.
//
// The packed image is the only copy. Its scales are the file's, so the bytes that come back say the
// same numbers; zeros may have taken another scale, and a block of zeros has its neighbours'.
#pragma once

#include <trilobit/dispatch/dispatch.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "formats/rows.hpp"
#include "gguf/types.hpp"
#include "integrations/ggml/abi/types.hpp"
#include "integrations/ggml/threads.hpp"

namespace tbx::ggml {

/// What we make of a type of the host's.
struct weight_type {
    gguf::tensor_type type;
    const formats::format* format;  // of blocks that have a scale each
    const char* name;               // as the host calls it
    trilobit::layout_id layout;
    int activation_group;  // by default; 0 is the whole token

    [[nodiscard]] constexpr std::int64_t cols() const noexcept { return format->group; }
    [[nodiscard]] std::int64_t bytes() const noexcept {  // of a block
        return format->bytes({1, format->group}).value_or(1);
    }
};

/// Null for a type that we do not take, or that this host calls by another name.
const weight_type* find_weight_type(type id) noexcept;

/// The same when `t` is weights as they lie in a file: whole blocks, one after the other, no view,
/// and no larger than we can hold.
const weight_type* packable(const tensor& t) noexcept;

/// Bytes of its matrices, packed with whatever scales.
std::size_t packed_size(const weight_type& type, const tensor& t) noexcept;

/// Bytes that the host counts for it.
std::size_t file_size(const weight_type& type, const tensor& t) noexcept;

/// The packed matrices of one tensor: none until all of its bytes were set.
class weights {
    std::vector<trilobit::packed_view> packed;
    std::vector<std::byte> staged;  // of bytes that come in pieces, until the last

public:
    /// The host's next piece. What is refused says why, and leaves no matrices.
    trilobit::status set(const weight_type& type, const tensor& t, std::span<const std::byte> bytes,
                         std::size_t offset, team& threads);
    /// Bytes [offset, offset + bytes.size()) of the file's; zeros before they were set.
    void get(const weight_type& type, const tensor& t, std::span<std::byte> bytes,
             std::size_t offset) const;
    void forget() noexcept {
        packed.clear();
        staged = {};
    }
    [[nodiscard]] std::span<const trilobit::packed_view> matrices() const noexcept {
        return packed;
    }
};

}  // namespace tbx::ggml
