// SPDX-License-Identifier: MIT
// Room gguf. Enters: the numbers that stand for types in a file, and the shapes and places of its
// tensors. Leaves: what each number means in this file: forks gave one number several meanings, and
// no mark tells which. Sizes do: a tensor ends where the next begins.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "gguf/types.hpp"

namespace tbx::gguf {

/// The user's word that a number means this type in a file, cut by these tiles if it is TL1 or TL2.
struct read_as {
    std::uint32_t id = 0;
    tensor_type type{};
    formats::lut_tile tile = {};
};

/// "36=I2_S_ARM", or "39=TL2:160,96,32" with BM, BK and bm. Throws tbx::error of "--read-as".
[[nodiscard]] read_as parse_read_as(std::string_view text);

/// A tensor whose type is not known yet.
struct unread_tensor {
    std::string_view name;
    std::int64_t columns = 0, rows = 0;
    std::uint32_t id = 0;
    std::uint64_t room = 0;  // bytes up to the next tensor, or to the end of the file
    bool last = false;       // then padding may be missing
};

struct file_hints {
    std::string_view architecture;
    std::optional<std::uint32_t> file_type;  // general.file_type; wrong in published files
    std::uint64_t alignment = 32;
};

/// What a number means, one answer for all tensors of a file that have it. `problem` says why there
/// is none.
struct meaning {
    std::optional<tensor_type> type;
    formats::lut_tile tile = {};
    std::string problem;
};

[[nodiscard]] meaning meaning_of(std::uint32_t id, std::span<const unread_tensor> tensors,
                                 const file_hints& hints, std::span<const read_as> told);

}  // namespace tbx::gguf
